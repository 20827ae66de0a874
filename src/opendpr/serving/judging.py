"""What users say of answers, stored in the collection that is served."""

from __future__ import annotations

import re
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from opendpr.collection import open_collection
from opendpr.collection.judgements import Judgement, ShownAnswer, judges, open_judgements, remove_judgements
from opendpr.collection.set_manifest import is_set
from opendpr.errors import OpendprError, UsageError
from opendpr.improving.judging import ANSWER_CHARACTERS, AnswerPlace, judge
from opendpr.serving.loaded_collection import LoadedCollection
from opendpr.serving.records import JudgementRecord

WORD = re.compile(r"\w+")


class ForeignJudgementError(OpendprError):
    """A judgement that another token made."""


class Stored(NamedTuple):
    """What became of what was said."""

    record: JudgementRecord
    is_new: bool
    """Whether nobody had said the same before; only then may whoever said it take it back at once."""


class Judgements:
    """The judgements of a served collection; its calls read documents and wait for the disk."""

    def __init__(self, directory: Path, loaded: LoadedCollection) -> None:
        self._directory, self._loaded = directory, loaded
        self._lock = threading.Lock()

    def judge(self, question: str, verdict: str, place: AnswerPlace | None, *, shown: ShownAnswer, who: str) -> Stored:
        """Store what was said of an answer that the model of now gave; raises as `opendpr.improving.judging.judge`."""
        model = self._loaded.model
        answer = ShownAnswer(shown.text, shown.confidence, model.reference, model.fingerprint)
        with self._lock:
            with open_collection(self._directory) as collection:
                before = judges(collection)
            made = judge(self._directory, question, verdict, place, shown=answer, who=who)
        return Stored(_record(made), made.id not in before)

    def remove(self, id: str, who: str) -> None:
        """Forget a judgement.

        Args:
            who: name of the token of the request; empty without one, which may forget any

        Raises:
            InputError: there is none of that id.
            ForeignJudgementError: another token made it.
        """
        with open_judgements(self._directory) as writer:
            if who and judges(writer).get(id, who) != who:
                raise ForeignJudgementError(
                    f"judgement {id!r} was made with another token; take it back with that one, or let whoever keeps "
                    f"the collection run 'opendpr questions COLLECTION --remove {id}'"
                )
            remove_judgements(writer, [id])

    def shown_place(self, place: AnswerPlace, words: str) -> AnswerPlace:
        """A place with the words that a page showed there, which has other line ends than the document may have.

        Raises:
            InputError: the document is not there any more.
        """
        with open_collection(self._directory) as collection:
            text = collection.document(place.document_id).text[place.start : place.end]
        return place._replace(text=text if _lines(text) == _lines(words) else words)

    def find(self, words: str, passages: Sequence[AnswerPlace]) -> AnswerPlace:
        """Where words, as a page shows them, are in the first of some passages that holds them.

        Raises:
            UsageError: none holds them.
            InputError: a document is not there any more.
        """
        with open_collection(self._directory) as collection:
            for passage in passages:
                text = collection.document(passage.document_id).text[passage.start : passage.end]
                if span := find_words(words[:ANSWER_CHARACTERS], text):
                    start, end = (passage.start + offset for offset in span)
                    return AnswerPlace(passage.document_id, start, end)
        raise UsageError(f"none of the passages shown has the words {words[:60]!r}; copy them from one")


def no_judgements(directory: Path) -> str:
    """What to say where a service keeps none."""
    if is_set(directory):
        return f"{directory.name} is a set of collections, whose answers cannot be judged; judge those of one"
    return "this service keeps no judgements; 'opendpr serve --judgements' lets it"


def _lines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def find_words(words: str, text: str) -> tuple[int, int] | None:
    """Where words are in a text first, whatever white space is between them; else without regard to signs between them.

    >>> find_words("the assert  statement", "With the `assert`\\nstatement.")
    (5, 27)
    """
    for pattern in (
        r"\s+".join(map(re.escape, words.split())),
        r"\W+".join(map(re.escape, WORD.findall(words))),
    ):
        if pattern and (match := re.search(pattern, text)):
            return match.span()
    return None


def _record(judgement: Judgement) -> JudgementRecord:
    return JudgementRecord(
        *(judgement.id, judgement.made, judgement.question, judgement.verdict, judgement.text),
        document_id=judgement.document_id or None,
        start=judgement.start,
        end=judgement.end,
    )
