"""KILT's JSON lines (Petroni et al., 2021): questions with answers and provenance, and the pages of its Wikipedia."""

from __future__ import annotations

from collections.abc import Iterator

from opendpr.interop.nouns import Placed
from opendpr.interop.records import identifier, objects, read_records, text, texts, words
from opendpr.interop.start import Start
from opendpr.types import Document, Question


def is_pages(start: Start) -> bool:
    """Whether the first record is a page of KILT's knowledge source."""
    return "wikipedia_id" in start.fields and isinstance(start.fields.get("text"), list)


def read_passages(start: Start) -> Iterator[Placed[Document]]:
    """Pages `wikipedia_id, wikipedia_title, text`, each with all its paragraphs; the first of them is the title."""
    for place, _, fields in read_records(start.path):
        paragraphs = texts(fields, "text", place)
        title = text(fields, "wikipedia_title", place, "")
        body = paragraphs[1:] if paragraphs and paragraphs[0].strip() == title else paragraphs
        yield Placed(place, Document(identifier(fields, "wikipedia_id", place), title, "".join(body)))


def read_questions(start: Start) -> Iterator[Question]:
    """Records `id, input, output`: the answers of all outputs, and the pages of their provenance as gold documents."""
    for place, _, fields in read_records(start.path):
        outputs = objects(fields, "output", place)
        answers = dict.fromkeys(text(output, "answer", place) for output in outputs if output.get("answer") is not None)
        pages = dict.fromkeys(
            identifier(provenance, "wikipedia_id", place)
            for output in outputs
            for provenance in objects(output, "provenance", place)
        )
        yield Question(
            identifier(fields, "id", place), words(fields, "input", place), tuple(answers), document_ids=tuple(pages)
        )
