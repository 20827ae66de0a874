"""What a source of questions or judgements is called, and its digest: of a file, or of a data set of ir_datasets."""

from __future__ import annotations

from pathlib import Path

from opendpr.interop import ir_datasets
from opendpr.storage.compression import uncompressed_name
from opendpr.storage.digests import file_sha256


def source_name(path: Path) -> str:
    """A file's name without its endings; a data set's id with dashes, `natural-questions-dev`."""
    return ir_datasets.name_of_id(path) if ir_datasets.is_id(path) else uncompressed_name(path).stem


def source_label(path: Path) -> str:
    """A file's name; a data set's whole id."""
    return str(path) if ir_datasets.is_id(path) else path.name


def source_sha256(path: Path) -> str:
    """SHA-256 of a file; of a data set's queries and judgements.

    Raises:
        InputError, OpendprError: a data set cannot be read.
    """
    return ir_datasets.sha256_of_id(path) if ir_datasets.is_id(path) else file_sha256(path)
