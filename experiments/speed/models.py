"""How fast imported models are beside sentence-transformers: passages, questions and pairs, model by model.

In rounds, one system after the other on the same texts, so that a noisy machine hits both; the ratio is taken round by
round, and its median is quoted, with the median of the texts a second of each. Both have their defaults, threads
included, after one round that is not counted. Importing a
model is timed too, and the largest difference of any number of the same texts is reported, in millionths.

    python -m experiments.speed.models all-mpnet-base-v2 bge-small-en ms-marco-MiniLM-L-12-v2
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path
from statistics import median

from experiments.common.command import Missing, command_line, parse, require
from experiments.common.report import Report
from experiments.common.tiny import write_tiny_sentence_transformer
from opendpr.model.directory import Model
from opendpr.model.encoder import BertEncoder
from opendpr.model.foreign import import_model
from opendpr.model.foreign.checking import compare as compare_numbers
from opendpr.model.reranker import CrossEncoder
from opendpr.model.runtime import RuntimeSettings
from opendpr.types import Passage

Task = Callable[[], object]


def seconds_of(task: Task) -> float:
    """Time of one call."""
    started = time.perf_counter()
    task()
    return time.perf_counter() - started


def compare(report: Report, name: str, ours: Task, theirs: Task, args: argparse.Namespace) -> None:
    """Report how many texts each encodes in a second, and how many times as fast we are."""
    ours(), theirs()
    texts, rounds = len(args.texts[0]), [(seconds_of(ours), seconds_of(theirs)) for _ in range(args.rounds)]
    ratio = report.add_spread(name, [peer / own for own, peer in rounds])
    for system, seconds in zip(("opendpr", "peer"), zip(*rounds, strict=True), strict=True):
        report.add(f"{name}/{system}", texts / median(seconds), "/s")
    rates = " and ".join(f"{report.value(f'{name}/{system}'):.1f}/s" for system in ("opendpr", "peer"))
    print(f"{name:44} {rates}: {ratio[0]:.2f} times ({ratio[1]:.2f} to {ratio[2]:.2f})", flush=True)


def measure_encoder(args: argparse.Namespace, report: Report, model: Model, source: Path) -> None:
    """Questions and passages of an encoder."""
    from experiments.peers.sentence_transformers import load_encoder

    ours, theirs = BertEncoder(model, RuntimeSettings(precision=args.precision)), load_encoder(source)
    questions, passages = args.texts
    texts = [passage.text for passage in passages]
    name = source.name
    compare(
        report,
        f"{name}/questions",
        lambda: ours.encode_questions(questions),
        lambda: theirs.encode_query(questions, show_progress_bar=False),
        args,
    )
    compare(
        report,
        f"{name}/passages",
        lambda: ours.encode_passages(passages),
        lambda: theirs.encode_document(texts, show_progress_bar=False),
        args,
    )


def measure_cross_encoder(args: argparse.Namespace, report: Report, model: Model, source: Path) -> None:
    """Pairs of one question with each passage."""
    from experiments.peers.sentence_transformers import load_cross_encoder

    ours, theirs = CrossEncoder(model, RuntimeSettings(precision=args.precision)), load_cross_encoder(source)
    questions, passages = args.texts
    pairs = [(questions[0], passage.text) for passage in passages]
    compare(
        report,
        f"{source.name}/pairs",
        lambda: ours.score(questions[0], passages),
        lambda: theirs.predict(pairs, show_progress_bar=False),
        args,
    )


def measure(args: argparse.Namespace, report: Report) -> None:
    """Each model: its import, then its speed."""
    for source in args.sources:
        with tempfile.TemporaryDirectory() as folder:
            started = time.perf_counter()
            imported = import_model({"": source}, Path(folder) / "model")
            report.add(f"{source.name}/import", time.perf_counter() - started, "s")
            numbers = [value for value in compare_numbers(imported, {"": source}).values() if isinstance(value, float)]
            report.add(f"{source.name}/difference", 1e6 * max(numbers))
            model = imported.model
            (measure_cross_encoder if model.reranker else measure_encoder)(args, report, model, source)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = command_line(__doc__, pool="P25")
    parser.add_argument("sources", type=Path, nargs="*", help="directories of the models")
    parser.add_argument("--passages", type=int, default=256, help="and as many questions")
    parser.add_argument("--rounds", type=int, default=5)
    args = parse(parser, arguments, passages=4, rounds=1)
    require("sentence_transformers", "sentence-transformers==6.2.0")
    if args.smoke:
        args.sources = [write_tiny_sentence_transformer(args.work, args.model)]
    if not args.sources:
        raise Missing("no models were named; models/published.py writes two")
    passages = [
        Passage(passage.number, "", "", passage.text, 0)
        for passage in islice(args.data.pool_passages(args.pool, args.passages), args.passages)
    ]
    records = args.data.questions("squad", "report")
    args.texts = [record["question"] for record in records][: args.passages], passages
    report = Report(args, passages=len(passages))
    measure(args, report)
    report.write()


if __name__ == "__main__":
    main()
