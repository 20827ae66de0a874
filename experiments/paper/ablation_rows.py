"""The rows of `ablations.py`: what each trains on, with which loss, and what its figures can show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Literal

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from opendpr.training.encoder import EncoderSettings, Loss
from opendpr.training.loss import distance_likelihood_loss, likelihood_loss, triplet_loss
from opendpr.training.sources import Pair, PairSource
from opendpr.types import ExamplePassage

SETTINGS = EncoderSettings(epochs=2.0, batch_size=128, learning_rate=5e-4, hard_negatives=0, dropout=0.1)
"""Of every row, save for what it is there to change."""
OWN = 3
"""Negatives of a question where it has its own."""
MARGIN = 0.2
"""Of the triplet loss: the paper's 1 is for inner products without bound, cosines differ by 2 at most."""


def within_groups(
    questions: Tensor, passages: Tensor, positives: Tensor, excluded: Tensor, scale: float, *, size: int
) -> Tensor:
    """The likelihood loss where negatives of a question are the positives of its group of the batch alone."""
    groups = torch.arange(len(questions), device=questions.device) // size
    same = (groups[:, None] == groups).float()  # (Q, Q)
    shared = same @ F.one_hot(positives, len(passages)).float() > 0  # (Q, n)
    return likelihood_loss(questions, passages, positives, excluded | ~shared, scale)


def own_negatives(
    questions: Tensor, passages: Tensor, positives: Tensor, excluded: Tensor, scale: float, *, count: int
) -> Tensor:
    """The likelihood loss where a question has `count` negatives of its own, and no others.

    They are the last rows of the passages, in the order of the questions, as `OwnNegatives` makes them.
    """
    first = len(passages) - count * len(questions)
    rows = torch.arange(first, len(passages), device=questions.device).view(len(questions), count)
    kept = torch.zeros_like(excluded).scatter(1, rows, True).scatter(1, positives[:, None], True)
    return likelihood_loss(questions, passages, positives, ~kept, scale)


def triplet(questions: Tensor, passages: Tensor, positives: Tensor, excluded: Tensor, scale: float) -> Tensor:
    """The triplet loss with our margin; it has no scale."""
    return triplet_loss(questions, passages, positives, excluded, MARGIN)


class OwnNegatives:
    """Pairs of a source with random passages of their own; none is twice in a batch.

    Args:
        source: of the pairs
        passages: to draw from, each text once
        count: of negatives for a question
    """

    def __init__(self, source: PairSource, passages: list[ExamplePassage], count: int) -> None:
        self._source, self._passages, self._count = source, passages, count

    def order(self, generator: np.random.Generator) -> NDArray[np.int64]:
        """The source's."""
        return self._source.order(generator)

    def pairs(self, numbers: NDArray[np.int64], generator: np.random.Generator) -> list[Pair]:
        """The source's, with their negatives."""
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
    shows: str
    """What can be read off its figures, and what cannot."""
    group: Literal["methods", "sizes", "transfer"] = "methods"
    """`transfer`: judged by answer on three sets of questions."""
    examples: Literal["gold", "distant", "nq", "cloze", "none"] = "gold"
    seeded: bool = True
    share: float = 1.0
    """Of the questions; epochs grow as it falls, so that all rows make as many steps."""
    own: int = 0
    """Random negatives that each question has for itself."""
    loss: Loss = likelihood_loss
    similarity: Literal["cosine", "dot", "distance"] = "cosine"
    settings: Mapping[str, Any] = field(default_factory=dict)


REFERENCES = (
    Row("bm25", "BM25", "Not trained. It alone reads titles.", examples="none", seeded=False),
    Row(
        "minilm",
        "all-MiniLM-L6-v2 as it is",
        "Six layers, trained on a billion pairs, SQuAD's training questions among them; not what the rows below are "
        "meant to reach.",
        examples="none",
        seeded=False,
    ),
    Row(
        "start",
        "the start, not trained",
        "What the kept weights give without any training.",
        examples="none",
    ),
)
BASE = Row(
    "in-batch-128",
    "in-batch negatives, batch of 128",
    "The paper's way; a row below differs from it in one thing, unless it says otherwise. So short a training is not "
    "at its end: rows are compared by how fast they learn.",
)
NEGATIVES = (
    Row(
        "in-batch-32",
        "in-batch, batch of 32",
        "31 negatives instead of 127, but four times as many steps at the same rate; the two are not told apart.",
        settings={"batch_size": 32},
    ),
    Row(
        f"groups-of-{OWN + 1}",
        f"in-batch, {OWN} negatives",
        f"A batch of 128 in groups of {OWN + 1}: as many steps as with 127 negatives, only their number differs.",
        loss=partial(within_groups, size=OWN + 1),
    ),
    Row(
        f"1-of-{OWN + 1}",
        f"1-of-{OWN + 1}, {OWN} random negatives",
        "Against the row above: as many negatives, but each question's own, drawn from the collection. A step encodes "
        f"{OWN + 1} times as many passages.",
        own=OWN,
        loss=partial(own_negatives, count=OWN),
    ),
    Row(
        "hard",
        "in-batch, batch of 128, + 1 BM25 negative",
        "What a hard negative adds; a step takes nearly twice as long. BM25 looks for it among 25,000 passages, in the "
        "paper among 21 million.",
        settings={"hard_negatives": 1},
    ),
)
OTHERS = (
    Row(
        "distant",
        "distant positives",
        "The best BM25 passage with the answer instead of the gold one, for the same questions. The gold passages are "
        "in the collection, as in the paper; in all of Wikipedia BM25 would find them less often. Questions that it "
        "finds no answer for are in no row.",
        examples="distant",
    ),
    Row(
        "triplet",
        "triplet loss",
        f"All negatives of the batch, margin {MARGIN}, which is not tuned: another could do better.",
        loss=triplet,
    ),
    Row(
        "dot",
        "inner product of vectors of any length",
        "The paper's similarity; the cosine has a factor of 20 in its loss, this has none, so how sharp the loss is at "
        "first follows from the length that vectors happen to start with.",
        similarity="dot",
    ),
    Row(
        "distance",
        "L2 distance of vectors of any length",
        "Trained and searched by distance; to be compared with the row above.",
        similarity="distance",
        loss=distance_likelihood_loss,
    ),
    Row(
        "untied",
        "two towers",
        "As in the paper, but both start from the same weights, and have a short training to part in.",
        settings={"untie": True},
    ),
    Row(
        "cloze",
        "inverse cloze task",
        "No questions, no labels: as many sentences that ask for their passages, out of the whole collection. It shows "
        "what a collection alone is good for, not how far many more pairs would get.",
        examples="cloze",
    ),
)
SIZES = tuple(
    Row(
        f"share-{parts}",
        f"1/{parts} of the questions",
        "Sample efficiency (the paper's Figure 1): fewer questions, each seen so much more often, in as many steps.",
        group="sizes",
        share=1 / parts,
    )
    for parts in (8, 4, 2)
)
TRANSFER = (
    *(replace(row, name=f"transfer-{row.name}", group="transfer") for row in (*REFERENCES, BASE)),
    Row(
        "transfer-nq",
        "trained on NQ's questions",
        "Distant positives out of the training collection, which holds few of NQ's answers.",
        group="transfer",
        examples="nq",
    ),
)
ROWS = (*REFERENCES, BASE, *NEGATIVES, *OTHERS, *SIZES, *TRANSFER)
