"""BM25 after updates beside BM25 of a collection built at once: the overlap of their first 20 passages.

tantivy counts words of removed passages in its statistics until the segment that holds them is merged. Dense
search has no such difference. Documents are the first of P25, questions those asked of their paragraphs.

    python -m experiments.paper.updates --documents 2000 --share 0.3
"""

from __future__ import annotations

import argparse
import random
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np

from experiments.common.command import command_line, parse
from experiments.common.report import Report
from experiments.common.synthetic import given_encoder
from opendpr.collection import open_collection, open_writer
from opendpr.iteration import batched
from opendpr.maintenance.add import add_documents
from opendpr.maintenance.optimize import optimize
from opendpr.maintenance.remove import remove
from opendpr.model.directory import find_model
from opendpr.model.encoder import BertEncoder
from opendpr.search.live import LiveSnapshot
from opendpr.search.retrievers import Bm25Retriever
from opendpr.types import Document

SEED = 0
K = 20
UPDATE_COMMANDS = 30
"""Commands that the updates are spread over."""
Place = tuple[str, int]
"""A passage by document and start."""


def update(directory: Path, documents: dict[str, Document], texts: list[Document], encoder: BertEncoder) -> None:
    """For each of `texts` a document is replaced by it or removed; `documents` becomes what is left."""
    generator = random.Random(SEED)
    chosen = generator.sample(sorted(documents), len(texts))
    for step in batched(list(zip(chosen, texts, strict=True)), -(-len(texts) // UPDATE_COMMANDS)):
        gone = [id for id, _ in step if generator.random() < 0.5]
        changed = [replace(other, id=id) for id, other in step if id not in gone]
        for id in gone:
            del documents[id]
        documents.update((document.id, document) for document in changed)
        with open_writer(directory) as writer:
            remove(writer, gone)
            add_documents(writer, changed, encoder)


def first_places(directory: Path, questions: Sequence[str]) -> list[list[Place]]:
    """Retrieve the first passages of each question, as document and offset."""
    with open_collection(directory) as collection:
        lists = Bm25Retriever(LiveSnapshot(collection)).retrieve(questions, K)
    return [[(hit.passage.document_id, hit.passage.start) for hit in hits] for hits in lists]


def build(args: argparse.Namespace, folder: Path) -> tuple[Path, Path, set[str]]:
    """Make a collection by updates and another at once; return both, with the ids of the documents that they hold."""
    encoder, changes = given_encoder(find_model(args.model), SEED), round(args.share * args.documents)
    pool = list(islice(args.data.pool("P150"), args.documents + changes))
    documents = {document.id: document for document in pool[: args.documents]}
    updated, built = folder / "updated", folder / "built"
    with open_writer(updated) as writer:
        add_documents(writer, list(documents.values()), encoder)
    update(updated, documents, pool[args.documents :], encoder)
    with open_writer(built) as writer:
        add_documents(writer, list(documents.values()), encoder)
    return updated, built, set(documents)


def compare(ours: Sequence[Sequence[Place]], theirs: Sequence[Sequence[Place]]) -> Iterator[tuple[str, float]]:
    """Name and value, in per cent, of how far two retrievals agree."""
    pairs = list(zip(ours, theirs, strict=True))
    overlap = np.array([len({*a} & {*b}) / len(b) for a, b in pairs if b])
    yield "overlap", 100 * float(overlap.mean())
    yield "same passages", 100 * float(np.mean(overlap == 1))
    yield "smallest overlap", 100 * float(overlap.min())
    yield "same first passage", 100 * float(np.mean([a[:1] == b[:1] for a, b in pairs]))


def main(arguments: Sequence[str] | None = None) -> None:
    parser = command_line(__doc__, precision=None)
    parser.add_argument("--documents", type=int, default=2_000)
    parser.add_argument("--share", type=float, default=0.3, help="of the documents that are replaced or removed")
    args = parse(parser, arguments, documents=40)
    folder = args.work / "updates"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    updated, built, ids = build(args, folder)
    questions = [record["question"] for record in args.data.questions("squad", "fit")]
    report, theirs = Report(args, seed=SEED), first_places(built, questions)
    for when in ("updated", "optimized"):
        ours = first_places(updated, questions)
        assert all(id in ids for places in ours for id, _ in places), "a removed passage was found"
        for name, value in compare(ours, theirs):
            report.add(f"{when}/{name}", value, "%")
            print(f"{when:10} {name:20} {value:.2f} %")
        with open_writer(updated) as writer:
            optimize(writer)
    report.write()
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()
