"""The reader's loss over batches of examples, in chunks that fit memory and on any number of processes."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from opendpr.errors import InputError
from opendpr.iteration import batched
from opendpr.model.batches import TokenSequence, pad
from opendpr.model.config import ReaderConfig
from opendpr.model.spans import overlapping
from opendpr.model.tokenizer import TokenIds, Tokenizer, Tokens
from opendpr.model.windows import Window, windows
from opendpr.training import distributed
from opendpr.training.chunks import CHUNK_TOKENS, by_tokens
from opendpr.training.losses import alone_loss, choice_loss, selection_loss, span_loss
from opendpr.training.objective import Step
from opendpr.training.reader_examples import MarkedPassage, ReaderExample
from opendpr.training.reader_source import Draw, ReaderSource
from opendpr.training.settings import ReaderSettings
from opendpr.training.teaching import score_table
from opendpr.wording import counted

logger = logging.getLogger(__name__)

CHECKED_EXAMPLES = 1_024
"""Examples whose answers are looked for among the tokens at once."""


class NetworkJudge(Protocol):
    """Says how good a reader is."""

    def judge(self, network: nn.Module) -> Mapping[str, float]:
        """Figures; the first decides."""
        ...


class SpanLoss(Protocol):
    """What a reader's spans can be trained with: `losses.py` has the paper's."""

    def __call__(self, start: Tensor, end: Tensor, text_mask: Tensor, *, answers: Tensor, counted: Tensor) -> Tensor:
        """The loss (B,) of logits (B, L), as `span_loss` takes them and the places of the answers."""
        ...


class _Row(NamedTuple):
    """One sequence of a step, with the token positions of its text and of the answers in it."""

    sequence: TokenSequence
    text: tuple[int, int]
    """First text token, and the one after the last."""
    answers: list[tuple[int, int]]
    """First and last token of each; none in a negative."""


class _QuestionRows(NamedTuple):
    """The rows of one question: its positive passage, and those that do not answer."""

    positive: _Row
    others: list[_Row]
    scores: Sequence[float]
    """A teacher's, of the positive and of the others, if there is one."""

    @property
    def tokens(self) -> int:
        longest = max(len(row.sequence.ids) for row in (self.positive, *self.others))
        return longest * (1 + len(self.others))


class ReaderObjective:
    """Span loss of the positives plus selection loss of the questions that get negatives.

    With a teacher, the selection loss is the mean of that and of `choice_loss`, weighted by `teacher_share`.

    Args:
        network: the reader's
        examples: examples with no whole answer in a window are left out, and counted in a warning
        tokenizer: the model's
        config: how sequences are formed
        settings: the training's
        judge: what validates the network, if anything

    Raises:
        InputError: no example can be used.
    """

    def __init__(
        self,
        network: nn.Module,
        examples: Sequence[ReaderExample],
        *,
        tokenizer: Tokenizer,
        config: ReaderConfig,
        settings: ReaderSettings,
        judge: NetworkJudge | None = None,
    ) -> None:
        self.network = network
        self._settings, self._config, self._tokenizer, self._judge = settings, config, tokenizer, judge
        self.span_loss: SpanLoss = span_loss
        """What the spans of the positives cost; experiments set others."""
        self._device = next(network.parameters()).device
        usable = [example for part in batched(examples, CHECKED_EXAMPLES) for example in self._usable(part)]
        if not usable:
            raise InputError("none of the examples can be used: each needs a passage with an answer that has a word")
        if left_out := len(examples) - len(usable):
            logger.warning(
                "left out %s: no window of their passages holds a whole answer", counted(left_out, "example")
            )
        if settings.negatives and not any(example.negatives for example in usable):
            raise InputError("no example has a passage without an answer; give --negatives 0, or other examples")
        self.source = ReaderSource(usable, settings)
        """What is drawn of them; where the settings name a teacher, it has to be given one with scores."""

    @property
    def examples(self) -> Sequence[ReaderExample]:
        """Those that are used."""
        return self.source.examples

    def batches(self, epoch: int) -> Sequence[tuple[NDArray[np.int64], int]]:
        """Examples in batches of similar length, and what decides the rest that is random in each."""
        return self.source.batches(epoch)

    def backward(self, batch: tuple[NDArray[np.int64], int], step: Step) -> float:
        """Add the gradient of the loss of this process's share of the batch; returns the loss of all of it."""
        draws = self._draws(*batch)
        with_others = sum(1 for draw in draws if draw.others)
        total = torch.zeros(1, device=self._device)
        for chunk in self._chunks(draws[distributed.rank() :: distributed.world()]):
            with step.autocast(self._device):
                loss = self._loss(chunk, len(draws), with_others, step.dropout)
            loss.backward()  # type: ignore[no-untyped-call]
            total += loss.detach()
        return distributed.add_up(total).item()

    def record(self) -> Mapping[str, object]:
        """How many examples are used."""
        return {"examples": len(self.examples)}

    def validate(self) -> Mapping[str, float] | None:
        """Exact match and F1 on what is kept apart, if anything is."""
        return self._judge.judge(self.network) if self._judge else None

    def _draws(self, numbers: NDArray[np.int64], seed: int) -> list[Draw]:
        """What is random in a batch, the same in every process."""
        return self.source.questions(numbers, np.random.default_rng(seed))

    def _chunks(self, draws: Sequence[Draw]) -> Iterator[list[_QuestionRows]]:
        """Questions with their rows, as many together as are computed at once."""
        questions = [self._rows_of(draw) for draw in draws]
        limit = self._settings.chunk_tokens or CHUNK_TOKENS[self._device.type]
        for places in by_tokens([question.tokens for question in questions], limit):
            yield [questions[place] for place in places]

    def _rows_of(self, draw: Draw) -> _QuestionRows:
        (positive,) = self._rows([(draw.question, draw.positive)])
        others = self._rows(draw.others)
        there = [place for place, row in enumerate(others) if len(row.sequence.ids)]
        scores = [draw.scores[place] for place in (0, *(1 + place for place in there))] if draw.scores else []
        return _QuestionRows(positive, [others[place] for place in there], scores)

    def _loss(self, questions: Sequence[_QuestionRows], count: int, with_others: int, dropout: float) -> Tensor:
        """These questions' part of the mean loss of the batch, which has `count` questions."""
        logits, text_mask = self._logits([question.positive for question in questions], dropout)
        L = text_mask.shape[1]
        answers, counted = _padded([question.positive.answers for question in questions], self._device)
        start, end = logits[:, 1 : 1 + L], logits[:, 1 + L :]
        loss = self.span_loss(start, end, text_mask, answers=answers, counted=counted).sum() / count
        chosen = [place for place, question in enumerate(questions) if question.others]
        if chosen:
            others = self._logits([row for place in chosen for row in questions[place].others], dropout)[0][:, 0]
            sizes = [len(questions[place].others) for place in chosen]
            rows = list(torch.split(others, sizes))
            padded = nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=-torch.inf)
            selection = torch.cat([logits[chosen, :1], padded], dim=1)
            losses = self._selection_losses(selection, [questions[place].scores for place in chosen])
            loss = loss + losses.sum() / with_others
        return loss

    def _selection_losses(self, logits: Tensor, scores: Sequence[Sequence[float]]) -> Tensor:
        """What the choice among the passages of each question costs: (Q, 1 + m), a teacher's scores -> (Q,)"""
        settings, losses = self._settings, selection_loss(logits)
        if settings.is_taught:
            teacher = torch.from_numpy(score_table(scores)).to(self._device) / settings.teacher_temperature
            share = settings.teacher_share
            losses = (1 - share) * losses + share * choice_loss(logits, teacher)
        if settings.alone_weight:
            losses = losses + settings.alone_weight * alone_loss(logits)
        return losses

    def _logits(self, rows: Sequence[_Row], dropout: float) -> tuple[Tensor, Tensor]:
        """Logits (n, 1 + 2L) and text mask (n, L)."""
        most = self._config.architecture.max_tokens
        batch = pad([row.sequence for row in rows], self._tokenizer.pad, most=most)
        text_mask = np.zeros(batch.ids.shape, dtype=bool)
        for place, row in enumerate(rows):
            text_mask[place, slice(*row.text)] = True
        ids, types, mask = (torch.from_numpy(array).long().to(self._device) for array in batch)
        return self.network(ids, types, mask, dropout), torch.from_numpy(text_mask).to(self._device)

    def _usable(self, examples: Sequence[ReaderExample]) -> Iterator[ReaderExample]:
        """Examples with the positives that have a whole answer in a window."""
        pairs = [(example.question.text, passage) for example in examples for passage in example.positives]
        rows = iter(self._rows(pairs))
        for example in examples:
            positives = tuple(passage for passage in example.positives if next(rows).answers)
            if positives:
                yield example._replace(positives=positives)

    def _rows(self, pairs: Sequence[tuple[str, MarkedPassage]]) -> list[_Row]:
        if not pairs:
            return []
        questions = self._tokenizer.ids([question for question, _ in pairs])
        titles = self._tokenizer.ids([passage.title for _, passage in pairs])
        texts = self._tokenizer([passage.text for _, passage in pairs])
        return [
            self._row(question, title, text, passage)
            for question, title, text, (_, passage) in zip(questions, titles, texts, pairs, strict=True)
        ]

    def _row(self, question: TokenIds, title: TokenIds, text: Tokens, passage: MarkedPassage) -> _Row:
        """The window that holds most of the answers whole, and of those the one with most text around them."""
        candidates = windows(question, title, text, config=self._config, tokenizer=self._tokenizer)
        spans = [span for place in passage.places if (span := overlapping(text.offsets, *place)) is not None]
        if not candidates:
            return _Row(TokenSequence(question[:0], question[:0]), (0, 0), [])
        best = max(candidates, key=lambda window: _fit(window, spans))
        shift = best.position - best.first
        answers = [(first + shift, last + shift) for first, last in spans if _margin(best, (first, last)) >= 0]
        return _Row(best.sequence, (best.position, best.position + best.length_tokens), answers)


def _padded(answers: Sequence[list[tuple[int, int]]], device: torch.device) -> tuple[Tensor, Tensor]:
    """Places (B, A, 2), and where there is one (B, A)."""
    most = max(map(len, answers))
    table = np.zeros((len(answers), most, 2), dtype=np.int64)
    counted = np.zeros((len(answers), most), dtype=bool)
    for row, places in enumerate(answers):
        table[row, : len(places)], counted[row, : len(places)] = places, True
    return torch.from_numpy(table).to(device), torch.from_numpy(counted).to(device)


def _fit(window: Window, spans: Sequence[tuple[int, int]]) -> tuple[int, float]:
    margins = [margin for span in spans if (margin := _margin(window, span)) >= 0]
    return len(margins), min(margins, default=-math.inf)


def _margin(window: Window, span: tuple[int, int]) -> int:
    """Tokens between an answer and the nearer edge of a window; negative if it is not whole in it."""
    return min(span[0] - window.first, window.first + window.length_tokens - 1 - span[1])
