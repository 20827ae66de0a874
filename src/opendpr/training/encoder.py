"""Training the two encoders from pairs of question and passage (paper section 3.2)."""

from __future__ import annotations

import logging
import math
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from opendpr.errors import InputError, StateError, UsageError
from opendpr.model.directory import EncoderConfig, Model, read_weights, write_model
from opendpr.model.encoder import EncoderInput
from opendpr.model.tokenizer import Tokenizer
from opendpr.model.torch import choose_device
from opendpr.storage.atomic import write_json
from opendpr.training import distributed
from opendpr.training.chunks import graph_budget_bytes
from opendpr.training.loop import OnStep, Step, Training, train
from opendpr.training.loss import likelihood_loss
from opendpr.training.pool import DevPool
from opendpr.training.settings import LoopSettings
from opendpr.training.sources import Pair, PairSource
from opendpr.training.towers import Towers, chunked
from opendpr.types import ExamplePassage

logger = logging.getLogger(__name__)

COSINE_SCALE = 20.0
"""Factor on the similarity of unit vectors in the loss; an inner product needs none."""
FEWEST_TOKENS = 8
"""Of a passage, so that beside its frame there is room for some of its title and of its text."""
Loss = Callable[[Tensor, Tensor, Tensor, Tensor, float], Tensor]
"""Of questions (Q, d), passages (n, d), positives (Q,), excluded (Q, n) and scale, as in `loss.py`."""


@dataclass(frozen=True)
class EncoderSettings(LoopSettings):
    """Settings of `opendpr train encoder`."""

    batch_size: int = 128
    """Questions in a step, over all processes: the paper's 128."""
    learning_rate: float = 2e-5
    hard_negatives: int = 1
    """Drawn for each question of those that its example has: the paper's best is 1."""
    untie: bool = False
    """Give questions and passages a tower each, as the paper does, where the base model has one for both."""
    scale: float = 0.0
    """Factor on the similarity in the loss; 0 takes the base model's, or 20 if that has unit vectors and none."""
    max_passage_tokens: int = 0
    """Where passages are cut while training; 0 takes the base model's."""
    memory_gib: float = 0.0
    """What the graphs of a step may take; the rest is computed twice. 0: a quarter of what is free, on a CPU 1 GiB at
    most."""

    def __post_init__(self) -> None:
        LoopSettings.__post_init__(self)
        for name in ("hard_negatives", "scale", "max_passage_tokens", "memory_gib"):
            if getattr(self, name) < 0:
                raise UsageError(f"{name} must be 0 or more, got {getattr(self, name)}")
        if 0 < self.max_passage_tokens < FEWEST_TOKENS:
            raise UsageError(f"max_passage_tokens must be 0, or {FEWEST_TOKENS} or more, got {self.max_passage_tokens}")
        if self.batch_size < 2 and not self.hard_negatives:
            raise UsageError("a batch of 1 without hard negatives has no negatives at all; take a larger batch_size")


class EncoderObjective:
    """The encoders' loss over batches of pairs: every passage of the batch is a negative of the other questions.

    Args:
        network: the towers
        source: of the pairs
        inputs: how texts become sequences
        settings: of the training
        scale: factor on the similarity
        pool: what to judge the towers by, if anything
        loss: what is minimised; the ablations try others
    """

    def __init__(
        self,
        network: Towers,
        source: PairSource,
        *,
        inputs: EncoderInput,
        settings: EncoderSettings,
        scale: float,
        pool: DevPool | None = None,
        loss: Loss = likelihood_loss,
    ) -> None:
        self.network = network
        self._source, self._inputs, self._settings, self._scale = source, inputs, settings, scale
        self._pool, self._loss = pool, loss
        self._device = next(network.parameters()).device
        self._budget = graph_budget_bytes(self._device, settings.memory_gib)

    def batches(self, epoch: int) -> Sequence[tuple[NDArray[np.int64], int]]:
        """The pairs of each batch, of nearly equal size, and what decides the rest that is random in it."""
        generator = np.random.default_rng((self._settings.seed, epoch))
        order = self._source.order(generator)
        count = max(1, math.ceil(len(order) / self._settings.batch_size))
        seeds = generator.integers(2**62, size=count).tolist()
        return list(zip(np.array_split(order, count), seeds, strict=True))

    def backward(self, batch: tuple[NDArray[np.int64], int], step: Step) -> float:
        """Add the gradient of the batch's loss; returns the loss."""
        numbers, seed = batch
        pairs = self._source.pairs(numbers, np.random.default_rng(seed))
        passages, positives, excluded = lay_out(pairs)
        if len(passages) < 2:
            raise InputError(
                f"a batch of {len(pairs)} questions has one passage only, so no negatives; give examples with hard "
                "negatives, or a larger batch_size with different passages"
            )
        encoding = chunked(self._device, self._inputs, self._budget, step)
        encoding.add(self.network.of("question"), self._inputs.questions([pair.question for pair in pairs]))
        encoding.add(self.network.of("passage"), self._inputs.passages(passages))
        vectors = encoding.vectors().requires_grad_()
        loss = self._loss(
            vectors[: len(pairs)],
            vectors[len(pairs) :],
            torch.from_numpy(positives).to(self._device),
            torch.from_numpy(excluded).to(self._device),
            self._scale,
        )
        loss.backward()  # type: ignore[no-untyped-call]
        assert vectors.grad is not None
        encoding.backward(vectors.grad)
        return loss.item()

    def validate(self) -> Mapping[str, float] | None:
        """Retrieval over the pool, if there is one."""
        return self._pool.judge(self.network, self._inputs, self._device) if self._pool else None


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
        known = (rows.get((passage.title, passage.text)) for passage in (pair.positive, *pair.others))
        right.setdefault(pair.question, set()).update(row for row in known if row is not None)
    excluded = np.zeros((len(pairs), len(passages)), dtype=np.bool_)
    for place, pair in enumerate(pairs):
        excluded[place, list(right[pair.question] - {int(positives[place])})] = True
    return passages, positives, excluded


def train_encoder(
    source: PairSource,
    base: Model,
    output: Path,
    settings: EncoderSettings,
    on_step: OnStep,
    *,
    data: object,
    pool: DevPool | None = None,
) -> tuple[Model, Training]:
    """Train towers from the weights of `base` and write a model with them and base's reader.

    Run again with the same arguments, it goes on where it was interrupted.

    Args:
        data: what the source was made of, for the record and to know an interrupted run again
        pool: what decides which weights are best; without it, the last are taken

    Raises:
        InputError: the source yields no usable batch.
        BusyError: another process trains there.
        StateError: `output` holds a model already, or a checkpoint of other settings, data or pool.
        UsageError: passages are to be longer than the base can read.
        OpendprError: a loss or a gradient is not finite.
    """
    if (output / "config.json").exists():
        raise StateError(f"{output} holds a model already; give another directory, or remove it first")
    config = _config(base.require_encoder(), settings)
    cut, most = settings.max_passage_tokens or config.max_passage_tokens, config.architecture.max_position_embeddings
    if cut > most:
        raise UsageError(f"max_passage_tokens is {cut}, but {base.name} reads {most} tokens at most")
    device = distributed.start(torch.device(choose_device(settings.device)))
    torch.manual_seed(settings.seed)
    network = Towers(config)
    network.load(base)
    network.to(device)
    inputs = EncoderInput(replace(config, max_passage_tokens=cut), Tokenizer(base.tokenizer_path))
    objective = EncoderObjective(network, source, inputs=inputs, settings=settings, scale=config.scale, pool=pool)
    checkpoints = output / "checkpoints"
    judged_by = pool.record() if pool else None
    origin = {"data": data, "base": base.fingerprint, "pool": judged_by}
    training = train(objective, settings, checkpoints, on_step, origin, output / "tensorboard")
    if distributed.rank() != 0:
        return base, training
    reader = (base.reader, read_weights(base.weights_path("reader"))) if base.reader else None
    model = write_model(
        output,
        name=output.name,
        tokenizer=base.tokenizer_path,
        encoder=(config, network.stored()),
        reader=reader,
        retrieval=base.retrieval,
    )
    tail = training.losses[-100:]
    record = {
        "part": "encoder",
        "base": base.name,
        "base_training": base.training_record(),
        "base_fingerprint": base.fingerprint,
        "data": data,
        "pool": judged_by,
        "torch": torch.__version__,
        "settings": {
            **asdict(settings),
            "precision": training.precision,
            "device": device.type,
            "scale": config.scale,
            "max_passage_tokens": cut,
        },
        "steps": len(training.losses),
        "best_step": training.best_step,
        "loss": sum(tail) / len(tail),
        "validations": training.validations,
    }
    write_json(output / "training.json", record)
    shutil.rmtree(checkpoints)
    return model, training


def _config(config: EncoderConfig, settings: EncoderSettings) -> EncoderConfig:
    """The base's, with what the settings change."""
    scale = settings.scale or config.scale
    if not settings.scale and config.similarity == "cosine" and config.scale == 1:
        scale = COSINE_SCALE
    return replace(config, scale=scale, tied=config.tied and not settings.untie)
