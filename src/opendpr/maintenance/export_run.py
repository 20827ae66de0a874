"""Runs completed with what they lack: questions by id, texts and documents by passage id."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from opendpr.collection import Collection, open_collection
from opendpr.errors import InputError
from opendpr.interop import Ranking, RunHit
from opendpr.types import Question


def with_questions(rankings: Iterable[Ranking], questions: Iterable[Question]) -> Iterator[Ranking]:
    """The rankings with text and answers of their questions.

    Raises:
        InputError: a ranking is of none of the questions.
    """
    known = {question.id: question for question in questions}
    for ranking in rankings:
        if ranking.id not in known:
            raise InputError(f"the run ranks for question {ranking.id!r}, which is none of those given")
        question = known[ranking.id]
        yield replace(ranking, question=question.text, answers=question.answers)


@contextmanager
def completed(rankings: Iterable[Ranking], collection: Path | None) -> Iterator[Iterator[Ranking]]:
    """The rankings with title, text and document of each passage, if a collection is given."""
    if collection is None:
        yield iter(rankings)
        return
    with open_collection(collection) as opened:
        yield (replace(ranking, hits=tuple(_completed(opened, hit) for hit in ranking.hits)) for ranking in rankings)


def _completed(collection: Collection, hit: RunHit) -> RunHit:
    if hit.text is not None and hit.document_id is not None:
        return hit
    document, _, start = hit.id.rpartition("#")
    places = [(hit.id, 0)]
    if document and start.isascii() and start.isdigit() and len(start) < 18:
        places.append((document, int(start)))
    for id, offset in places:
        rows = collection.select(
            "SELECT p.number FROM documents d JOIN passages p ON p.document = d.row "
            "WHERE d.replaces IS NULL AND d.id = ? AND p.start = ?",
            (id, offset),
        )
        for passage in collection.passages([number for (number,) in rows]).values():
            return replace(hit, document_id=passage.document_id, title=passage.title, text=passage.text)
    raise InputError(
        f"{collection.directory} has no passage {hit.id!r}; name the collection that was searched, as it was then"
    )
