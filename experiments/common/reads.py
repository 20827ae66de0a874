"""What was read for questions, saved as JSON lines: read once, fit often.

A line holds the question with its set, the passages with their scores, and the spans of each:

    {"set", "question": {...}, "removed", "hits": [{"passage": {...}, "score", ...}],
     "spans": [{"number", "start", "end", "text", "passage_score", "span_score"}],
     "asked": {"passages", "holding"}}

where `asked` says in how many passages of the collection each word of the question occurs.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from opendpr.answering.asked_question import AskedQuestion
from opendpr.fitting.cases import Case
from opendpr.types import Hit, Passage, Question, Span, WordCounts


def to_record(case: Case) -> dict[str, Any]:
    """A case as the JSON object that `from_record` takes; passages without a span are left out."""
    hits = {span.hit.passage.number: span.hit for span in case.spans}
    spans = [
        {"number": span.hit.passage.number}
        | {name: getattr(span, name) for name in ("start", "end", "text", "passage_score", "span_score")}
        for span in case.spans
    ]
    return {
        "set": case.set,
        "question": asdict(case.question),
        "removed": case.removed,
        "hits": [asdict(hit) for hit in hits.values()],
        "spans": spans,
        "asked": case.asked_question.counts._asdict() | {"holding": dict(case.asked_question.counts.holding)},
    }


def from_record(record: dict[str, Any]) -> Case:
    """Make the case that a JSON object describes."""
    hits = {hit["passage"]["number"]: _hit(hit) for hit in record["hits"]}
    spans = [
        Span(hits[span["number"]], span["start"], span["end"], span["text"], span["passage_score"], span["span_score"])
        for span in record["spans"]
    ]
    fields = record["question"]
    question = Question(
        **{**fields, "answers": tuple(fields["answers"]), "document_ids": tuple(fields["document_ids"])}
    )
    counts = WordCounts(**record["asked"])
    return Case(question, spans, record["removed"], AskedQuestion(question.text, counts), record["set"])


def _hit(record: dict[str, Any]) -> Hit:
    passage, copies = Passage(**record["passage"]), tuple(Passage(**copy) for copy in record["copies"])
    names = tuple(record["column_names"])
    return Hit(**{**record, "passage": passage, "copies": copies, "column_names": names})


def load_cases(path: Path) -> Iterator[Case]:
    """The cases of a file, in order."""
    with path.open(encoding="utf-8") as file:
        yield from (from_record(json.loads(line)) for line in file)


def write_cases(path: Path, cases: Iterable[Case]) -> None:
    """Write cases to a file that is complete or not there at all."""
    half_done = path.with_name(path.name + ".new")
    with half_done.open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(to_record(case), ensure_ascii=False) + "\n" for case in cases)
    half_done.rename(path)
