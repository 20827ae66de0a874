"""The page of a document: its text as it was added, with the passage and the answer in place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from opendpr.serving.records import DocumentRecord
from opendpr.serving.rendering import address, render
from opendpr.text.places import page_starts
from opendpr.text.sections import parse_sections

WINDOW_CHARACTERS = 100_000
"""Characters of a long document that are shown at once."""
HIDDEN_METADATA = ("path", "page_starts", "sections", "left_out", "menus_left_out")
"""Metadata that is of no interest to a reader, or private."""
OUTLINE_HEADINGS = 500
"""Headings of a document that are listed."""
DEEPEST_HEADING = 4
"""Headings below this level are set like those of it."""


@dataclass(frozen=True)
class MarkedRanges:
    """What is to be marked, in characters of the document's text; None is nothing."""

    answer: tuple[int, int] | None = None
    passage: tuple[int, int] | None = None


def window(places: MarkedRanges, first: int) -> tuple[int, int]:
    """The part of a document to show: about what is marked, or from `first` on."""
    marked = places.answer or places.passage
    start = max(0, marked[0] - WINDOW_CHARACTERS // 2) if marked else first
    return start, start + WINDOW_CHARACTERS


Piece = tuple[int | None, str]
"""Characters of the text; with the number of a page where they begin it."""


@dataclass(frozen=True)
class Parts:
    """The text that is shown, cut at the passage and the answer."""

    before: list[Piece]
    passage_before: list[Piece]
    answer: list[Piece]
    passage_after: list[Piece]
    after: list[Piece]
    has_passage: bool
    has_answer: bool


def document_page(record: DocumentRecord, places: MarkedRanges, collection: str) -> str:
    """The whole page; `record` is the part to show."""
    return render(
        "document.html.jinja",
        collection=collection,
        wide=True,
        record=record,
        metadata={key: value for key, value in record.metadata.items() if key not in HIDDEN_METADATA},
        first_before=max(0, record.start - WINDOW_CHARACTERS) if record.start else None,
        outline=_outline(record),
        parts=_parts(record, places),
    )


class Heading(NamedTuple):
    """A heading in the list of a document's headings."""

    text: str
    level: int
    link: str


def _outline(record: DocumentRecord) -> list[Heading]:
    """The headings of the whole document, each with the address of its place."""
    sections = [section for section in parse_sections(record.metadata.get("sections")) if section.heading]
    top = min((section.level for section in sections), default=1)
    return [
        Heading(
            section.heading,
            min(DEEPEST_HEADING, section.level - top + 1),
            address(
                "/document",
                "#passage",
                id=record.id,
                **{"from": section.start, "to": section.start + len(section.heading)},
            ),
        )
        for section in sections[:OUTLINE_HEADINGS]
    ]


def _parts(record: DocumentRecord, places: MarkedRanges) -> Parts:
    answer_start, answer_end = _within(places.answer, record)
    start, end = _within(places.passage, record)
    if not places.answer:
        answer_start = answer_end = end
    elif places.passage:
        start, end = min(start, answer_start), max(end, answer_end)
    else:
        start, end = answer_start, answer_end
    return Parts(
        before=_pieces(record, record.start, start),
        passage_before=_pieces(record, start, answer_start),
        answer=_pieces(record, answer_start, answer_end),
        passage_after=_pieces(record, answer_end, end),
        after=_pieces(record, end, record.end),
        has_passage=end > start,
        has_answer=places.answer is not None,
    )


def _within(place: tuple[int, int] | None, record: DocumentRecord) -> tuple[int, int]:
    """A place, cut to the part that is shown."""
    if place is None:
        return record.start, record.start
    start = min(max(place[0], record.start), record.end)
    return start, min(max(place[1], start), record.end)


def _pieces(record: DocumentRecord, start: int, end: int) -> list[Piece]:
    """The characters from `start` to `end`, cut where a page begins."""
    starts = enumerate(page_starts(record.metadata.get("page_starts")), start=1)
    cuts = [(offset, page) for page, offset in starts if start <= offset < end and page > 1]
    begins: list[tuple[int, int | None]] = [(start, None), *cuts]
    ends = [*(offset for offset, _ in cuts), end]
    return [
        (page, record.text[first - record.start : last - record.start])
        for (first, page), last in zip(begins, ends, strict=True)
    ]
