"""Files of other systems and of our own, read and written as streams: one module for each system.

Every reader yields, names `file:line` in its errors, opens compressed files by their suffix and raises
`InputError` alone. Every writer replaces its file when all is written. docs/formats.md shows the forms.
"""

from opendpr.interop.nouns import Judgement, MarkedQuestion, Ranking, RunHit
from opendpr.interop.own import write_marked
from opendpr.interop.question_sets import Questions, question_sets
from opendpr.interop.ranked import best_of_documents
from opendpr.interop.reading import (
    holds_marks,
    read_examples,
    read_marked,
    read_passages,
    read_qrels,
    read_questions,
    read_run,
    refuse_pairs,
)
from opendpr.interop.sources import source_label, source_name, source_sha256
from opendpr.interop.squad import write_squad
from opendpr.interop.writing import (
    useful,
    write_examples,
    write_passages,
    write_qrels,
    write_questions,
    write_run,
)

__all__ = [
    "Judgement",
    "MarkedQuestion",
    "Questions",
    "Ranking",
    "RunHit",
    "best_of_documents",
    "holds_marks",
    "question_sets",
    "read_examples",
    "read_marked",
    "read_passages",
    "read_qrels",
    "read_questions",
    "read_run",
    "refuse_pairs",
    "source_label",
    "source_name",
    "source_sha256",
    "useful",
    "write_examples",
    "write_marked",
    "write_passages",
    "write_qrels",
    "write_questions",
    "write_run",
    "write_squad",
]
