"""The two encoders (paper section 3.1): questions and passages to vectors, by any runtime."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np

from opendpr.model.batches import Network, TokenSequence, by_length, join, pad
from opendpr.model.config import EncoderConfig
from opendpr.model.directory import Model
from opendpr.model.runtime import RuntimeSettings, load_network
from opendpr.model.tokenizer import TokenIds, Tokenizer
from opendpr.types import ExamplePassage, Passage, Vectors

ENCODER_BATCH_SEQUENCES = 8
"""Sequences a network takes at once: small batches fit a CPU's caches."""


class EncoderInput:
    """Turns questions and passages into the sequences that an encoder's towers read.

    Args:
        config: how they are formed and where they are cut
        tokenizer: the model's
    """

    def __init__(self, config: EncoderConfig, tokenizer: Tokenizer) -> None:
        self.config, self.tokenizer = config, tokenizer
        self.truncated_passages = 0
        """Passages so far that were longer than `max_passage_tokens`; their vectors miss the end."""

    def questions(self, questions: Sequence[str]) -> list[TokenSequence]:
        """[CLS] question [SEP]; one longer than `max_question_tokens` counts by its beginning."""
        room = self.config.max_question_tokens - 2
        return [self._join([ids[:room]]) for ids in self.tokenizer.ids(questions)]

    def passages(self, passages: Sequence[Passage | ExamplePassage]) -> list[TokenSequence]:
        """[CLS] title [SEP] text [SEP], or without the title if the input form has none."""
        texts = self.tokenizer.ids([passage.text for passage in passages])
        if self.config.input_form.title:
            titles = self.tokenizer.ids([passage.title for passage in passages])
        else:
            titles = [np.empty(0, np.int32)] * len(passages)
        return [self._passage(*parts) for parts in zip(titles, texts, strict=True)]

    def _passage(self, title: TokenIds, text: TokenIds) -> TokenSequence:
        room = self.config.max_passage_tokens - 2
        if not len(title):
            self.truncated_passages += len(text) > room
            return self._join([text[:room]])
        title = title[: room // 2]
        room -= len(title) + 1
        self.truncated_passages += len(text) > room
        return self._join([title, text[:room]])

    def _join(self, parts: Sequence[TokenIds]) -> TokenSequence:
        segments = self.config.input_form.token_types == "segments"
        return join(parts, cls=self.tokenizer.cls, sep=self.tokenizer.sep, segments=segments)


class BertEncoder:
    """An `Encoder` with the weights of a model. Towers are loaded when first needed."""

    def __init__(self, model: Model, runtime: RuntimeSettings = RuntimeSettings()) -> None:
        self.model, self.runtime = model, runtime
        self.config = model.require_encoder()
        self._input = EncoderInput(self.config, Tokenizer(model.tokenizer_path))

    @property
    def dim(self) -> int:
        return self.config.architecture.hidden_size

    @property
    def truncated_passages(self) -> int:
        """Passages so far that were longer than `max_passage_tokens`; their vectors miss the end."""
        return self._input.truncated_passages

    @cached_property
    def _question_network(self) -> Network:
        return load_network(self.model, "question", self.runtime, throughput=False)

    @cached_property
    def _passage_network(self) -> Network:
        return load_network(self.model, "passage", self.runtime, throughput=True)

    def encode_questions(self, questions: Sequence[str]) -> Vectors:
        """-> (Q, d). A question longer than `max_question_tokens` counts by its beginning."""
        return self._encode(self._question_network, self._input.questions(questions))

    def encode_passages(self, passages: Sequence[Passage]) -> Vectors:
        """-> (n, d), from [CLS] title [SEP] text [SEP]."""
        return self._encode(self._passage_network, self._input.passages(passages))

    def _encode(self, network: Network, sequences: Sequence[TokenSequence]) -> Vectors:
        vectors = np.empty((len(sequences), self.dim), dtype=np.float32)
        rows = list(by_length([len(sequence.ids) for sequence in sequences], ENCODER_BATCH_SEQUENCES))
        batches = [pad([sequences[row] for row in batch], self._input.tokenizer.pad) for batch in rows]
        for batch, result in zip(rows, network(batches), strict=True):
            vectors[batch] = result
        return vectors
