"""A cross-encoder: question and passage are read together, and one number says how well they fit."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np

from opendpr.model.batches import Network, TokenSequence, join, outputs
from opendpr.model.config import RerankerConfig
from opendpr.model.directory import Model
from opendpr.model.runtime import RuntimeSettings, load_network
from opendpr.model.tokenizer import TokenIds, Tokenizer
from opendpr.types import Passage, Scores

RERANKER_BATCH_PAIRS = 8
"""Pairs a network takes at once: small batches fit a CPU's caches."""


class CrossEncoder:
    """Scores pairs with the weights of a model, loaded when first needed."""

    def __init__(self, model: Model, runtime: RuntimeSettings = RuntimeSettings()) -> None:
        self.model, self.runtime = model, runtime
        self.config = model.require_reranker()
        self._tokenizer = Tokenizer(model.tokenizer_of("reranker"))

    @cached_property
    def _network(self) -> Network:
        return load_network(self.model, "reranker", self.runtime, throughput=True)

    def score(self, question: str, passages: Sequence[Passage]) -> Scores:
        """(n,): the network's logit for each passage."""
        (question_ids,) = self._tokenizer.ids([question])
        titles = [passage.title if self.config.input_form.title else "" for passage in passages]
        parts = zip(self._tokenizer.ids(titles), self._tokenizer.ids([p.text for p in passages]), strict=True)
        sequences = [
            pair(question_ids, title, text, config=self.config, tokenizer=self._tokenizer) for title, text in parts
        ]
        scores = np.empty(len(sequences), dtype=np.float32)
        pad_id, most = self._tokenizer.pad, self.config.architecture.max_tokens
        for places, logits in outputs(self._network, sequences, size=RERANKER_BATCH_PAIRS, pad_id=pad_id, most=most):
            scores[places] = logits[:, 0]
        return scores


def pair(
    question: TokenIds, title: TokenIds, text: TokenIds, *, config: RerankerConfig, tokenizer: Tokenizer
) -> TokenSequence:
    """[CLS] question [SEP] text [SEP], or with the title before the text; the longer of question and rest is cut.

    Where both are longer than half of the room, each keeps a half of it, as the tokenizers of other systems cut pairs.
    """
    between = tokenizer.marks.between
    rest = len(text) + (len(title) + between if len(title) else 0)
    room = config.max_tokens - 1 - between - config.input_form.closing
    if len(question) + rest > room:
        shorter = min(len(question), rest, room // 2)
        question_room, rest = (shorter, room - shorter) if len(question) <= rest else (room - shorter, shorter)
        question = question[:question_room]
    if not len(title):
        return join([question, text[:rest]], tokenizer.marks, config.input_form)
    title = title[: max(0, rest - between)]
    text = text[: max(0, rest - between - len(title))]
    return join([question, title, text], tokenizer.marks, config.input_form)
