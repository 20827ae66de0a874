"""The two encoders (paper section 3.1): questions and passages to vectors, by any runtime."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from functools import cached_property, partial
from typing import NamedTuple, Protocol

import numpy as np

from opendpr.model.batches import Network, TokenSequence, by_length, join, pad
from opendpr.model.config import EncoderConfig
from opendpr.model.directory import Model
from opendpr.model.runtime import RuntimeSettings, described, in_background, load_network, resolved
from opendpr.model.tokenizer import TokenIds, Tokenizer
from opendpr.types import ExamplePassage, Passage, Vectors

logger = logging.getLogger(__name__)

ENCODER_BATCH_SEQUENCES = {"cpu": 8, "cuda": 64}
"""Sequences a network takes at once: small batches fit a CPU's caches, large ones keep a GPU busy."""
SINGLE_THREAD_WEIGHTS = 30_000_000
"""Weights of a tower's layers up to which a question is computed by one thread: several would mostly wait."""
GROUP_ROUNDS = 8
"""Batches that each part of a network computes between two reports of progress."""


class EncoderInput:
    """Turns questions and passages into the sequences that an encoder's towers read.

    Args:
        config: how they are formed and where they are cut
        tokenizer: the model's
    """

    def __init__(self, config: EncoderConfig, tokenizer: Tokenizer) -> None:
        self.config, self.tokenizer = config, tokenizer

    def questions(self, questions: Sequence[str]) -> list[TokenSequence]:
        """[CLS] question [SEP]; one longer than `max_question_tokens` counts by its beginning."""
        room, prefix = self.config.max_question_tokens - 2, self.config.input_form.question_prefix
        sequences = self.tokenizer.ids([prefix + question for question in questions])
        return [self._join([ids[:room]])._replace(truncated=len(ids) > room) for ids in sequences]

    def passages(self, passages: Sequence[Passage | ExamplePassage]) -> list[TokenSequence]:
        """[CLS] title [SEP] text [SEP], or without the title if the input form or the passage has none."""
        form = self.config.input_form
        titles = [passage.title if form.title else "" for passage in passages]
        texts = [passage.text for passage in passages]
        if prefix := form.passage_prefix:
            texts = [text if title else prefix + text for title, text in zip(titles, texts, strict=True)]
            titles = [title and prefix + title for title in titles]
        title_ids = self.tokenizer.ids(titles) if form.title else [np.empty(0, np.int32)] * len(texts)
        return [self._passage(*parts) for parts in zip(title_ids, self.tokenizer.ids(texts), strict=True)]

    def _passage(self, title: TokenIds, text: TokenIds) -> TokenSequence:
        room = self.config.max_passage_tokens - 2
        if len(title):
            title = title[: room // 2]
            room -= len(title) + self.tokenizer.marks.between
        parts = [title, text[:room]] if len(title) else [text[:room]]
        return self._join(parts)._replace(truncated=len(text) > room)

    def _join(self, parts: Sequence[TokenIds]) -> TokenSequence:
        return join(parts, self.tokenizer.marks, self.config.input_form)


class EncodedPassages(NamedTuple):
    """Vectors of passages."""

    vectors: Vectors
    """(n, d)"""
    truncated: int
    """Passages longer than `max_passage_tokens`: their vectors miss the end."""


class ChunkEncoder(Protocol):
    """What gives the passages of a collection their vectors: this process, or others on any machine."""

    @property
    def model(self) -> Model: ...

    @property
    def dim(self) -> int:
        """Size d of a vector."""
        ...

    @property
    def made_by(self) -> str:
        """Runtime, precision and device of the vectors, in words."""
        ...

    def encode_chunks(
        self, chunks: Iterable[list[Passage]], on_progress: Callable[[int], None]
    ) -> Iterator[tuple[list[Passage], EncodedPassages]]:
        """Each chunk with its vectors, in the order in which they are finished.

        The passages of a chunk are encoded together, so that its vectors are the same bits wherever that is done.

        Args:
            on_progress: called now and then with the passages encoded so far; what it raises ends the work
        """
        ...


class BertEncoder:
    """An `Encoder` and a `ChunkEncoder` with the weights of a model. Towers are loaded when first needed."""

    def __init__(self, model: Model, runtime: RuntimeSettings = RuntimeSettings()) -> None:
        self.model, self.runtime = model, runtime
        self.config = model.require_encoder()
        self._input = EncoderInput(self.config, Tokenizer(model.tokenizer_path))

    @property
    def dim(self) -> int:
        return self.config.dim

    @property
    def made_by(self) -> str:
        return described(self.runtime)

    @cached_property
    def loading(self) -> Future[Network]:
        """The questions' tower as a thread loads it, from when this is first asked for, beside the vectors."""
        return in_background(lambda: self._question_network)

    @cached_property
    def _question_network(self) -> Network:
        small = self.config.architecture.layer_weights <= SINGLE_THREAD_WEIGHTS
        if small and self.config.tied:
            return self._passage_network
        return load_network(self.model, "question", self.runtime, throughput=small)

    @cached_property
    def _passage_network(self) -> Network:
        return load_network(self.model, "passage", self.runtime, throughput=True)

    @cached_property
    def _batch(self) -> int:
        return ENCODER_BATCH_SEQUENCES[resolved(self.runtime).device]

    def encode_questions(self, questions: Sequence[str]) -> Vectors:
        """-> (Q, d). A question longer than `max_question_tokens` counts by its beginning, which is logged."""
        sequences = self._input.questions(questions)
        if cut := sum(sequence.truncated for sequence in sequences):
            logger.warning(
                "questions longer than %d tokens, the most that %s reads, whose end does not count: %d of %d",
                self.config.max_question_tokens,
                self.model.name,
                cut,
                len(questions),
            )
        return self._encode(self._question_network, sequences)

    def encode_passages(self, passages: Sequence[Passage]) -> Vectors:
        """-> (n, d), from [CLS] title [SEP] text [SEP]."""
        return self.encode(passages).vectors

    def encode(
        self, passages: Sequence[Passage], on_progress: Callable[[int], None] = lambda done: None
    ) -> EncodedPassages:
        """Like `encode_passages`, with the number of passages whose end did not fit.

        Args:
            on_progress: called now and then with the passages done so far; what it raises ends the work
        """
        sequences = self._input.passages(passages)
        truncated = sum(sequence.truncated for sequence in sequences)
        return EncodedPassages(self._encode(self._passage_network, sequences, on_progress), truncated)

    def encode_chunks(
        self, chunks: Iterable[list[Passage]], on_progress: Callable[[int], None] = lambda done: None
    ) -> Iterator[tuple[list[Passage], EncodedPassages]]:
        """Each chunk with its vectors, encoded here one after the other."""
        before = 0
        for passages in chunks:
            yield passages, self.encode(passages, partial(_after, on_progress, before))
            before += len(passages)

    def _encode(
        self,
        network: Network,
        sequences: Sequence[TokenSequence],
        on_progress: Callable[[int], None] = lambda done: None,
    ) -> Vectors:
        vectors = np.empty((len(sequences), self.dim), dtype=np.float32)
        pad_id, most = self._input.tokenizer.pad, self.config.architecture.max_tokens
        rows = list(by_length([len(sequence.ids) for sequence in sequences], self._batch))
        group, done = GROUP_ROUNDS * network.parallel, 0
        for first in range(0, len(rows), group):
            if done:
                on_progress(done)
            several = rows[first : first + group]
            batches = [pad([sequences[row] for row in batch], pad_id, most=most) for batch in several]
            for batch, result in zip(several, network(batches), strict=True):
                vectors[batch] = result
                done += len(batch)
        return vectors


def _after(on_progress: Callable[[int], None], before: int, done: int) -> None:
    """Report progress within a chunk, of which `before` passages precede."""
    on_progress(before + done)
