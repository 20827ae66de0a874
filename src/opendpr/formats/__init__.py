"""Files of other systems and of our own, read and written as streams."""

from opendpr.formats.files import (
    COMPRESSED,
    READ_ERRORS,
    file_sha256,
    json_kind,
    open_binary,
    parse_jsonl,
    read_jsonl,
    reason,
    scan_jsonl,
    uncompressed_name,
)
from opendpr.formats.questions import read_questions

__all__ = [
    "COMPRESSED",
    "READ_ERRORS",
    "file_sha256",
    "json_kind",
    "open_binary",
    "parse_jsonl",
    "read_jsonl",
    "read_questions",
    "reason",
    "scan_jsonl",
    "uncompressed_name",
]
