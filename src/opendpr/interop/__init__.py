"""Files of other systems and of our own, read and written as streams.

Every reader yields, names `file:line` in its errors, opens compressed files by their suffix and raises
`InputError` alone. Every writer replaces its file when all is written. docs/formats.md shows the forms.
"""

from opendpr.interop.examples import read_examples, refuse_pairs, write_examples
from opendpr.interop.passages import read_passages, write_passages
from opendpr.interop.qrels import Judgement, read_qrels, write_qrels
from opendpr.interop.questions import read_questions, write_questions
from opendpr.interop.runs import Found, Ranking, read_run, write_run
from opendpr.interop.squad import MarkedQuestion, read_marked, read_squad, write_marked, write_squad

__all__ = [
    "Found",
    "Judgement",
    "MarkedQuestion",
    "Ranking",
    "read_examples",
    "read_marked",
    "read_passages",
    "read_qrels",
    "read_questions",
    "read_run",
    "read_squad",
    "refuse_pairs",
    "write_examples",
    "write_marked",
    "write_passages",
    "write_qrels",
    "write_questions",
    "write_run",
    "write_squad",
]
