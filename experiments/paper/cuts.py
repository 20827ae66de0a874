"""Where documents are cut, and what the reader sees beyond a passage's border: the paper's cut and ours.

Top-k accuracy by answer with BM25, and exact match of the reader, over a pool and over a folder of handbooks. Each way
is compared with the paper's: 100 words, and no words beyond. Natural paragraphs are what its footnote 3 compares with;
the Wikipedia of the pools has no breaks between them, so there only those of SQuAD and short articles are whole.

    python -m experiments.paper.cuts --half fit --limit 100
    python -m experiments.paper.cuts --half fit --limit 0  # no model is needed
    python -m experiments.paper.cuts --half report
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from experiments.common.accuracy import by_answer
from experiments.common.command import command_line, parse
from experiments.common.data import Record
from experiments.common.pools import build_words
from experiments.common.report import Report
from opendpr.answering.borders import with_borders
from opendpr.answering.decoder import Decoder
from opendpr.collection import Collection, open_collection
from opendpr.corpus import Corpus
from opendpr.evaluation import bootstrap, compare
from opendpr.iteration import batched
from opendpr.model.directory import find_model
from opendpr.model.reader import BertReader
from opendpr.model.runtime import RuntimeSettings
from opendpr.search.live import LiveSnapshot
from opendpr.search.retrievers import Bm25Retriever
from opendpr.text import exact_match
from opendpr.text.splitting import Splitter
from opendpr.types import Document, Hit

SPLITTERS = {
    "words": Splitter(),
    "paragraphs": Splitter(unit="paragraphs"),
    "structure": Splitter(unit="structure"),
}
DEPTHS = (1, 5, 20)
WAYS_TO_READ = (("words", 0), ("words", 30), ("paragraphs", 0), ("structure", 30))
"""Cut, and words that are read beyond a border. The first is the paper's."""
READ_QUESTIONS = 8
"""Questions read at once."""


def handbooks(args: argparse.Namespace) -> Path | None:
    """The folder of handbooks, unpacked once; None where the data has none."""
    packed: Path = args.data.folder / "dev" / "handbooks" / "handbooks.tar.xz"
    return Path(args.data.unpack_handbooks(args.work / "handbooks")) if packed.exists() else None


def asked_of_handbooks(args: argparse.Namespace) -> list[Record]:
    """The questions of a half that the handbooks answer."""
    return [record for record in args.data.questions("handbooks/questions", args.half) if record["answers"]]


def retrieve(collection: Collection, records: Sequence[Record]) -> list[list[Hit]]:
    """The passages that BM25 finds for each question."""
    return Bm25Retriever(LiveSnapshot(collection)).retrieve([record["question"] for record in records], max(DEPTHS))


def read(
    args: argparse.Namespace, collection: Collection, lists: Sequence[Sequence[Hit]], words: int
) -> NDArray[np.float64]:
    """(Q, 1): exact match of the best answer, with this many words beyond the borders."""
    model = find_model(args.model)
    model.reader = replace(model.require_reader(), border_words=words)
    reader, decoder = BertReader(model, RuntimeSettings(precision=args.precision)), Decoder.for_model(model, "bm25")
    records, right = args.asked, []
    for batch in batched(zip(records, lists, strict=False), READ_QUESTIONS):
        seen = with_borders(collection, [hits[: args.passages] for _, hits in batch], model)
        spans = reader.read([record["question"] for record, _ in batch], seen)
        for (record, _), own in zip(batch, spans, strict=True):
            answers = decoder.decode(own).answers
            right.append([float(exact_match(answers[0].text if answers else "", record["answers"]))])
    return np.array(right)


def measure(args: argparse.Namespace, report: Report, name: str, documents: Iterable[Document]) -> None:
    """Report both measures over one set of documents, and what each way has more than the paper's."""
    records, found, exact = args.asked, {}, {}
    for cut, splitter in SPLITTERS.items():
        with open_collection(build_words(args.work / f"cut-{name}-{cut}", documents, splitter)) as collection:
            hits = retrieve(collection, records)
            found[cut] = by_answer(hits, records)[:, [k - 1 for k in DEPTHS]].astype(np.float64)
            report.add(f"{name}/{cut}/passages", collection.count_passages())
            for way, words in WAYS_TO_READ if args.limit else ():
                if way == cut:
                    exact[f"{cut} + {words}"] = read(args, collection, hits[: args.limit], words)
    add_intervals(report, f"{name}/answer", found, [f"@{k}" for k in DEPTHS])
    if exact:
        add_intervals(report, f"{name}/EM", exact, [""])


def add_intervals(report: Report, name: str, tables: dict[str, NDArray[np.float64]], columns: Sequence[str]) -> None:
    """Report each way's figures, and what it has more than the first."""
    first = next(iter(tables))
    for way, table in tables.items():
        add_lines(report, name, way, columns, bootstrap(table))
        if way != first:
            add_lines(report, name, f"{way} - {first}", columns, compare(table, tables[first]))


def add_lines(
    report: Report, name: str, label: str, columns: Sequence[str], intervals: Sequence[tuple[float, ...]]
) -> None:
    """Report and print an interval for each column."""
    for column, interval in zip(columns, intervals, strict=True):
        report.add_interval(f"{name}{column}/{label}", interval)
        mean, low, high = (100 * value for value in interval[:3])
        print(f"{name}{column:4} {label:24} {mean:5.1f}  ({low:.1f} to {high:.1f})", flush=True)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = command_line(__doc__, pool="P25", half=True)
    parser.add_argument("--limit", type=int, default=200, help="questions of a set that are read for; 0 reads none")
    parser.add_argument("--passages", type=int, default=20, help="read for a question")
    args = parse(parser, arguments, limit=2, passages=2)
    report = Report(args, passages=args.passages)
    if folder := handbooks(args):
        args.asked = asked_of_handbooks(args)
        measure(args, report, "handbooks", Corpus([folder]))
    args.asked = args.data.questions("squad", args.half)
    measure(args, report, args.pool, list(args.data.pool(args.pool)))
    report.write()


if __name__ == "__main__":
    main()
