"""The extractive reader (paper section 6.1): the words of a passage that answer a question."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from opendpr.model.batches import Network
from opendpr.model.directory import Model
from opendpr.model.reading import BATCHES, SpanReader
from opendpr.model.runtime import RuntimeSettings, load_network, resolved
from opendpr.model.tokenizer import Tokenizer
from opendpr.types import Hit, Span


class BertReader:
    """A `Reader` with the weights of a model, brought to memory when first needed."""

    def __init__(self, model: Model, runtime: RuntimeSettings = RuntimeSettings()) -> None:
        self.model, self.runtime = model, runtime
        self.config = model.require_reader()
        self._tokenizer = Tokenizer(model.tokenizer_path)

    @cached_property
    def _network(self) -> Network:
        return load_network(self.model, "reader", self.runtime, throughput=True)

    def load(self) -> None:
        """Bring the weights to memory now, as while passages are being looked for."""
        _ = self._network

    def read(self, questions: Sequence[str], hits: Sequence[Sequence[Hit]]) -> list[list[Span]]:
        """For each question the best spans of its passages, best first, as `SpanReader` finds them."""
        return SpanReader(self.config, self._tokenizer, self._network, self._batch).read(questions, hits)

    @cached_property
    def _batch(self) -> int:
        return BATCHES[resolved(self.runtime).device]
