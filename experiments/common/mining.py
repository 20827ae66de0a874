"""Training questions with gold and with mined passages, out of `train/squad_reader.jsonl`.

The training collection holds the passages of these paragraphs, one a document, and passages of Wikipedia that the
pool P25 does not have, up to its size. Training paragraphs have no titles, so no title is stored with any passage.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

from experiments.common.data import GOLD_SET_PREFIXES, POOLS, Data
from experiments.common.pools import build_words
from opendpr.collection import Collection, open_collection
from opendpr.interop import read_examples, write_examples
from opendpr.search.live import LiveSnapshot
from opendpr.search.retrievers import Bm25Retriever
from opendpr.text.splitting import Splitter
from opendpr.training.miner import Miner, MiningSettings
from opendpr.types import Document, Question, TrainingExample

_SPACE_BEFORE = re.compile(r" (?=[,.;:!?%)\]]|'s\b|n't\b)")
_SPACE_AFTER = re.compile(r"(?<=[(\[$]) ")


def plain(text: str) -> str:
    """The words of the Penn Treebank with the spaces that people write."""
    return _SPACE_AFTER.sub("", _SPACE_BEFORE.sub("", text))


def paragraphs(data: Data) -> tuple[list[Document], list[Question]]:
    """The passages of the training paragraphs, and the questions whose answer occurs in one at its place."""
    splitter, documents, questions = Splitter(), {}, []
    numbers: dict[str, int] = {}
    with (data.folder / "train" / "squad_reader.jsonl").open(encoding="utf-8") as file:
        records = [record for record in map(json.loads, file) if record["level"].startswith("paragraph")]
    for record in records:
        text, answer = plain(record["passage"]), plain(record["answer_text"])
        number = numbers.setdefault(text, len(numbers))
        until = len(plain(record["passage"][: record["answer_start"] + len(record["answer_text"])]))
        for start, end in splitter.split(text):
            id = f"train-{number}-{start}"
            documents[id] = Document(id, "", text[start:end])
            if start <= until - len(answer) and until <= end and text[:until].endswith(answer):
                questions.append(Question(record["id"], plain(record["question"]), (answer,), document_ids=(id,)))
    return list(documents.values()), questions


def open_training_collection(data: Data, work: Path) -> Collection:
    """The collection that examples are mined in, made once."""
    documents, _ = paragraphs(data)
    in_pool = {document.id for document in data.pool("P25")}
    others = islice(_others(data, in_pool), max(0, POOLS["P25"] - len(documents)))
    return open_collection(build_words(work / "training", [*documents, *others]))


def _others(data: Data, without: set[str]) -> Iterator[Document]:
    """Passages of Wikipedia, one a document: of no gold paragraph, and of no document in `without`."""
    splitter = Splitter()
    for record in data.wikipedia():
        if not record["id"].startswith(GOLD_SET_PREFIXES) and record["id"] not in without:
            for start, end in splitter.split(record["text"]):
                yield Document(f"{record['id']}-{start}", "", record["text"][start:end])


def mined(
    path: Path, collection: Collection, questions: Iterable[Question], negatives: int = 1
) -> dict[str, TrainingExample]:
    """Examples by question, made once: the positive, and the best BM25 passages without an answer."""
    if not path.exists():
        retriever = Bm25Retriever(LiveSnapshot(collection))
        miner = Miner(collection, retriever, {"bm25": retriever}, settings=MiningSettings(negatives=negatives))
        half_done = path.with_name("new-" + path.name)
        write_examples(half_done, miner.examples(questions), "jsonl")
        half_done.rename(path)
    return {example.question.id: example for example in read_examples(path)}


def training_examples(data: Data, work: Path) -> Path:
    """A file of SQuAD's training questions with their gold passages and a BM25 negative each."""
    path = work / "gold.jsonl"
    if not path.exists():
        with open_training_collection(data, work) as collection:
            mined(path, collection, paragraphs(data)[1])
    return path
