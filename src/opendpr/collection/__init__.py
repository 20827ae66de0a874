"""The collection: one SQLite file that is the truth about documents, passages and vectors; all SQL, filters, checks."""

from opendpr.collection.collection import Collection
from opendpr.collection.opening import open_collection, open_writer, opened_collection
from opendpr.collection.writer import Writer

__all__ = ["Collection", "Writer", "open_collection", "open_writer", "opened_collection"]
