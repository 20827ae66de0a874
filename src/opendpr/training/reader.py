"""Training the extractive reader (paper section 6.1).

For a question, one passage with marked answers and m passages without: the loss is the negative
marginal log-likelihood of the answer spans in the positive passage plus the negative
log-likelihood of selecting it among the 1 + m.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from opendpr.errors import InputError, StateError, UsageError
from opendpr.formats import file_sha256
from opendpr.reader.windows import Window, windows
from opendpr.runtime.batches import TokenSequence, pad
from opendpr.runtime.model import Model, ReaderConfig, read_weights, write_json, write_model
from opendpr.runtime.tokenizer import Tokenizer, Tokens
from opendpr.runtime.torch import ReaderNetwork, load_weights, stored_name, stored_weights
from opendpr.training.examples import SpanExample, mine_negatives, read_span_examples
from opendpr.training.loop import OnStep, Step, train
from opendpr.training.settings import LoopSettings

logger = logging.getLogger(__name__)

BUCKET = 64
"""Batches that are filled together, sorted by length, so that rows of a batch need little padding."""


@dataclass(frozen=True)
class ReaderSettings(LoopSettings):
    """Settings of `opendpr train reader`."""

    negatives: int = 1
    """Passages without the answer beside each positive one; the paper samples 23 of the top 100."""

    negative_share: float = 0.25
    """Share of a step's questions that get negatives; the paper gives them to all."""

    def __post_init__(self) -> None:
        LoopSettings.__post_init__(self)
        if self.negatives < 0:
            raise UsageError(f"negatives must be 0 or more, got {self.negatives}")
        if not 0 <= self.negative_share <= 1:
            raise UsageError(f"negative_share must lie in [0, 1], got {self.negative_share}")


def train_reader(paths: Sequence[Path], base: Model, output: Path, settings: ReaderSettings, on_step: OnStep) -> Model:
    """Train a reader from the weights of `base` and write a model with base's encoder and that reader.

    Run again with the same arguments, it goes on where it was interrupted.

    Raises:
        InputError: the files hold no usable examples.
        StateError: `output` holds a model already, or a checkpoint of other settings.
    """
    if (output / "config.json").exists():
        raise StateError(f"{output} holds a model already; give another directory, or remove it first")
    encoder = base.require_encoder()
    config = base.reader or ReaderConfig(encoder.architecture)
    tokenizer = Tokenizer(base.tokenizer_path)
    torch.manual_seed(settings.seed)
    network = ReaderNetwork(config.architecture)
    _start_from(network, base)
    examples = read_span_examples(paths)
    objective = ReaderObjective(network, examples, tokenizer=tokenizer, config=config, settings=settings)
    checkpoints = output / "checkpoints"
    checkpoints.mkdir(parents=True, exist_ok=True)
    data = [{"file": path.name, "sha256": file_sha256(path)} for path in paths]
    origin = {"data": data, "base": base.fingerprint}
    losses = train(objective, settings, checkpoints, on_step, origin).losses
    paths_of_towers = {base.weights_path("question"), base.weights_path("passage")}
    weights = {path.parent.name: read_weights(path) for path in paths_of_towers}
    model = write_model(
        output,
        name=output.name,
        tokenizer=base.tokenizer_path,
        encoder=(encoder, weights),
        reader=(config, stored_weights(network)),
        retrieval=base.retrieval,
    )
    record = {
        "part": "reader",
        "base": base.name,
        "data": data,
        "examples": objective.count,
        "torch": torch.__version__,
    }
    final = sum(losses[-100:]) / len(losses[-100:])
    write_json(output / "training.json", {**record, "settings": asdict(settings), "steps": len(losses), "loss": final})
    shutil.rmtree(checkpoints)
    return model


def _start_from(network: ReaderNetwork, base: Model) -> None:
    """The base's reader if it has one, else its passage tower under fresh output layers."""
    weights = base.load_weights("reader" if base.reader else "passage")
    fresh = {stored_name(name): value.numpy() for name, value in network.state_dict().items()}
    load_weights(network, {**fresh, **weights})


class Row(NamedTuple):
    """One sequence of a step, with the token positions of its text and of its answer."""

    sequence: TokenSequence
    text: tuple[int, int]
    """First text token, and the one after the last."""
    answer: tuple[int, int]
    """First and last token; without meaning in a negative."""


class ReaderObjective:
    """The reader's loss over batches of span examples."""

    def __init__(
        self,
        network: nn.Module,
        examples: Sequence[SpanExample],
        *,
        tokenizer: Tokenizer,
        config: ReaderConfig,
        settings: ReaderSettings,
    ) -> None:
        self.network = network
        self._settings, self._config, self._tokenizer = settings, config, tokenizer
        self._negatives = mine_negatives(examples, settings.negatives, settings.seed)
        self._questions = tokenizer.ids([example.question for example in examples])
        self._titles = tokenizer.ids([example.title for example in examples])
        self._texts = tokenizer([example.passage for example in examples])
        self._places = [_token_span(t, e.start, e.end) for t, e in zip(self._texts, examples, strict=True)]
        self._usable = [i for i in range(len(examples)) if self._is_usable(i)]
        if not self._usable:
            raise InputError("none of the examples can be used: each needs an answer with a word, and other passages")
        if left_out := len(examples) - len(self._usable):
            logger.warning("left out %d examples: no whole answer in a window, or no passages without it", left_out)

    @property
    def count(self) -> int:
        """How many examples are used."""
        return len(self._usable)

    def batches(self, epoch: int) -> Sequence[NDArray[np.int64]]:
        """Examples in batches of similar length, in an order drawn from seed and epoch."""
        generator = np.random.default_rng((self._settings.seed, epoch))
        order, size = generator.permutation(self._usable), self._settings.batch_size
        batches = []
        for first in range(0, len(order), size * BUCKET):
            bucket = order[first : first + size * BUCKET]
            bucket = bucket[np.argsort([len(self._texts[i].ids) for i in bucket], kind="stable")]
            batches += [bucket[i : i + size] for i in range(0, len(bucket), size)]
        return [batches[i] for i in generator.permutation(len(batches))]

    def backward(self, batch: NDArray[np.int64], step: Step) -> float:
        """Add the gradient of the loss; returns the loss."""
        with step.autocast(next(self.network.parameters()).device):
            loss = self.loss(batch, step.dropout)
        loss.backward()  # type: ignore[no-untyped-call]
        return loss.item()

    def validate(self) -> None:
        """Nothing is kept apart to judge a reader by."""

    def loss(self, batch: NDArray[np.int64], dropout: float) -> Tensor:
        """Mean span loss of the batch, plus mean selection loss of the questions with negatives."""
        positives = [self._positive(i) for i in batch.tolist()]
        logits, text_mask = self._logits(positives, dropout)
        L = text_mask.shape[1]
        answers = torch.tensor([row.answer for row in positives], device=logits.device)
        loss = span_loss(logits[:, 1 : 1 + L], logits[:, 1 + L :], text_mask, answers)
        asked = round(len(batch) * self._settings.negative_share) if self._settings.negatives else 0
        if asked:
            negatives = [self._negative(i, j) for i in batch[:asked].tolist() for j in self._negatives[i]]
            others = self._logits(negatives, dropout)[0][:, 0].view(asked, -1)
            loss = loss + selection_loss(torch.cat([logits[:asked, :1], others], dim=1))
        return loss

    def _logits(self, rows: Sequence[Row], dropout: float) -> tuple[Tensor, Tensor]:
        """Logits (n, 1 + 2L) and text mask (n, L)."""
        device = next(self.network.parameters()).device
        batch = pad([row.sequence for row in rows], self._tokenizer.pad)
        text_mask = np.zeros(batch.ids.shape, dtype=bool)
        for place, row in enumerate(rows):
            text_mask[place, slice(*row.text)] = True
        ids, types, mask = (torch.from_numpy(array).long().to(device) for array in batch)
        return self.network(ids, types, mask, dropout), torch.from_numpy(text_mask).to(device)

    def _is_usable(self, i: int) -> bool:
        place = self._places[i]
        if place is None or len(self._negatives[i]) < self._settings.negatives:
            return False
        return max(_margin(window, place) for window in self._windows(i, i)) >= 0

    def _positive(self, i: int) -> Row:
        """The window in which the answer is whole and farthest from the edges."""
        place = self._places[i]
        assert place is not None
        first, last = place
        best = max(self._windows(i, i), key=lambda window: _margin(window, place))
        shift = best.position - best.first
        return Row(best.sequence, _text_of(best), (first + shift, last + shift))

    def _negative(self, i: int, j: int) -> Row:
        window = self._windows(i, j)[0]
        return Row(window.sequence, _text_of(window), (0, 0))

    def _windows(self, question: int, passage: int) -> list[Window]:
        return windows(
            self._questions[question], self._titles[passage], self._texts[passage], self._config, self._tokenizer
        )


def span_loss(start: Tensor, end: Tensor, text_mask: Tensor, answers: Tensor) -> Tensor:
    """Mean negative log-likelihood of the answers' first and last tokens (paper section 6.1).

    Args:
        start, end: (B, L) logits
        text_mask: (B, L), True where a token belongs to the passage's text
        answers: (B, 2) positions of first and last token
    """
    start = start.masked_fill(~text_mask, -torch.inf).log_softmax(1)
    end = end.masked_fill(~text_mask, -torch.inf).log_softmax(1)
    return -(start.gather(1, answers[:, :1]) + end.gather(1, answers[:, 1:])).mean()


def selection_loss(logits: Tensor) -> Tensor:
    """Mean negative log-likelihood of the first of (Q, 1 + m) passages."""
    return -logits.log_softmax(1)[:, 0].mean()


def _margin(window: Window, place: tuple[int, int]) -> int:
    """Tokens between an answer and the nearer edge of a window; negative if it is not whole in it."""
    return min(place[0] - window.first, window.first + window.length_tokens - 1 - place[1])


def _text_of(window: Window) -> tuple[int, int]:
    return window.position, window.position + window.length_tokens


def _token_span(text: Tokens, start: int, end: int) -> tuple[int, int] | None:
    """First and last token that overlap the characters [start, end), None if none does."""
    inside = np.flatnonzero((text.offsets[:, 1] > start) & (text.offsets[:, 0] < end))
    return (int(inside[0]), int(inside[-1])) if len(inside) else None
