"""Models of other systems, brought into ours and written out of them: one module for each system."""

from opendpr.model.foreign.cards import left_out
from opendpr.model.foreign.exporting import export_model
from opendpr.model.foreign.importing import ImportedModel, import_model
from opendpr.model.foreign.source import ForeignModel, ImportSettings

__all__ = ["ForeignModel", "ImportSettings", "ImportedModel", "export_model", "import_model", "left_out"]
