"""Models of other systems, brought into ours and written out of them: one module for each system."""

from opendpr.model.foreign.importing import PARTS, Imported, import_model
from opendpr.model.foreign.source import ImportSettings, Source

__all__ = ["PARTS", "ImportSettings", "Imported", "Source", "import_model"]
