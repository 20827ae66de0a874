"""Models of other systems, brought into ours and written out of them: one module for each system."""

from opendpr.model.foreign.cards import left_out
from opendpr.model.foreign.exporting import export_model
from opendpr.model.foreign.importing import Imported, import_model
from opendpr.model.foreign.source import ImportSettings, Source

__all__ = ["ImportSettings", "Imported", "Source", "export_model", "import_model", "left_out"]
