"""The rows of `ablations.py`: what each trains on, and with which loss. docs/results.md says what each can show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import count
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from experiments.paper.ablation_data import HARD_NEGATIVES
from experiments.paper.ablation_losses import (
    distance_likelihood_loss,
    distance_triplet_loss,
    own_negatives,
    triplet_loss,
    within_groups,
)
from opendpr.training.encoder_objective import Loss
from opendpr.training.losses import likelihood_loss
from opendpr.training.settings import EncoderSettings
from opendpr.training.sources import Pair, PairSource
from opendpr.types import ExamplePassage

BASE_SETTINGS = EncoderSettings(epochs=2.0, batch_size=128, learning_rate=5e-4, hard_negatives=0, dropout=0.1)
"""What every row trains with, save for what it is there to change."""
OWN_NEGATIVES = 3
"""Negatives of a question where it has its own."""


class OwnHardNegatives:
    """Pairs of a source whose hard negatives are each a row of the batch, also where two questions have the same.

    Rows are told apart by title and text, and these networks see no titles.
    """

    def __init__(self, source: PairSource) -> None:
        self._source = source

    def order(self, generator: np.random.Generator) -> NDArray[np.int64]:
        """The order of the source."""
        return self._source.order(generator)

    def pairs(self, numbers: NDArray[np.int64], generator: np.random.Generator) -> list[Pair]:
        """The pairs of the source, with numbers as titles of their negatives."""
        rows = count()
        return [
            pair._replace(negatives=[replace(passage, title=f"negative {next(rows)}") for passage in pair.negatives])
            for pair in self._source.pairs(numbers, generator)
        ]


class OwnNegatives:
    """Pairs of a source with random passages of their own; none is twice in a batch.

    Args:
        source: where the pairs come from
        passages: what negatives are drawn from, each text once
        count: negatives of a question
    """

    def __init__(self, source: PairSource, passages: list[ExamplePassage], count: int) -> None:
        self._source, self._passages, self._count = source, passages, count

    def order(self, generator: np.random.Generator) -> NDArray[np.int64]:
        """The order of the source."""
        return self._source.order(generator)

    def pairs(self, numbers: NDArray[np.int64], generator: np.random.Generator) -> list[Pair]:
        """The pairs of the source, with their negatives."""
        pairs = self._source.pairs(numbers, generator)
        taken = {pair.positive.text for pair in pairs}
        drawn = generator.choice(len(self._passages), self._count * len(pairs) + len(taken), replace=False).tolist()
        free = iter([self._passages[place] for place in drawn if self._passages[place].text not in taken])
        return [pair._replace(negatives=[next(free) for _ in range(self._count)]) for pair in pairs]


@dataclass(frozen=True)
class Row:
    """A line of the table."""

    name: str
    title: str
    group: Literal["methods", "sizes", "transfer", "teacher"] = "methods"
    """`transfer`: judged by answer on five sets of questions."""
    examples: Literal["gold", "distant", "nq", "trivia", "multi", "hard", "cloze", "none"] = "gold"
    seeded: bool = True
    share: float = 1.0
    """Share of the questions."""
    own: int = 0
    """Negatives that each question has for itself."""
    own_kind: Literal["random", "gold", "bm25"] = "random"
    """Any passages, passages that answer other questions, or the best of BM25 without an answer."""
    loss: Loss = likelihood_loss
    similarity: Literal["cosine", "dot", "distance"] = "cosine"
    settings: Mapping[str, Any] = field(default_factory=dict)


REFERENCE_ROWS = (
    Row("bm25", "BM25", examples="none", seeded=False),
    Row("minilm", "all-MiniLM-L6-v2 as it is", examples="none", seeded=False),
    Row("start", "the start, not trained", examples="none"),
)
BASE_ROW = Row("in-batch-128", "in-batch negatives, batch of 128")
NEGATIVES_ROWS = (
    Row("in-batch-32", "in-batch, batch of 32", settings={"batch_size": 32}),
    Row(
        f"groups-of-{OWN_NEGATIVES + 1}",
        f"in-batch, {OWN_NEGATIVES} negatives",
        loss=partial(within_groups, size=OWN_NEGATIVES + 1),
    ),
    Row(
        f"1-of-{OWN_NEGATIVES + 1}",
        f"1-of-{OWN_NEGATIVES + 1}, {OWN_NEGATIVES} random negatives",
        own=OWN_NEGATIVES,
        loss=partial(own_negatives, count=OWN_NEGATIVES),
    ),
    Row(
        f"1-of-{OWN_NEGATIVES + 1}-hard",
        f"1-of-{OWN_NEGATIVES + 1}, {OWN_NEGATIVES} BM25 negatives",
        examples="hard",
        own=OWN_NEGATIVES,
        own_kind="bm25",
        loss=partial(own_negatives, count=OWN_NEGATIVES),
    ),
    Row(
        f"1-of-{OWN_NEGATIVES + 1}-gold",
        f"1-of-{OWN_NEGATIVES + 1}, {OWN_NEGATIVES} gold passages of other questions",
        own=OWN_NEGATIVES,
        own_kind="gold",
        loss=partial(own_negatives, count=OWN_NEGATIVES),
    ),
    Row("hard", "in-batch, batch of 128, + 1 BM25 negative", settings={"hard_negatives": 1}),
    Row("hard-32", "in-batch, batch of 32, + 1 BM25 negative", settings={"batch_size": 32, "hard_negatives": 1}),
    Row(
        "hard-32-2",
        "in-batch, batch of 32, + 2 BM25 negatives",
        examples="hard",
        settings={"batch_size": 32, "hard_negatives": 2},
    ),
)
OTHER_ROWS = (
    Row("distant", "distant positives", examples="distant"),
    Row("triplet", "triplet loss", loss=triplet_loss),
    Row("dot", "inner product of vectors of any length", similarity="dot"),
    Row("distance", "L2 distance of vectors of any length", similarity="distance", loss=distance_likelihood_loss),
    Row("distance-triplet", "L2 distance, triplet loss", similarity="distance", loss=distance_triplet_loss),
    Row("untied", "two towers", settings={"untie": True}),
    Row("cloze", "inverse cloze task", examples="cloze"),
)
SIZE_ROWS = tuple(
    Row(f"share-{parts}", f"1/{parts} of the questions", group="sizes", share=1 / parts) for parts in (8, 4, 2)
)
TRANSFER_ROWS = (
    *(replace(row, name=f"transfer-{row.name}", group="transfer") for row in (*REFERENCE_ROWS, BASE_ROW)),
    Row("transfer-nq", "trained on NQ's questions", group="transfer", examples="nq"),
    Row("transfer-trivia", "trained on TriviaQA's questions", group="transfer", examples="trivia"),
    Row("transfer-multi", "trained on all three sets", group="transfer", examples="multi"),
)
TEACHER = "opendpr-minilm"
"""Its reader was trained on these questions too, so it knows which passage is right better than it would of others."""
TEACHER_ROWS = (
    Row(
        f"hard-{HARD_NEGATIVES}",
        f"in-batch, batch of 128, + {HARD_NEGATIVES} BM25 negatives",
        group="teacher",
        examples="hard",
        settings={"hard_negatives": HARD_NEGATIVES},
    ),
    Row(
        "teacher",
        f"in-batch, batch of 128, + {HARD_NEGATIVES} BM25 negatives, with a teacher",
        group="teacher",
        examples="hard",
        settings={"hard_negatives": HARD_NEGATIVES, "teacher": TEACHER},
    ),
)
ABLATION_ROWS = (*REFERENCE_ROWS, BASE_ROW, *NEGATIVES_ROWS, *OTHER_ROWS, *SIZE_ROWS, *TRANSFER_ROWS, *TEACHER_ROWS)
