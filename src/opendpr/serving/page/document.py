"""The page of a document: its text as it was added, with the passage and the answer in place."""

from __future__ import annotations

from dataclasses import dataclass

from opendpr.evaluation.page.markup import Markup, element, joined
from opendpr.serving.page.frame import frame, link
from opendpr.serving.places import page_starts
from opendpr.serving.records import DocumentRecord

WINDOW = 100_000
"""Characters of a long document that are shown at once."""
UNSHOWN = ("path", "page_starts")
"""Metadata that is of no interest to a reader, or no one's business."""


@dataclass(frozen=True)
class Places:
    """What is to be marked, in characters of the document's text; None is nothing."""

    answer: tuple[int, int] | None = None
    passage: tuple[int, int] | None = None


def window(places: Places, first: int) -> tuple[int, int]:
    """The part of a document to show: about what is marked, or from `first` on."""
    marked = places.answer or places.passage
    start = max(0, marked[0] - WINDOW // 2) if marked else first
    return start, start + WINDOW


def document_page(record: DocumentRecord, places: Places, collection: str) -> str:
    """The whole page; `record` is the part to show."""
    metadata = [
        (element("dt", key), element("dd", value, dir="auto"))
        for key, value in record.metadata.items()
        if key not in UNSHOWN
    ]
    parts = (
        element("p", link("/", "Ask"), " › document", class_="soft"),
        element("h1", record.title or record.id, dir="auto", class_="title"),
        element("p", element("bdi", record.id), f" · {record.characters:,} characters", class_="soft"),
        element("dl", metadata, class_="metadata") if metadata else None,
        _other_part(record, "before"),
        element("div", _text(record, places), class_="card text", dir="auto"),
        _other_part(record, "after"),
    )
    return frame(f"{record.title or record.id} · {collection}", joined(*parts), collection=collection, wide=True)


def _other_part(record: DocumentRecord, which: str) -> Markup | None:
    if which == "before" and record.start > 0:
        return element("p", link("/document", "↑ Text before", id=record.id, first=max(0, record.start - WINDOW)))
    if which == "after" and record.end < record.characters:
        return element("p", link("/document", "↓ Text after", id=record.id, first=record.end))
    return None


def _text(record: DocumentRecord, places: Places) -> Markup:
    answer_start, answer_end = _within(places.answer, record)
    start, end = _within(places.passage, record)
    if places.answer:
        start, end = (min(start, answer_start), max(end, answer_end)) if places.passage else (answer_start, answer_end)
    else:
        answer_start = answer_end = end
    inside = joined(
        _piece(record, start, answer_start),
        element("mark", _piece(record, answer_start, answer_end), id="answer") if places.answer else None,
        _piece(record, answer_end, end),
    )
    shown = element("span", inside, class_="passage", id="passage") if end > start else None
    return joined(_piece(record, record.start, start), shown, _piece(record, end, record.end))


def _within(place: tuple[int, int] | None, record: DocumentRecord) -> tuple[int, int]:
    """A place, cut to the part that is shown."""
    if place is None:
        return record.start, record.start
    start = min(max(place[0], record.start), record.end)
    return start, min(max(place[1], start), record.end)


def _piece(record: DocumentRecord, start: int, end: int) -> Markup:
    """Characters of the text, with a line where a page begins."""
    pieces: list[object] = []
    last = start
    for number, page in enumerate(page_starts(record.metadata.get("page_starts")), start=1):
        if start <= page < end and number > 1:
            pieces += [
                record.text[last - record.start : page - record.start],
                element("span", f"Page {number}", class_="pagebreak"),
            ]
            last = page
    pieces.append(record.text[last - record.start : end - record.start])
    return joined(*pieces)
