"""The encoders' loss over batches of pairs, with every passage of a batch a negative of the other questions."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from opendpr.errors import InputError
from opendpr.model.encoder import EncoderInput
from opendpr.training.chunks import graph_budget_bytes
from opendpr.training.losses import likelihood_loss, teacher_loss
from opendpr.training.objective import Step
from opendpr.training.pool import DevPool
from opendpr.training.settings import EncoderSettings
from opendpr.training.sources import Pair, PairSource
from opendpr.training.teaching import score_table
from opendpr.training.towers import Towers, chunked
from opendpr.types import ExamplePassage
from opendpr.wording import counted

logger = logging.getLogger(__name__)


class Loss(Protocol):
    """What encoders can be trained with: `losses.py` has the paper's."""

    def __call__(
        self, questions: Tensor, passages: Tensor, positives: Tensor, *, excluded: Tensor, scale: float
    ) -> Tensor:
        """The loss of questions (Q, d) over passages (n, d), with positives (Q,) and excluded (Q, n)."""
        ...


class EncoderObjective:
    """Negative log-likelihood of each question's positive among the passages of its batch (paper section 3.2).

    With a teacher, the mean of that and of `teacher_loss`, weighted by `teacher_share`.

    Args:
        network: the towers
        source: where pairs come from, with a teacher's scores if the settings name one
        inputs: how texts become sequences; its configuration has the factor on the similarity
        settings: the training's
        pool: what to judge the towers by, if anything
        loss: what is minimised; the ablations try others

    Raises:
        InputError: no batch of an epoch has a negative for any of its questions.
    """

    def __init__(
        self,
        network: Towers,
        source: PairSource,
        *,
        inputs: EncoderInput,
        settings: EncoderSettings,
        pool: DevPool | None = None,
        loss: Loss = likelihood_loss,
    ) -> None:
        self.network = network
        self._source, self._inputs, self._settings = source, inputs, settings
        self._pool, self._loss = pool, loss
        self._device = next(network.parameters()).device
        self._budget = graph_budget_bytes(self._device, settings.memory_gib)
        self._encoded_passages, self._cut_passages = 0, 0
        if not any(teaches(lay_out(self._pairs(batch))[2]) for batch in self.batches(0)):
            raise InputError(
                "no batch has a negative for any of its questions, so there is nothing to learn; give examples with "
                "hard negatives, or a larger batch_size with different passages"
            )

    def batches(self, epoch: int) -> Sequence[tuple[NDArray[np.int64], int]]:
        """The pairs of each batch, of nearly equal size, and what decides the rest that is random in it."""
        return epoch_batches(self._source, self._settings, epoch)

    def backward(self, batch: tuple[NDArray[np.int64], int], step: Step) -> float | None:
        """Add the gradient of the batch's loss; returns the loss, or None where no question has a negative."""
        pairs = self._pairs(batch)
        passages, positives, excluded = lay_out(pairs)
        if not teaches(excluded):
            return None
        self._encoded_passages += len(passages)
        encoding = chunked(self._device, self._inputs, self._budget, step)
        encoding.add(self.network.tower("question"), self._inputs.questions([pair.question for pair in pairs]))
        sequences = self._inputs.passages(passages)
        encoding.add(self.network.tower("passage"), sequences)
        self._cut_passages += sum(sequence.truncated for sequence in sequences)
        vectors = encoding.vectors().requires_grad_()
        loss = self._loss(
            vectors[: len(pairs)],
            vectors[len(pairs) :],
            torch.from_numpy(positives).to(self._device),
            excluded=torch.from_numpy(excluded).to(self._device),
            scale=self._inputs.config.scale,
        )
        if self._settings.is_taught:
            share = self._settings.teacher_share
            loss = (1 - share) * loss + share * self._taught(pairs, passages, vectors)
        loss.backward()  # type: ignore[no-untyped-call]
        assert vectors.grad is not None
        encoding.backward(vectors.grad)
        return loss.item()

    def _taught(self, pairs: Sequence[Pair], passages: Sequence[ExamplePassage], vectors: Tensor) -> Tensor:
        """How far the encoders are from the teacher."""
        candidates, logits = own_candidates(pairs, passages)
        return teacher_loss(
            vectors[: len(pairs)],
            vectors[len(pairs) :],
            torch.from_numpy(candidates).to(self._device),
            teacher=torch.from_numpy(logits).to(self._device) / self._settings.teacher_temperature,
            scale=self._inputs.config.scale,
        )

    def _pairs(self, batch: tuple[NDArray[np.int64], int]) -> list[Pair]:
        numbers, seed = batch
        return self._source.pairs(numbers, np.random.default_rng(seed))

    def record(self) -> Mapping[str, object]:
        """Passages encoded by this run, each as often as it was in a batch, and how many of them were cut."""
        encoded, cut, limit = self._encoded_passages, self._cut_passages, self._inputs.config.max_passage_tokens
        if cut:
            logger.warning(
                "%d of %s encoded by this run were longer than %d tokens; what follows was not seen",
                *(cut, counted(encoded, "passage"), limit),
            )
        return {"passages": {"encoded": encoded, "cut": cut}}

    def validate(self) -> Mapping[str, float] | None:
        """Retrieval over the pool, if there is one."""
        return self._pool.judge(self.network, self._inputs, self._device) if self._pool else None


def epoch_batches(source: PairSource, settings: EncoderSettings, epoch: int) -> list[tuple[NDArray[np.int64], int]]:
    """The pairs of each batch of an epoch, of nearly equal size, and what decides the rest that is random in it."""
    generator = np.random.default_rng((settings.seed, epoch))
    order = source.order(generator)
    count = max(1, math.ceil(len(order) / settings.batch_size))
    seeds = generator.integers(2**62, size=count).tolist()
    return list(zip(np.array_split(order, count), seeds, strict=True))


def lay_out(pairs: Sequence[Pair]) -> tuple[list[ExamplePassage], NDArray[np.int64], NDArray[np.bool_]]:
    """The passages of a batch, each text once; the row of each question's positive; what is no negative of it.

    Positives come first, then hard negatives. A passage that two questions share is one row: the
    positive of both, not a negative of either. What answers a question is no negative of the same
    question elsewhere in the batch.

    Returns:
        passages (n), positives (Q,), excluded (Q, n)
    """
    rows: dict[tuple[str, str], int] = {}
    passages: list[ExamplePassage] = []

    def row(passage: ExamplePassage) -> int:
        key = (passage.title, passage.text)
        if key not in rows:
            rows[key] = len(passages)
            passages.append(passage)
        return rows[key]

    positives = np.array([row(pair.positive) for pair in pairs], dtype=np.int64)
    for pair in pairs:
        for passage in pair.negatives:
            row(passage)
    right: dict[str, set[int]] = {}
    for pair in pairs:
        places = (rows.get((passage.title, passage.text)) for passage in (pair.positive, *pair.others))
        right.setdefault(pair.question, set()).update(place for place in places if place is not None)
    excluded = np.zeros((len(pairs), len(passages)), dtype=np.bool_)
    for place, pair in enumerate(pairs):
        excluded[place, list(right[pair.question] - {int(positives[place])})] = True
    return passages, positives, excluded


def teaches(excluded: NDArray[np.bool_]) -> bool:
    """Whether any question of a batch has a negative: a passage that is neither excluded nor its positive."""
    return bool(((~excluded).sum(1) > 1).any())


def own_candidates(
    pairs: Sequence[Pair], passages: Sequence[ExamplePassage]
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """The rows of each question's positive and hard negatives, and a teacher's logits of them, as `score_table` has it.

    Returns:
        rows (Q, c), logits (Q, c)
    """
    places = {(passage.title, passage.text): row for row, passage in enumerate(passages)}
    logits = score_table([pair.scores for pair in pairs])
    rows = np.zeros(logits.shape, dtype=np.int64)
    for row, pair in zip(rows, pairs, strict=True):
        row[: 1 + len(pair.negatives)] = [places[p.title, p.text] for p in (pair.positive, *pair.negatives)]
    return rows, logits
