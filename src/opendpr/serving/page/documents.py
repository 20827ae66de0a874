"""The page that lists the documents: a search, labels to choose from, an upload, and how far a change is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import NamedTuple

from opendpr.collection.filters import condition
from opendpr.collection.listing import SAMPLED_DOCUMENTS, SharedValue
from opendpr.collection.rows import ListedDocument
from opendpr.corpus import READERS
from opendpr.serving.page.jobs import JobProgress
from opendpr.serving.records import REQUEST_LIMITS, InfoRecord
from opendpr.serving.rendering import address, render
from opendpr.wording import counted, readable_size

PAGE_DOCUMENTS = 50
"""Documents on one page of the list."""
CHIPS_OF_KEY = 8
"""Most values of one key that are offered; a key with more of them names documents rather than groups."""
CHIP_KEYS = 6
"""Most keys whose values are offered."""
UNLABELLED_KEYS = frozenset(("path", "modified", "page_starts", "sections", "left_out", "menus_left_out"))
"""Metadata that readers of files note, which group nothing."""


@dataclass(frozen=True)
class ListForm:
    """What is looked for in the list."""

    words: str = ""
    filters: tuple[str, ...] = ()
    """Filters on the metadata, all of which a document meets."""
    page: int = 1

    @property
    def where(self) -> str:
        """The filters as one."""
        return " and ".join(f"({part})" for part in self.filters) if len(self.filters) > 1 else "".join(self.filters)

    @property
    def link(self) -> str:
        """The address of this list."""
        return address("/documents", words=self.words, filter=self.filters, page=self.page if self.page > 1 else None)

    @property
    def skipped(self) -> int:
        """Documents before this page."""
        return (self.page - 1) * PAGE_DOCUMENTS


class Listed(NamedTuple):
    """A page of the list, and what there is to choose from."""

    summaries: Sequence[ListedDocument]
    documents: int
    """How many documents are in the whole list."""
    values: Sequence[SharedValue]


class Chip(NamedTuple):
    """A label that can be chosen, or is."""

    text: str
    link: str
    """The list with this label chosen, or not any more."""
    documents: int | None
    """How many documents have it; None where not all were counted."""
    is_chosen: bool


class ChipGroup(NamedTuple):
    """The labels of one key."""

    name: str
    chips: list[Chip]


def documents_page(
    form: ListForm,
    info: InfoRecord,
    listed: Listed,
    *,
    may_write: bool,
    change: JobProgress | None = None,
    problem: str = "",
) -> str:
    """The whole page.

    Args:
        may_write: whether documents can be uploaded and removed by whoever looks
        change: how far one is that was asked for here
        problem: what is wrong with what was asked for
    """
    first, last = form.skipped + 1, form.skipped + len(listed.summaries)
    return render(
        "documents.html.jinja",
        collection=info.collection,
        wide=True,
        improves=info.improvements,
        form=form,
        info=info,
        summaries=listed.summaries,
        shown=f"{first:,} to {last:,} of {counted(listed.documents, 'document')}" if listed.summaries else "",
        before=replace(form, page=form.page - 1).link if form.page > 1 else "",
        after=replace(form, page=form.page + 1).link if last < listed.documents else "",
        chips=chip_groups(form, listed.values, info.documents),
        ask_link=address("/", where=form.where) if form.filters else "",
        may_write=may_write and info.writable,
        progress=change,
        problem=problem,
        limits=REQUEST_LIMITS,
        most=readable_size(REQUEST_LIMITS["upload_bytes"]),
        kinds=", ".join(sorted(READERS)),
    )


def chip_groups(form: ListForm, values: Sequence[SharedValue], documents: int) -> list[ChipGroup]:
    """The labels to choose from: kinds of files, and values of keys that have few; before them other chosen filters.

    Args:
        documents: how many there are in the collection
    """
    is_counted = documents <= SAMPLED_DOCUMENTS
    offered: dict[str, Sequence[SharedValue]] = {}
    for key, shared in groupby(sorted(values, key=lambda value: value.key), key=lambda value: value.key):
        few = list(shared)
        is_telling = len(few) > 1 or few[0].documents < documents
        if key not in UNLABELLED_KEYS and (len(few) <= CHIPS_OF_KEY or not key) and is_telling:
            offered[key] = few[:CHIPS_OF_KEY]
    groups = [
        ChipGroup(
            key or "kind",
            [_chip(form, filter_of(value), _text(value), value.documents if is_counted else None) for value in few],
        )
        for key, few in list(offered.items())[:CHIP_KEYS]
    ]
    shown = {filter_of(value) for few in list(offered.values())[:CHIP_KEYS] for value in few}
    others = [_chip(form, text, text, None) for text in form.filters if text not in shown]
    return [ChipGroup("filter", others), *groups] if others else groups


def filter_of(shared: SharedValue) -> str:
    """The filter that documents with a value meet.

    >>> filter_of(SharedValue("source", "it's", 1)), filter_of(SharedValue("", ".pdf", 1))
    ("source = 'it''s'", "id like '%.pdf'")
    """
    if not shared.key:
        return f"id like '%{shared.value}'"
    return condition(shared.key, "=", shared.value)


def _chip(form: ListForm, filter: str, text: str, documents: int | None) -> Chip:
    is_chosen = filter in form.filters
    others = tuple(other for other in form.filters if other != filter)
    chosen = replace(form, page=1, filters=others if is_chosen else (*others, filter))
    return Chip(text, chosen.link, documents, is_chosen)


def _text(shared: SharedValue) -> str:
    return str(shared.value).lstrip(".") if not shared.key else str(shared.value)
