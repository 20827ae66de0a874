"""Judging encoders by retrieval while they are trained, as what counts is retrieval, not the loss."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from opendpr.collection import open_collection
from opendpr.errors import UsageError
from opendpr.model.encoder import EncoderInput
from opendpr.training.objective import Step
from opendpr.training.sources import Pair
from opendpr.training.towers import Towers, chunked
from opendpr.types import ExamplePassage, TrainingExample

POOL_PASSAGES = 10_000
"""Passages drawn from the collection that makes a pool larger."""


class DevPool:
    """Questions and the passages among which their positives are to be found.

    Args:
        questions: with their positives
        extra: passages that make the pool larger
    """

    def __init__(self, questions: Sequence[Pair], extra: Sequence[ExamplePassage] = ()) -> None:
        self._questions = [pair.question for pair in questions]
        rows: dict[tuple[str, str], int] = {}
        self._passages: list[ExamplePassage] = []
        for passage in [*(p for pair in questions for p in (pair.positive, *pair.others, *pair.negatives)), *extra]:
            if rows.setdefault((passage.title, passage.text), len(self._passages)) == len(self._passages):
                self._passages.append(passage)
        self._positives = [[rows[p.title, p.text] for p in (pair.positive, *pair.others)] for pair in questions]

    def record(self) -> dict[str, object]:
        """How many questions and passages there are, and the SHA-256 of all that decides a judgement."""
        passages = [(passage.title, passage.text) for passage in self._passages]
        whole = json.dumps([self._questions, passages, self._positives]).encode()
        return {
            "questions": len(self._questions),
            "passages": len(passages),
            "sha256": hashlib.sha256(whole).hexdigest(),
        }

    def judge(self, network: Towers, inputs: EncoderInput, device: torch.device) -> dict[str, float]:
        """Top-k accuracy and average rank, from 1, of the best positive of each question.

        Among equal scores the positives come last, so that vectors that are all the same, or no numbers, rank worst.
        """
        step = Step(seed=0, dropout=0.0, bf16=device.type == "cuda")
        encoding = chunked(device, inputs, 0, step)
        encoding.add(network.tower("question"), inputs.questions(self._questions))
        encoding.add(network.tower("passage"), inputs.passages(self._passages))
        vectors = encoding.vectors()
        scores = vectors[: len(self._questions)] @ vectors[len(self._questions) :].T
        ranks = torch.stack([_rank(row, rows) for row, rows in zip(scores, self._positives, strict=True)]).float()
        figures = {"reciprocal rank": (1 / ranks).mean().item(), "average rank": ranks.mean().item()}
        return figures | {f"top-{k}": 100 * (ranks <= k).float().mean().item() for k in (1, 5, 20)}


def dev_pool(examples: Sequence[TrainingExample] | None, collection: str | Path | None, seed: int) -> DevPool | None:
    """The pool of examples kept apart, with passages of a collection if one is given; None without examples.

    Raises:
        UsageError: a collection is given without examples.
    """
    if examples is None:
        if collection is not None:
            raise UsageError("a pool adds passages to those of the dev examples; give these too (--dev)")
        return None
    pairs = [
        Pair(example.question.text, example.positives[0], example.hard_negatives, example.positives[1:])
        for example in examples
    ]
    return DevPool(pairs, drawn_passages(Path(collection), seed) if collection else ())


def drawn_passages(directory: Path, seed: int, count: int = POOL_PASSAGES) -> list[ExamplePassage]:
    """Passages of a collection, drawn at random: every passage has the same chance."""
    generator = random.Random(seed)
    drawn: list[ExamplePassage] = []
    with open_collection(directory) as collection:
        for place, passage in enumerate(collection.passages_after(0)):
            at = place if place < count else generator.randrange(place + 1)
            if at < count:
                drawn[at : at + 1] = [ExamplePassage(passage.title, passage.text)]
    return drawn


def _rank(scores: Tensor, positives: Sequence[int]) -> Tensor:
    """1 and how many of the other passages do not score less than the best positive; scores are (n,)."""
    above = ~(scores < scores[positives].max())
    return 1 + above.sum() - above[positives].sum()
