"""Runs completed with what they lack: questions by id, texts and documents by passage id."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from opendpr.collection import Collection, open_collection
from opendpr.collection.lookup import passage_at
from opendpr.errors import InputError
from opendpr.interop import Ranking, RunHit
from opendpr.types import Passage, Question


def with_questions(rankings: Iterable[Ranking], questions: Mapping[str, Question]) -> Iterator[Ranking]:
    """The rankings with text and answers of their questions.

    Args:
        questions: by their ids

    Raises:
        InputError: a ranking belongs to none of the questions.
    """
    for ranking in rankings:
        if ranking.id not in questions:
            raise InputError(
                f"the run ranks for question {ranking.id!r}, which is none of those given; give "
                "the question file that the run is of"
            )
        question = questions[ranking.id]
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
    passage = ranked_passage(collection, hit.id)
    return replace(hit, document_id=passage.document_id, title=passage.title, text=passage.text)


def ranked_passage(collection: Collection, id: str) -> Passage:
    """What a run ranks under an id: a passage, or a whole document, whose number is that of its first passage.

    Raises:
        InputError: the collection has neither.
    """
    if (first := passage_at(collection, id, 0)) is not None:
        whole = collection.document(id)
        return replace(first, title=whole.title, text=whole.text)
    document, _, start = id.rpartition("#")
    is_place = document and start.isascii() and start.isdigit() and len(start) < 18
    if is_place and (passage := passage_at(collection, document, int(start))) is not None:
        return passage
    raise InputError(
        f"{collection.directory} has no passage {id!r}; name the collection that was searched, as it was then"
    )
