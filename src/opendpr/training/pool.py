"""Judging encoders by retrieval while they are trained, as what counts is retrieval, not the loss."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence

import torch
from torch import Tensor

from opendpr.model.encoder import EncoderInput
from opendpr.training.loop import Step
from opendpr.training.sources import Pair
from opendpr.training.towers import Towers, chunked
from opendpr.types import ExamplePassage


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
        encoding.add(network.of("question"), inputs.questions(self._questions))
        encoding.add(network.of("passage"), inputs.passages(self._passages))
        vectors = encoding.vectors()
        scores = vectors[: len(self._questions)] @ vectors[len(self._questions) :].T
        ranks = torch.stack([_rank(row, rows) for row, rows in zip(scores, self._positives, strict=True)]).float()
        figures = {"reciprocal rank": (1 / ranks).mean().item(), "average rank": ranks.mean().item()}
        return figures | {f"top-{k}": 100 * (ranks <= k).float().mean().item() for k in (1, 5, 20)}


def _rank(scores: Tensor, positives: Sequence[int]) -> Tensor:
    """1 and how many of the other passages do not score less than the best positive; scores are (n,)."""
    above = ~(scores < scores[positives].max())
    return 1 + above.sum() - above[positives].sum()
