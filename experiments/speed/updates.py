"""BM25 after updates beside BM25 of a collection built at once: the overlap of their first 20 passages.

tantivy counts words of removed passages in its statistics until the segment that holds them is merged. Dense
search does not know such a difference. Documents are the first of P25, questions those asked of their paragraphs.

    python -m experiments.speed.updates --documents 2000 --share 0.3
"""

from __future__ import annotations

import json
import random
import shutil
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np

from experiments.common.data import arguments, pool, questions
from experiments.common.machine import describe
from experiments.common.synthetic import GivenVectors
from opendpr.collection import open_collection, open_writer
from opendpr.iteration import batched
from opendpr.maintenance.add import add, remove
from opendpr.model.directory import find_model
from opendpr.search.retrievers import Bm25Retriever, Snapshot
from opendpr.types import Document

SEED = 0
K = 20
STEPS = 30
"""Commands that the updates are spread over."""


def update(directory: Path, documents: dict[str, Document], texts: list[Document], encoder: GivenVectors) -> None:
    """Each of `texts` takes a document's place, or a document is removed; `documents` becomes what is left."""
    generator = random.Random(SEED)
    chosen = generator.sample(sorted(documents), len(texts))
    for step in batched(list(zip(chosen, texts, strict=True)), -(-len(texts) // STEPS)):
        gone = [id for id, _ in step if generator.random() < 0.5]
        changed = [replace(other, id=id) for id, other in step if id not in gone]
        for id in gone:
            del documents[id]
        documents.update((document.id, document) for document in changed)
        with open_writer(directory) as writer:
            remove(writer, gone)
            add(writer, changed, encoder)


def found(directory: Path, asked: list[str]) -> list[list[tuple[str, int]]]:
    """The first passages of each question, by document and start."""
    with open_collection(directory) as collection:
        lists = Bm25Retriever(Snapshot(collection)).retrieve(asked, K)
    return [[(hit.passage.document_id, hit.passage.start) for hit in hits] for hits in lists]


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--documents", type=int, default=2_000)
    parser.add_argument("--share", type=float, default=0.3, help="of the documents that are replaced or removed")
    args = parser.parse_args()
    folder = args.work / "updates"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    encoder, changes = GivenVectors(find_model(args.model), SEED), round(args.share * args.documents)
    given = list(islice(pool("P150"), args.documents + changes))
    documents = {document.id: document for document in given[: args.documents]}
    with open_writer(folder / "updated") as writer:
        add(writer, list(documents.values()), encoder)
    update(folder / "updated", documents, given[args.documents :], encoder)
    with open_writer(folder / "built") as writer:
        add(writer, list(documents.values()), encoder)
    asked = [record["question"] for record in questions("squad", "fit")]
    pairs = list(zip(found(folder / "updated", asked), found(folder / "built", asked), strict=True))
    overlap = np.array([len({*ours} & {*theirs}) / len(theirs) for ours, theirs in pairs if theirs])
    assert all(id in documents for ours, _ in pairs for id, _ in ours), "a removed passage was found"
    print(json.dumps({"machine": describe(), "documents": args.documents, "share": args.share, "seed": SEED}))
    print(f"{len(overlap):,} questions, the first {K} passages: overlap {100 * overlap.mean():.2f} %")
    print(f"the same {K}: {100 * np.mean(overlap == 1):.1f} %; the least overlap {100 * overlap.min():.0f} %")
    print(f"the same first passage: {100 * np.mean([ours[:1] == theirs[:1] for ours, theirs in pairs]):.1f} %")
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()
