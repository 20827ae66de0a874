"""The page of a document: its text as it was added, a sheet at a time, with what is looked for marked in place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from opendpr.serving.page.runs import Range
from opendpr.serving.page.sheets import MOST_PLACES, SheetMarks, find_places, pieces, sheet_at, sheet_starts
from opendpr.serving.records import REQUEST_LIMITS, DocumentRecord, InfoRecord
from opendpr.serving.rendering import address, render
from opendpr.text.places import page_starts
from opendpr.text.sections import Section, parse_sections

HIDDEN_METADATA = ("path", "page_starts", "sections", "left_out", "menus_left_out")
"""Metadata that is of no interest to a reader, or private."""
OUTLINE_HEADINGS = 500
"""Headings of a document that are listed."""
DEEPEST_HEADING = 4
"""Headings below this level are set like those of it."""
FOUND_CHARACTERS = 100
"""Words of an answer are looked for in the rest of the document if they have at most this many characters."""


@dataclass(frozen=True)
class DocumentView:
    """What of a document is to be shown and marked, in characters of its text; None is nothing."""

    answer: Range | None = None
    passage: Range | None = None
    sheet: int | None = None
    """The number of the sheet to show, from 1."""
    words: str = ""
    """What to find in the text."""
    place_number: int | None = None
    """Which of the places where it is found to show, from 1."""
    question_query: Mapping[str, object] = field(default_factory=dict)
    """The question that led here, as the address of its page has it."""


class Heading(NamedTuple):
    """A heading in the list of a document's headings."""

    text: str
    level: int
    link: str


class WordPlaces(NamedTuple):
    """Where the words that are looked for occur in the document."""

    words: str
    number: str
    """`3 of 17`, or that there are none."""
    before: str
    after: str
    """Addresses of the place before and the next one; empty where there are no others."""


def document_page(record: DocumentRecord, view: DocumentView, info: InfoRecord, *, may_write: bool = False) -> str:
    """The whole page; `record` has the document's whole text."""
    pages = page_starts(record.metadata.get("page_starts"))
    sections = [section for section in parse_sections(record.metadata.get("sections")) if section.heading]
    borders = sheet_starts(record.text, [*pages, *(section.start for section in sections)])
    words = view.words or _answer_words(record, view)
    found_places = find_places(record.text, words)
    current = _current(found_places, view)
    marks = SheetMarks(view.answer or (0, 0), view.passage or (0, 0), found_places, current if view.words else None)
    sheet = min(len(borders), view.sheet or sheet_at(borders, _first_offset(view, marks)))
    end = borders[sheet] if sheet < len(borders) else len(record.text)
    return render(
        "document.html.jinja",
        collection=info.collection,
        wide=True,
        improves=info.improvements,
        record=record,
        metadata={key: value for key, value in record.metadata.items() if key not in HIDDEN_METADATA},
        outline=_outline(record, view, sections),
        pieces=pieces(record.text, (borders[sheet - 1], end), marks, pages),
        places=view,
        sheet=sheet,
        sheets=len(borders),
        sheet_links=_sheet_links(record, view, sheet, len(borders)),
        found=_word_places(record, view, words, found_places=found_places, current=current),
        question=str(view.question_query.get("q", "")),
        back=address("/", "", **view.question_query) if view.question_query else "",
        answer_link=_link(record, view, fragment="#answer" if view.answer else "#passage"),
        is_away=bool(view.words or view.sheet) and bool(view.answer or view.passage),
        kept=_kept(view),
        limits=REQUEST_LIMITS,
        may_write=may_write,
    )


def _answer_words(record: DocumentRecord, view: DocumentView) -> str:
    """The words of a short answer, to find them elsewhere in the document."""
    if view.answer is None:
        return ""
    words = " ".join(record.text[slice(*view.answer)].split())
    return words if len(words) <= FOUND_CHARACTERS else ""


def _current(found_places: Sequence[Range], view: DocumentView) -> int | None:
    """Which of the places that were found is shown; the answer's own, until another one is asked for."""
    if not found_places:
        return None
    if view.words:
        return min(len(found_places), view.place_number or 1) - 1
    return next((number for number, place in enumerate(found_places) if place == view.answer), None)


def _first_offset(view: DocumentView, marks: SheetMarks) -> int:
    """The offset whose sheet is shown if none is asked for."""
    if marks.current is not None:
        return marks.found_places[marks.current][0]
    marked = view.answer or view.passage
    return marked[0] if marked else 0


def _kept(view: DocumentView) -> dict[str, object]:
    """The question and what is marked, as addresses of this document have them."""
    kept: dict[str, object] = dict(view.question_query)
    if view.answer:
        kept |= {"start": view.answer[0], "end": view.answer[1]}
    if view.passage:
        kept |= {"from": view.passage[0], "to": view.passage[1]}
    return kept


def _link(record: DocumentRecord, view: DocumentView, fragment: str = "", **shown: object) -> str:
    return address("/document", fragment, id=record.id, **_kept(view), **shown)


def _sheet_links(record: DocumentRecord, view: DocumentView, sheet: int, sheets: int) -> tuple[str, str]:
    """Addresses of the sheet before and the next one; empty at the ends."""
    shown = {"find": view.words}
    before = _link(record, view, "#text", sheet=sheet - 1, **shown) if sheet > 1 else ""
    return before, _link(record, view, "#text", sheet=sheet + 1, **shown) if sheet < sheets else ""


def _word_places(
    record: DocumentRecord, view: DocumentView, words: str, *, found_places: Sequence[Range], current: int | None
) -> WordPlaces:
    """What is said of the places, and where the others are; from the last one on to the first."""
    if not words or not found_places:
        return WordPlaces(words, "not in this document" if words else "", "", "")
    total = f"{len(found_places):,}" + " or more" * (len(found_places) == MOST_PLACES)
    number = 0 if current is None else current
    count = f"{total} places" if current is None else f"{number + 1:,} of {total}"
    if len(found_places) == 1 and current is not None:
        return WordPlaces(words, count, "", "")
    links = [
        _link(record, view, "#place", find=words, at=place % len(found_places) + 1)
        for place in (number - 1, number + 1)
    ]
    return WordPlaces(words, count, *links)


def _outline(record: DocumentRecord, view: DocumentView, sections: Sequence[Section]) -> list[Heading]:
    """The headings of the whole document, each with the address of its place."""
    top = min((section.level for section in sections), default=1)
    question_alone = DocumentView(question_query=view.question_query)
    return [
        Heading(
            section.heading,
            min(DEEPEST_HEADING, section.level - top + 1),
            _link(
                record,
                question_alone,
                "#passage",
                **{"from": section.start, "to": section.start + len(section.heading)},
            ),
        )
        for section in sections[:OUTLINE_HEADINGS]
    ]
