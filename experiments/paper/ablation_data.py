"""What `ablations.py` trains on and is judged by.

Questions and their paragraphs come from `train/squad_reader.jsonl`. The training collection holds the
passages of these paragraphs, one a document, and passages of Wikipedia that the pool does not have, up
to the size of P25. Training paragraphs have no titles, so no title is stored with any passage of it.
"""

from __future__ import annotations

import gzip
import json
import random
import re
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import numpy as np

from experiments.common.data import DATA, GOLD, POOLS, pool, questions, wikipedia
from experiments.paper.retrieval import KS, ranks
from opendpr.collection import Collection, open_collection, open_writer
from opendpr.interop import read_examples, write_examples
from opendpr.iteration import batched
from opendpr.model.directory import Model
from opendpr.model.encoder import BertEncoder
from opendpr.model.runtime import RuntimeSettings
from opendpr.search.bm25 import update_bm25
from opendpr.search.exact import ExactIndex
from opendpr.search.retrievers import Bm25Retriever, Snapshot
from opendpr.text import AnswerMatcher
from opendpr.text.splitting import Splitter
from opendpr.training.mining import Miner, MiningSettings
from opendpr.types import Document, ExamplePassage, Question, TrainingExample

SEED = 0
"""Of the order of the questions: with fewer of them, the first are taken."""
ASKED = 500
"""Questions of each set that transfer between data sets is judged by."""
Search = Callable[[Sequence[str]], list[list[int]]]
"""From questions to the numbers of passages, best first."""
_SPACE_BEFORE = re.compile(r" (?=[,.;:!?%)\]]|'s\b|n't\b)")
_SPACE_AFTER = re.compile(r"(?<=[(\[$]) ")


class Data(NamedTuple):
    """What rows train on; the examples are of the same questions, in the same order."""

    collection: Collection
    gold: list[TrainingExample]
    distant: list[TrainingExample]
    nq: list[TrainingExample]
    """Of Natural Questions, distantly supervised; empty unless asked for."""

    @property
    def same_share(self) -> float:
        """How often distant supervision finds the gold passage."""
        pairs = zip(self.gold, self.distant, strict=True)
        return float(np.mean([gold.positives[0].text == other.positives[0].text for gold, other in pairs]))

    def texts(self) -> list[ExamplePassage]:
        """Every text of the collection once."""
        return [ExamplePassage("", text) for text in {p.text: None for p in self.collection.passages_after(0)}]


def plain(text: str) -> str:
    """The words of the Penn Treebank with the spaces that people write."""
    return _SPACE_AFTER.sub("", _SPACE_BEFORE.sub("", text))


def paragraphs() -> tuple[list[Document], list[Question]]:
    """The passages of the training paragraphs, and the questions whose answer stands in one at its place."""
    splitter, documents, asked = Splitter(), {}, []
    numbers: dict[str, int] = {}
    with (DATA / "train" / "squad_reader.jsonl").open(encoding="utf-8") as file:
        records = [r for r in map(json.loads, file) if r["level"].startswith("paragraph")]
    for record in records:
        text, answer = plain(record["passage"]), plain(record["answer_text"])
        number = numbers.setdefault(text, len(numbers))
        until = len(plain(record["passage"][: record["answer_start"] + len(record["answer_text"])]))
        for start, end in splitter.split(text):
            id = f"train-{number}-{start}"
            documents[id] = Document(id, "", text[start:end])
            if start <= until - len(answer) and until <= end and text[:until].endswith(answer):
                asked.append(Question(record["id"], plain(record["question"]), (answer,), document_ids=(id,)))
    return list(documents.values()), asked


def others(without: set[str]) -> Iterator[Document]:
    """Passages of Wikipedia, one a document: of no gold paragraph, and of no document in `without`."""
    splitter = Splitter()
    for record in wikipedia():
        if not record["id"].startswith(GOLD) and record["id"] not in without:
            for start, end in splitter.split(record["text"]):
                yield Document(f"{record['id']}-{start}", "", record["text"][start:end])


def build(directory: Path, documents: Iterable[Document]) -> Path:
    """A collection without vectors, complete or not there at all."""
    half_done = directory.with_name(directory.name + ".new")
    shutil.rmtree(half_done, ignore_errors=True)
    with open_writer(half_done) as writer:
        for some in batched(documents, 1_000):
            writer.put_documents(some)
        update_bm25(writer)
    return half_done.rename(directory)


def build_pool(work: Path, name: str) -> Path:
    """The pool as a collection."""
    directory = work / f"pool-{name}"
    return directory if directory.exists() else build(directory, pool(name))


def build_training(work: Path) -> Path:
    """The collection that examples are mined in."""
    directory = work / "training"
    if directory.exists():
        return directory
    documents, _ = paragraphs()
    in_pool = {document.id for document in pool("P25")}
    return build(directory, [*documents, *islice(others(in_pool), POOLS["P25"] - len(documents))])


def mined(path: Path, collection: Collection, asked: Iterable[Question]) -> dict[str, TrainingExample]:
    """Examples by question, made once: the positive, and the best BM25 passage without an answer."""
    if not path.exists():
        retriever = Bm25Retriever(Snapshot(collection))
        miner = Miner(collection, retriever, {"bm25": retriever}, MiningSettings(negatives=1))
        half_done = path.with_name("new-" + path.name)
        write_examples(half_done, miner.examples(asked), "jsonl")
        half_done.rename(path)
    return {example.question.id: example for example in read_examples(path)}


def prepare(work: Path, count: int, *, nq: bool) -> Data:
    """Collections and examples; what is there is taken as it is."""
    work.mkdir(parents=True, exist_ok=True)
    collection = open_collection(build_training(work))
    _, asked = paragraphs()
    gold = mined(work / "gold.jsonl", collection, asked)
    unlabelled = (Question(question.id, question.text, question.answers) for question in asked)
    distant = mined(work / "distant.jsonl", collection, unlabelled)
    ids = sorted(gold.keys() & distant.keys())
    random.Random(SEED).shuffle(ids)
    further = mined(work / "nq.jsonl", collection, answers_only("nq")) if nq else {}
    chosen = ids[:count]
    return Data(
        collection,
        [gold[id] for id in chosen],
        [distant[id] for id in chosen],
        list(further.values())[:count],
    )


def answers_only(name: str) -> list[Question]:
    """The questions of a training set that has answers but no passages."""
    with gzip.open(DATA / "train" / f"{name}_answers_only.jsonl.gz", "rt", encoding="utf-8") as file:
        records = [json.loads(line) for line in file]
    return [
        Question(r["id"], r["question"], tuple(r["answers"]), "regex" if r.get("answers_are_regex") else "string")
        for r in records
    ]


class Pool:
    """Passages to search and questions to search them for.

    Args:
        directory: of the pool's collection
        half: of `dev/squad.jsonl`
    """

    def __init__(self, directory: Path, half: str) -> None:
        self._collection = open_collection(directory)
        self._passages = {passage.number: passage for passage in self._collection.passages_after(0)}
        self._records = questions("squad", half)

    def __len__(self) -> int:
        return len(self._passages)

    def asked(self) -> int:
        """Questions of the half."""
        return len(self._records)

    def bm25(self) -> Search:
        """Search by BM25, in titles too."""
        retriever = Bm25Retriever(Snapshot(self._collection))
        return lambda asked: [[hit.passage.number for hit in hits] for hits in retriever.retrieve(asked, max(KS))]

    def dense(self, model: Model, device: str, *, by_distance: bool = False) -> Search:
        """Search by inner product, or by Euclidean distance: the inner product less half the passage's square."""
        settings = RuntimeSettings("torch", device="cuda") if device == "cuda" else RuntimeSettings()
        encoder = BertEncoder(model, settings)
        vectors = encoder.encode_passages(list(self._passages.values()))
        if by_distance:
            vectors = np.hstack([vectors, -(vectors**2).sum(1, keepdims=True) / 2])
        index = ExactIndex(np.array(list(self._passages), dtype=np.int64), vectors)

        def search(asked: Sequence[str]) -> list[list[int]]:
            wanted = encoder.encode_questions(asked)
            if by_distance:
                wanted = np.hstack([wanted, np.ones((len(wanted), 1), np.float32)])
            return [of[of >= 0].tolist() for of in index.search(wanted, max(KS)).numbers]

        return search

    def gold(self, search: Search) -> dict[str, list[float]]:
        """Top-k accuracy in per cent by gold paragraph, for each of `KS`."""
        lists = search([record["question"] for record in self._records])
        pairs = zip(lists, self._records, strict=True)
        found = ranks([[self._passages[n].document_id == r["document_id"] for n in of] for of, r in pairs])
        return {"squad": _percent(found)}

    def answered(self, search: Search) -> dict[str, list[float]]:
        """Top-k accuracy in per cent by answer, for three sets."""
        squad = [Question(r["id"], r["question"], tuple(r["answers"])) for r in self._records]
        sets = {"squad": squad, "webquestions": answers_only("webquestions"), "trec": answers_only("curatedtrec")}
        figures = {}
        for name, known in sets.items():
            asked = random.Random(SEED).sample(known, min(ASKED, len(known)))
            rows = []
            for question, numbers in zip(asked, search([question.text for question in asked]), strict=True):
                matcher = AnswerMatcher(question.answers, question.match)
                rows.append([matcher(self._passages[number].text) for number in numbers])
            figures[name] = _percent(ranks(rows))
        return figures


def _percent(found: np.ndarray) -> list[float]:
    return [round(100 * float(found[:, k - 1].mean()), 2) for k in KS]
