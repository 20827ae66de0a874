"""The extractive reader (paper section 6.1): the words of a passage that answer a question."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Future, wait
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from opendpr.model.batches import Network, TokenSequence, even_size, outputs
from opendpr.model.config import ReaderConfig
from opendpr.model.directory import Model
from opendpr.model.pieces import Piece, pieces
from opendpr.model.runtime import RuntimeSettings, in_background, load_network, resolved
from opendpr.model.spans import WindowWords, best_spans, characters, whole_words
from opendpr.model.tokenizer import Tokenizer, Tokens
from opendpr.model.windows import Window, windows
from opendpr.types import Hit, Scores, Span

WINDOWS_AT_ONCE = {"cpu": 4, "cuda": 64}
"""About how many windows a network takes at once: small batches fit a CPU's caches, large ones keep a GPU busy."""
SPANS_PER_WINDOW = 3
"""Best spans of a window that are kept."""


class BertReader:
    """A `Reader` with the weights of a model, loaded when first needed."""

    def __init__(self, model: Model, runtime: RuntimeSettings = RuntimeSettings()) -> None:
        self.model, self.runtime = model, runtime
        self.config = model.require_reader()
        self._tokenizer = Tokenizer(model.tokenizer_of("reader"))

    @cached_property
    def _network(self) -> Network:
        return load_network(self.model, "reader", self.runtime, throughput=True)

    @cached_property
    def loading(self) -> Future[Network]:
        """The weights as a thread loads them, from when this is first asked for, while passages are found."""
        return in_background(lambda: self._network)

    def read(self, questions: Sequence[str], hits: Sequence[Sequence[Hit]]) -> list[list[Span]]:
        """For each question the best spans of its passages, best first, as `SpanReader` finds them."""
        return self._span_reader.read(questions, hits)

    def passage_scores(self, questions: Sequence[str], hits: Sequence[Sequence[Hit]]) -> list[Scores]:
        """For each question the selection logits of its passages, as `SpanReader` gives them."""
        return self._span_reader.passage_scores(questions, hits)

    @cached_property
    def _span_reader(self) -> SpanReader:
        wait([self.loading])  # after a failure the network is loaded again, which says why
        return SpanReader(self.config, self._tokenizer, self._network, self._batch)

    @cached_property
    def _batch(self) -> int:
        return WINDOWS_AT_ONCE[resolved(self.runtime).device]


class _Job(NamedTuple):
    question: int
    hit: int
    number: int
    """Of the piece of the passage."""
    piece: Piece
    window: Window
    tokens: Tokens
    """Tokens of the whole piece."""


class SpanReader:
    """A `Reader` over a network that is loaded already, as one that is being trained.

    Args:
        config: how sequences are formed and how spans are bounded
        tokenizer: the model's
        network: gives the logits of batches
        batch: about how many windows the network takes at once
    """

    def __init__(
        self, config: ReaderConfig, tokenizer: Tokenizer, network: Network, batch: int = WINDOWS_AT_ONCE["cpu"]
    ) -> None:
        self._config, self._tokenizer, self._network, self._batch = config, tokenizer, network, batch

    def read(self, questions: Sequence[str], hits: Sequence[Sequence[Hit]]) -> list[list[Span]]:
        """For each question the best spans of its passages, by the sum of their two scores; windows of all in batches.

        A span's `passage_score` is the selection logit of its passage's best window: log P_selected but
        for a number that is the same for all passages of the question. Its `span_score` is
        log P_start + log P_end, over the text of its window. The words beyond a passage's borders are read with it;
        a span may end there, not start. Where a passage has rows of a table, each is read by itself, and the
        `span_score` of its spans has the log of its share of P_selected too.
        """
        jobs = [job for number, question in enumerate(questions) for job in self._jobs(number, question, hits[number])]
        if not jobs:
            return [[] for _ in questions]
        logits = self._logits([job.window.sequence for job in jobs])
        selected: dict[tuple[int, int], dict[int, float]] = {}
        for job, values in zip(jobs, logits, strict=True):
            scores = selected.setdefault((job.question, job.hit), {})
            scores[job.number] = max(scores.get(job.number, -np.inf), self._passage_score(job.window, values))
        spans: list[list[Span]] = [[] for _ in questions]
        for job, values in zip(jobs, logits, strict=True):
            hit = hits[job.question][job.hit]
            spans[job.question] += self._spans(job, hit, values, selected[job.question, job.hit])
        return list(map(merged, spans))

    def passage_scores(self, questions: Sequence[str], hits: Sequence[Sequence[Hit]]) -> list[Scores]:
        """For each question (n,): the selection logit of each passage's best window, -inf for one without a token."""
        jobs = [job for number, question in enumerate(questions) for job in self._jobs(number, question, hits[number])]
        scores = [np.full(len(own), -np.inf, dtype=np.float32) for own in hits]
        for job, values in zip(jobs, self._logits([job.window.sequence for job in jobs]) if jobs else [], strict=True):
            own = scores[job.question]
            own[job.hit] = np.maximum(own[job.hit], self._passage_score(job.window, values))
        return scores

    def _jobs(self, number: int, question: str, hits: Sequence[Hit]) -> list[_Job]:
        (question_ids,) = self._tokenizer.ids([question])
        titles = self._tokenizer.ids([hit.passage.title for hit in hits])
        parts = [(place, part, piece) for place, hit in enumerate(hits) for part, piece in enumerate(pieces(hit))]
        texts = self._tokenizer([piece.text for _, _, piece in parts])
        return [
            _Job(number, place, part, piece, window, tokens._replace(words=whole))
            for (place, part, piece), tokens in zip(parts, texts, strict=True)
            for whole in [whole_words(piece.text, tokens, piece.borders)]
            for window in windows(question_ids, titles[place], tokens, config=self._config, tokenizer=self._tokenizer)
        ]

    def _logits(self, sequences: Sequence[TokenSequence]) -> list[NDArray[np.float32]]:
        """For each window (1 + 2L,), with L the length it was padded to."""
        logits: list[NDArray[np.float32]] = [np.empty(0, np.float32)] * len(sequences)
        size = even_size(len(sequences), self._batch, self._network.parallel)
        pad_id, most = self._tokenizer.pad, self._config.architecture.max_tokens
        for places, rows in outputs(self._network, sequences, size=size, pad_id=pad_id, most=most):
            for place, values in zip(places.tolist(), rows, strict=True):
                logits[place] = values
        return logits

    def _passage_score(self, window: Window, logits: NDArray[np.float32]) -> float:
        """The selection logit of a window.

        Without a selection layer it is what makes the sum of a span's two scores the usual one of such readers:
        the logits of its start and end minus those of "no answer" (Devlin et al., 2019, section 4.3).
        """
        if self._config.selection:
            return float(logits[0])
        start, end = _text_logits(window, logits)
        start_total, end_total = (np.logaddexp.reduce(part, dtype=np.float64) for part in (start, end))
        return float(logits[0] + start_total + end_total)

    def _spans(self, job: _Job, hit: Hit, logits: NDArray[np.float32], scores: Mapping[int, float]) -> list[Span]:
        """The best spans of a window; `scores` are the selection logits of the pieces of its passage."""
        passage_score, share = max(scores.values()), _log_share(scores, job.number)
        window, text = job.window, job.piece.text
        start, end = _text_logits(window, logits)
        after = window.first + window.length_tokens
        piece = Tokens(*(part[window.first : after] for part in job.tokens))
        numbers = [-1, *job.tokens.words.tolist(), -1]
        starts = job.piece.may_begin(piece.offsets[:, 0])
        words = WindowWords(piece.words, (numbers[window.first], numbers[after + 1]), starts)
        spans = []
        for span in best_spans(start, end, words, max_tokens=self._config.max_answer_tokens, count=SPANS_PER_WINDOW):
            first, last = characters(span, piece, text)
            at = job.piece.origin(first)
            spans.append(Span(hit, at, at + last - first, text[first:last], passage_score, span.score + share))
        return spans


def _log_share(scores: Mapping[int, float], number: int) -> float:
    """The log of P_selected of one piece of a passage among all of them; 0 if it is the only one."""
    return float(scores[number] - np.logaddexp.reduce(np.array(list(scores.values()), np.float64)))


def _text_logits(window: Window, logits: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Start and end logits of a window's text tokens, out of (1 + 2L,)."""
    length = (len(logits) - 1) // 2
    text = slice(window.position, window.position + window.length_tokens)
    return logits[1 : 1 + length][text], logits[1 + length :][text]


def merged(spans: Sequence[Span]) -> list[Span]:
    """Spans by the sum of their scores, the first of those with the same place: windows and passages may overlap."""
    span_by_place: dict[tuple[str, int, int], Span] = {}
    for span in sorted(spans, key=lambda span: -(span.passage_score + span.span_score)):
        span_by_place.setdefault((span.hit.passage.document_id, span.start, span.end), span)
    return list(span_by_place.values())
