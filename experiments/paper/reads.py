"""What was read for questions, saved as JSON lines: read once, fit often.

A line holds the question with its set, the passages with their scores, and the spans of each:

    {"set", "style", "question": {...}, "removed", "hits": [{"passage": {...}, "score", "parts"}],
     "spans": [{"number", "start", "end", "text", "passage_score", "span_score"}],
     "asked": {"passages", "frequencies"}}

    python -m experiments.paper.reads COLLECTION OUTPUT --model MODEL --questions FILE...
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from opendpr.collection import open_collection
from opendpr.fitting.answering import make_retrievers
from opendpr.fitting.cases import Case, read_cases
from opendpr.fitting.settings import AnsweringSettings
from opendpr.interop import read_questions
from opendpr.iteration import batched
from opendpr.model.directory import find_model
from opendpr.model.encoder import BertEncoder
from opendpr.model.reader import BertReader
from opendpr.model.runtime import RuntimeSettings, resolved
from opendpr.search.live import LiveSnapshot
from opendpr.types import Hit, Passage, Question, Span

QUESTIONS_AT_ONCE = 32


class Read(NamedTuple):
    """What was read for one question of a set."""

    set: str
    style: str
    case: Case


def to_record(read: Read) -> dict[str, Any]:
    """A read as the JSON object that `from_record` takes; passages without a span are left out."""
    hits = {span.hit.passage.number: span.hit for span in read.case.spans}
    spans = [
        {"number": span.hit.passage.number}
        | {name: getattr(span, name) for name in ("start", "end", "text", "passage_score", "span_score")}
        for span in read.case.spans
    ]
    return {
        "set": read.set,
        "style": read.style,
        "question": asdict(read.case.question),
        "removed": read.case.removed,
        "hits": [_hit_record(hit) for hit in hits.values()],
        "spans": spans,
    }


def _hit_record(hit: Hit) -> dict[str, Any]:
    return {"passage": asdict(hit.passage), "score": hit.score, "parts": dict(hit.parts)}


def from_record(record: dict[str, Any]) -> Read:
    """The read of a JSON object."""
    hits = {
        hit["passage"]["number"]: Hit(Passage(**hit["passage"]), hit["score"], hit["parts"]) for hit in record["hits"]
    }
    spans = [
        Span(hits[span["number"]], span["start"], span["end"], span["text"], span["passage_score"], span["span_score"])
        for span in record["spans"]
    ]
    asked = record["question"]
    question = Question(
        **{**asked, "answers": tuple(asked["answers"]), "document_ids": tuple(asked.get("document_ids", ()))}
    )
    return Read(record["set"], record.get("style") or "", Case(question, spans, record["removed"]))


def load_reads(paths: Iterable[Path]) -> Iterator[Read]:
    """The reads of several files, in order."""
    for path in paths:
        with path.open(encoding="utf-8") as file:
            yield from (from_record(json.loads(line)) for line in file)


def write_reads(path: Path, reads: Iterable[Read]) -> int:
    """Write reads, each as soon as it is there; returns how many."""
    with path.open("w", encoding="utf-8") as file:
        return sum(bool(file.write(json.dumps(to_record(read), ensure_ascii=False) + "\n")) for read in reads)


def read_sets(args: argparse.Namespace) -> Iterator[Read]:
    """Retrieve and read for the questions of each file, some at a time."""
    model, runtime = find_model(args.model), resolved(RuntimeSettings())
    reader, encoder = BertReader(model, runtime), BertEncoder(model, runtime)
    settings = AnsweringSettings(k=args.k, retrievers=("hybrid",), removed_share=args.removed_share)
    with open_collection(args.collection) as collection:
        retrievers = make_retrievers(LiveSnapshot(collection), encoder, settings.retrievers, model.hybrid_weight)
        for path in args.questions:
            for batch in batched(islice(read_questions(path), args.limit), QUESTIONS_AT_ONCE):
                for case in read_cases(batch, retrievers, reader, settings)["hybrid"]:
                    yield Read(path.stem, "", case)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("collection", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("--model", required=True)
    parser.add_argument("--questions", type=Path, nargs="+", required=True)
    parser.add_argument("--limit", type=int, help="questions of each file; all without")
    parser.add_argument("--removed-share", type=float, default=0.25)
    parser.add_argument("-k", type=int, default=20)
    args = parser.parse_args(arguments)
    print(f"{write_reads(args.output, read_sets(args))} reads written to {args.output}")


if __name__ == "__main__":
    main()
