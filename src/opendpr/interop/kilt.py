"""KILT's JSON lines (Petroni et al., 2021): questions with answers and provenance, predictions, pages of Wikipedia."""

from __future__ import annotations

from collections.abc import Iterator

from opendpr.interop.nouns import Placed, Ranking, RunHit
from opendpr.interop.ranked import PlacedHit, RawRanking
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


def is_predictions(start: Start) -> bool:
    """Whether the first record is an answer of a system with the pages that it rests on."""
    outputs = start.fields.get("output")
    return "id" in start.fields and isinstance(outputs, list) and bool(outputs) and isinstance(outputs[0], dict)


def read_run(start: Start) -> Iterator[RawRanking]:
    """Records `id, output`: the pages of the provenance, best first, each counted once, as KILT's evaluation does.

    The answers in `output` are the system's own, so they are not taken for accepted ones.
    """
    for place, _, fields in read_records(start.path):
        pages = dict.fromkeys(
            identifier(provenance, "wikipedia_id", place)
            for output in objects(fields, "output", place)
            for provenance in objects(output, "provenance", place)
        )
        hits = [PlacedHit(place, RunHit(page, 1 / rank, page), rank) for rank, page in enumerate(pages, start=1)]
        ranking = Ranking(identifier(fields, "id", place), text(fields, "input", place, ""), (), "", ())
        yield RawRanking(place, ranking, hits)
