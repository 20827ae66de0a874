"""Files of other systems and of our own, read and written as streams.

Every reader yields, names `file:line` in its errors, opens compressed files by their suffix and raises
`InputError` alone. Every writer replaces its file when all is written. docs/formats.md shows the forms.
"""

from opendpr.formats.examples import read_examples, refuse_pairs, write_examples
from opendpr.formats.files import (
    COMPRESSED,
    READ_ERRORS,
    file_sha256,
    json_kind,
    limited_lines,
    open_binary,
    open_input,
    open_output,
    parse_jsonl,
    read_jsonl,
    reason,
    scan_jsonl,
    uncompressed_name,
)
from opendpr.formats.passages import read_passages, write_passages
from opendpr.formats.qrels import Judgement, read_qrels, write_qrels
from opendpr.formats.questions import read_questions, write_questions
from opendpr.formats.runs import Found, Ranking, read_run, write_run
from opendpr.formats.squad import MarkedQuestion, read_marked, read_squad, write_marked, write_squad

__all__ = [
    "COMPRESSED",
    "READ_ERRORS",
    "Found",
    "Judgement",
    "MarkedQuestion",
    "Ranking",
    "file_sha256",
    "json_kind",
    "limited_lines",
    "open_binary",
    "open_input",
    "open_output",
    "parse_jsonl",
    "read_examples",
    "read_jsonl",
    "read_marked",
    "read_passages",
    "read_qrels",
    "read_questions",
    "read_run",
    "read_squad",
    "reason",
    "refuse_pairs",
    "scan_jsonl",
    "uncompressed_name",
    "write_examples",
    "write_marked",
    "write_passages",
    "write_qrels",
    "write_questions",
    "write_run",
    "write_squad",
]
