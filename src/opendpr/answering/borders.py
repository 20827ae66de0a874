"""What the reader sees beyond the borders of passages, so that no answer is lost at one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from opendpr.answering.table_names import names_above
from opendpr.collection import Collection
from opendpr.collection.lookup import Neighbourhood, neighbourhoods
from opendpr.model.directory import Model
from opendpr.model.reader import BertReader
from opendpr.text.splitting import first_words, last_words
from opendpr.text.table_rows import completed
from opendpr.types import Hit, Passage, Span


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
    around = {number: _cut(passages[number], neighbourhood, words) for number, neighbourhood in beside.items()}
    names = names_above(collection, passages, {number: beyond.before for number, beyond in around.items()})
    return [
        [replace(hit, **around[hit.passage.number]._asdict(), column_names=names[hit.passage.number]) for hit in hits]
        for hits in lists
    ]


def _cut(passage: Passage, around: Neighbourhood, words: int) -> Neighbourhood:
    """As many words, or where a border cuts a table what completes the row."""
    before, after = completed(around.before, passage.text, around.after)
    return Neighbourhood(
        last_words(around.before, words) if before is None else before,
        first_words(around.after, words) if after is None else after,
    )
