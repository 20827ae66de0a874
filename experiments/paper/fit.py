"""Fit what answers are chosen by, and how sure they are, on the fit halves of the development questions.

Questions about Wikipedia over a pool, and questions about the handbooks over their folder, some without an answer; a
quarter of those with answers once more without any passage that holds one. In the fit of the confidence two thirds
count as answerable. What was read is kept in the folder of the work, so that a second fit reads nothing.

    python -m experiments.paper.fit --model MODEL --output DIRECTORY
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from experiments.common.command import command_line, make_encoder, parse
from experiments.common.data import Record
from experiments.common.pools import fill_pool
from experiments.common.reads import load_cases, write_cases
from experiments.common.report import Report
from experiments.paper.handbooks import fill_collection
from opendpr.answering.asked_question import asked_question
from opendpr.answering.borders import BorderReader
from opendpr.collection import open_collection
from opendpr.fitting.answering import fit_cases, make_retrievers
from opendpr.fitting.cases import Case, read_cases
from opendpr.fitting.fitted import write_fitted
from opendpr.fitting.hybrid import fit_lambda
from opendpr.fitting.settings import AnsweringSettings
from opendpr.model.directory import DEFAULT_MODEL
from opendpr.model.encoder import BertEncoder
from opendpr.model.reader import BertReader
from opendpr.search.live import LiveSnapshot
from opendpr.types import Question

QUESTION_SETS = ("squad", "nq", "trivia")
HANDBOOKS_SET = "handbooks"


class Reading:
    """Reads for questions over a collection, once.

    Args:
        folder: where what was read is kept
    """

    def __init__(self, encoder: BertEncoder, settings: AnsweringSettings, folder: Path) -> None:
        self.encoder, self.settings, self.folder = encoder, settings, folder
        folder.mkdir(parents=True, exist_ok=True)

    def cases(self, directory: Path, name: str, questions: Sequence[Question], weight: float) -> dict[str, list[Case]]:
        """By retriever what was read for a set; hybrid retrieval with this lambda."""
        files = {kind: self.folder / f"{name}-{kind}.jsonl" for kind in self.settings.retrievers}
        if not all(file.exists() for file in files.values()):
            print(f"reading for {len(questions)} questions of {name}", flush=True)
            for kind, read in self._read(directory, questions, weight).items():
                write_cases(files[kind], (case._replace(set=name) for case in read))
        return {kind: list(load_cases(file)) for kind, file in files.items()}

    def _read(self, directory: Path, questions: Sequence[Question], weight: float) -> dict[str, list[Case]]:
        reader = BertReader(self.encoder.model, self.encoder.runtime)
        with open_collection(directory) as collection:
            live = LiveSnapshot(collection)
            retrievers = make_retrievers(live, self.encoder, self.settings.retrievers, weight)
            ask = partial(asked_question, live=live)
            bordered = BorderReader(collection, reader)
            return read_cases(questions, retrievers, bordered, settings=self.settings, ask=ask)


def question_of(record: Record) -> Question:
    """A development question as fitting takes it."""
    gold = record.get("document_ids") or [record[key] for key in ("document_id",) if record.get(key)]
    return Question(record["id"], record["question"], tuple(record["answers"]), document_ids=tuple(gold))


def read_sets(args: argparse.Namespace) -> dict[str, list[Question]]:
    """The questions of each set, spread over its fit half."""
    sets = {name: args.data.questions(name, "fit") for name in QUESTION_SETS}
    sampled = {name: records[:: max(1, len(records) // args.limit)][: args.limit] for name, records in sets.items()}
    return {name: [*map(question_of, records)] for name, records in sampled.items()}


def reads_folder(args: argparse.Namespace, encoder: BertEncoder, settings: AnsweringSettings) -> Path:
    """Where what was read is kept: a folder for each way of asking, which scripts that ask in the same way share."""
    way = f"{args.limit}-{settings.k}-{settings.removed_share:g}"
    return Path(args.work) / f"reads-{encoder.model.name}-{way}"


def lambda_over(directory: Path, encoder: BertEncoder, sets: Mapping[str, Sequence[Question]]) -> float:
    """Fit the paper's lambda on those questions of the sets that have answers."""
    answerable = [question for questions in sets.values() for question in questions if question.answers]
    with open_collection(directory) as collection:
        weight, ranks = fit_lambda(LiveSnapshot(collection), encoder, answerable)
    print("reciprocal rank by lambda", {f"{key:g}": round(rank, 4) for key, rank in ranks.items()})
    return weight


def main(arguments: Sequence[str] | None = None) -> None:
    parser = command_line(__doc__, pool="P25")
    parser.add_argument("--output", type=Path, help="directory of the fitted model; by default in the folder of --work")
    parser.add_argument("--limit", type=int, default=150, help="questions of each set")
    parser.add_argument("--weight", type=float, help="lambda that is kept; fitted over the pool without")
    parser.add_argument("--retrievers", nargs="+", default=["hybrid", "dense", "bm25"])
    parser.add_argument("--least-precision", type=float, default=0.6)
    parser.add_argument("-k", type=int, default=20, help="passages read for a question")
    tiny = {"model": DEFAULT_MODEL, "limit": 20, "k": 1, "retrievers": ["hybrid"], "least_precision": 0.0}
    args = parse(parser, arguments, **tiny)  # a random reader gives no right answer to fit to
    encoder = make_encoder(args)
    settings = AnsweringSettings(args.k, args.retrievers, args.least_precision)
    report = Report(args, retrievers=args.retrievers, least_precision=args.least_precision)
    pool, sets = fill_pool(args, encoder), read_sets(args)
    retrieval = {"lambda": args.weight or lambda_over(pool, encoder, sets)}
    reading = Reading(encoder, settings, reads_folder(args, encoder, settings))
    cases: dict[str, list[Case]] = {kind: [] for kind in settings.retrievers}
    handbooks = [*map(question_of, args.data.handbooks("fit"))]
    books = fill_collection(args, encoder.model.fingerprint)
    for directory, name, questions in (*((pool, *item) for item in sets.items()), (books, HANDBOOKS_SET, handbooks)):
        for kind, read in reading.cases(directory, name, questions, retrieval["lambda"]).items():
            cases[kind] += read
    fitted = fit_cases(cases, settings, retrieval)
    record = {
        "command": "experiments.paper.fit",
        "pool": args.pool,
        "limit": args.limit,
        "sets": [*sets, HANDBOOKS_SET],
    }
    write_fitted(encoder.model, args.output or args.work / "fitted", fitted, record)
    print(json.dumps(fitted.figures.as_json(), indent=1))
    for name, value in fitted.retrieval.items():
        report.add(name, value)
    report.write()


if __name__ == "__main__":
    main()
