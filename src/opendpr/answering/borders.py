"""What the reader sees beyond the borders of passages, so that no answer is lost at one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from opendpr.collection import Collection
from opendpr.collection.lookup import Neighbourhood, neighbourhoods
from opendpr.model.directory import Model
from opendpr.model.reader import BertReader
from opendpr.text.splitting import first_words, last_words
from opendpr.types import Hit, Span


@dataclass(frozen=True)
class BorderReader:
    """A `Reader` of the passages of a collection that sees beyond their borders."""

    collection: Collection
    reader: BertReader

    def read(self, questions: Sequence[str], hits: Sequence[Sequence[Hit]]) -> list[list[Span]]:
        """For each question the best spans of its passages, best first."""
        return self.reader.read(questions, with_borders(self.collection, hits, self.reader.model))


def with_borders(collection: Collection, lists: Sequence[Sequence[Hit]], model: Model) -> list[list[Hit]]:
    """The hits of each question, with as many words beyond their borders as the reader of a model takes.

    A passage that a writer removed meanwhile has none. All hits are looked up together.
    """
    words = model.reader.border_words if model.reader else 0
    if not words or collection.splitter.unit == "whole":
        return [list(hits) for hits in lists]
    passages = {hit.passage.number: hit.passage for hits in lists for hit in hits}
    beside = neighbourhoods(collection, list(passages.values()))
    around = {number: _cut(neighbourhood, words) for number, neighbourhood in beside.items()}
    return [[replace(hit, **around[hit.passage.number]._asdict()) for hit in hits] for hits in lists]


def _cut(around: Neighbourhood, words: int) -> Neighbourhood:
    return Neighbourhood(last_words(around.before, words), first_words(around.after, words))
