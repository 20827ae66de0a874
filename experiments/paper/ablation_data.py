"""What `ablations.py` trains on and is judged by."""

from __future__ import annotations

import random
from collections.abc import Callable, Container, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from experiments.common.accuracy import ACCURACY_KS, first_right, percents
from experiments.common.data import Data
from experiments.common.mining import mined, open_training_collection, paragraphs
from opendpr.collection import Collection, open_collection
from opendpr.model.directory import Model
from opendpr.model.encoder import BertEncoder
from opendpr.model.runtime import RuntimeSettings
from opendpr.search.exact import ExactIndex
from opendpr.search.live import LiveSnapshot
from opendpr.search.retrievers import Bm25Retriever
from opendpr.text import AnswerMatcher
from opendpr.types import ExamplePassage, Question, TrainingExample

ORDER_SEED = 0
"""Seed of the order of the questions: with fewer of them, the first are taken."""
TRANSFER_QUESTIONS = 500
"""Questions of each set that transfer between data sets is judged by."""
HARD_NEGATIVES = 4
"""BM25 negatives of a question in the rows about a teacher: more take longer than two cores have time for."""
Search = Callable[[Sequence[str]], list[list[int]]]
"""From questions to the numbers of passages, best first."""


class TrainingData(NamedTuple):
    """What rows train on; the examples are of the same questions, in the same order."""

    collection: Collection
    gold: list[TrainingExample]
    distant: list[TrainingExample]
    nq: list[TrainingExample]
    """Natural Questions, distantly supervised; empty unless a row trains on them."""
    trivia: list[TrainingExample]
    """The same of TriviaQA."""
    hard: list[TrainingExample]
    """The gold ones with `HARD_NEGATIVES` BM25 negatives each; empty unless a row trains on them."""

    @property
    def multi(self) -> list[TrainingExample]:
        """As many of SQuAD's, gold, and of the other two sets', distantly supervised: of each the first third."""
        least = min(len(self.gold) // 3, len(self.nq), len(self.trivia))
        return [*self.gold[:least], *self.nq[:least], *self.trivia[:least]]

    @property
    def same_share(self) -> float:
        """How often distant supervision finds the gold passage."""
        pairs = zip(self.gold, self.distant, strict=True)
        return float(np.mean([gold.positives[0].text == other.positives[0].text for gold, other in pairs]))

    def texts(self) -> list[ExamplePassage]:
        """Every text of the collection once."""
        return [ExamplePassage("", text) for text in {p.text: None for p in self.collection.passages_after(0)}]


def prepare(data: Data, work: Path, count: int, *, needed: Container[str]) -> TrainingData:
    """Collections and examples; what is there is taken as it is.

    Args:
        needed: examples that a row trains on; those that take long are made if they are named
    """
    collection, (_, questions) = open_training_collection(data, work), paragraphs(data)
    gold = mined(work / "gold.jsonl", collection, questions)
    unlabelled = (Question(question.id, question.text, question.answers) for question in questions)
    distant = mined(work / "distant.jsonl", collection, unlabelled)
    ids = sorted(gold.keys() & distant.keys())
    random.Random(ORDER_SEED).shuffle(ids)
    chosen = ids[:count]
    further = {
        name: [*mined(work / f"{name}.jsonl", collection, data.answers_only(name)).values()][:count]
        for name in ("nq", "trivia")
        if name in needed or "multi" in needed
    }
    hard: dict[str, TrainingExample] = {}
    if "hard" in needed:
        ids_chosen = set(chosen)
        own = [question for question in questions if question.id in ids_chosen]
        hard = mined(work / f"gold-{count}-{HARD_NEGATIVES}.jsonl", collection, own, HARD_NEGATIVES)
    return TrainingData(
        collection,
        [gold[id] for id in chosen],
        [distant[id] for id in chosen],
        further.get("nq", []),
        further.get("trivia", []),
        [hard[id] for id in chosen if hard],
    )


class Pool:
    """Passages to search and questions to search them for.

    Args:
        directory: the pool's collection
        half: half of `dev/squad.jsonl`
    """

    def __init__(self, data: Data, directory: Path, half: str) -> None:
        self._data, self._collection = data, open_collection(directory)
        self._passages = {passage.number: passage for passage in self._collection.passages_after(0)}
        self._half, self._records = half, data.questions("squad", half)

    def __len__(self) -> int:
        return len(self._passages)

    @property
    def questions(self) -> int:
        """Questions of the half."""
        return len(self._records)

    def bm25(self) -> Search:
        """Search by BM25, in titles too."""
        retriever = Bm25Retriever(LiveSnapshot(self._collection))
        return lambda questions: [
            [hit.passage.number for hit in hits] for hits in retriever.retrieve(questions, max(ACCURACY_KS))
        ]

    def dense(self, model: Model, device: str, *, by_distance: bool = False) -> Search:
        """Search by inner product, or by Euclidean distance: the inner product less half the passage's square."""
        settings = RuntimeSettings("torch", device="cuda") if device == "cuda" else RuntimeSettings()
        encoder = BertEncoder(model, settings)
        vectors = encoder.encode_passages(list(self._passages.values()))
        if by_distance:
            vectors = np.hstack([vectors, -(vectors**2).sum(1, keepdims=True) / 2])
        index = ExactIndex(np.array(list(self._passages), dtype=np.int64), vectors)  # type: ignore[arg-type]  # fp32: no rounding

        def search(questions: Sequence[str]) -> list[list[int]]:
            rows = encoder.encode_questions(questions)
            if by_distance:
                rows = np.hstack([rows, np.ones((len(rows), 1), np.float32)])
            return [numbers[numbers >= 0].tolist() for numbers in index.search(rows, max(ACCURACY_KS)).numbers]

        return search

    def by_gold(self, search: Search) -> dict[str, list[float]]:
        """Top-k accuracy in per cent by gold paragraph, for each of `ACCURACY_KS`."""
        lists = search([record["question"] for record in self._records])
        right = [
            [self._passages[number].document_id == record["document_id"] for number in numbers]
            for numbers, record in zip(lists, self._records, strict=True)
        ]
        return {"squad": percents(first_right(right))}

    def by_answer(self, search: Search) -> dict[str, list[float]]:
        """Top-k accuracy in per cent by answer, for five sets."""
        judged = {"squad": self._records, **{name: self._data.questions(name, self._half) for name in ("nq", "trivia")}}
        sets = {
            name: [Question(r["id"], r["question"], tuple(r["answers"])) for r in records]
            for name, records in judged.items()
        }
        more = {"webquestions": "webquestions", "trec": "curatedtrec"}
        sets |= {name: self._data.answers_only(file) for name, file in more.items()}
        figures = {}
        for name, labelled in sets.items():
            questions = random.Random(ORDER_SEED).sample(labelled, min(TRANSFER_QUESTIONS, len(labelled)))
            rows = []
            for question, numbers in zip(questions, search([q.text for q in questions]), strict=True):
                matcher = AnswerMatcher(question.answers, question.match)
                rows.append([matcher(self._passages[number].text) for number in numbers])
            figures[name] = percents(first_right(rows))
        return figures
