"""What went wrong with a question: the passages, the choice among them, the words, or the threshold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Literal, get_args

from experiments.common.data import Record
from opendpr.text import AnswerMatcher, exact_match
from opendpr.types import Hit, Outcome

Verdict = Literal[
    "right and answered",
    "refused though right",
    "answer not among the passages read",
    "another passage chosen",
    "wrong words of a right passage",
    "rightly refused",
    "answered though none is known",
]
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)
ANSWERABLE = VERDICTS[:5]
UNANSWERABLE = VERDICTS[5:]


def verdict(record: Record, hits: Sequence[Hit], outcome: Outcome) -> Verdict:
    """What came of a question.

    A passage is right if it holds an answer and is of one of the documents that the question names; some documents
    that hold it, too, may not be named.

    Args:
        hits: the passages that were read
    """
    if not record["answers"]:
        return "answered though none is known" if outcome.answerable else "rightly refused"
    best = next(iter(outcome.phrases), None)
    if best and exact_match(best.text, record["answers"]):
        return "right and answered" if outcome.answerable else "refused though right"
    matcher, documents = AnswerMatcher(record["answers"]), record.get("document_ids") or ()
    right = {
        hit.passage.number
        for hit in hits
        if matcher(hit.passage.text) and (not documents or hit.passage.document_id in documents)
    }
    if not right:
        return "answer not among the passages read"
    chosen = {span.hit.passage.number for span in best.spans} if best else set()
    return "wrong words of a right passage" if chosen & right else "another passage chosen"


def print_verdicts(counts: Mapping[str, Counter[Verdict]]) -> None:
    """A table: a line for each verdict, a column for each kind of question."""
    width = max(map(len, VERDICTS))
    print(" ".join([" " * width, *(f"{kind:>12}" for kind in counts)]))
    for name in VERDICTS:
        if any(column[name] for column in counts.values()):
            print(" ".join([f"{name:{width}}", *(f"{column[name]:12}" for column in counts.values())]))
