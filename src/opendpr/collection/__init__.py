"""The collection: one SQLite file that is the truth about documents, passages and vectors."""

from opendpr.collection.reader import Collection, open_collection
from opendpr.collection.writer import Writer, open_writer

__all__ = ["Collection", "Writer", "open_collection", "open_writer"]
