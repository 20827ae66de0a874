"""Questions with their gold answers, whatever a system calls the fields; and what of them is of no use."""

from __future__ import annotations

import logging
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Set
from dataclasses import replace
from pathlib import Path

from opendpr.choices import AnswerMatch
from opendpr.errors import InputError
from opendpr.interop.nouns import MarkedQuestion, Ranking
from opendpr.interop.records import Fields, Record, checked, identifier, texts, words
from opendpr.storage.lines import json_kind
from opendpr.text.matching import occurs_everywhere
from opendpr.types import ExamplePassage, Question, TrainingExample
from opendpr.wording import counted

logger = logging.getLogger(__name__)

QUESTION_IDS = ("id", "_id", "qid", "query_id", "question_id", "example_id")
"""Names of the field that holds a question's id; the first that is there counts."""
ANSWER_FIELDS = ("answers", "answer", "target", "answer_text")
"""Names of the field that holds the gold answers; the first that has any counts."""
GOLD_LIKE_FIELD = re.compile(
    r"answer|gold|target|truth|solution|alias|reference|expected|output|response|completion|^labels?$", re.IGNORECASE
)
"""What a field may be called that holds gold answers under a name of its own."""
OTHER_FIELD = re.compile(
    r"(_id|_ids|_type|_start|_end|_ranks?|_count|_regex|impossible|^plausible_answers|^has_answer)$"
)
DROPPED_NAMED = 5
"""How many of the things dropped are named."""


def question_of(record: Record, name: str = "question") -> Question:
    """The question of a JSON object.

    Args:
        name: of the field with its text.

    Raises:
        InputError: a field is not what it should be, or the gold answers seem to be under an unknown name.
    """
    place, number, fields = record
    text = words(fields, name, place)
    match = fields.get("match", "regex" if fields.get("answers_are_regex") else "string")
    if match not in ("string", "regex"):
        raise InputError(f"{place}: 'match' must be 'string' or 'regex', found {match!r:.60}")
    document_ids = texts(fields, "document_ids", place)
    if fields.get("document_id") is not None:
        document_ids = (identifier(fields, "document_id", place), *document_ids)
    id = identifier(fields, QUESTION_IDS, place, str(number))
    return Question(id, text, answers_of(fields, place), match, document_ids)


def question_fields(question: Question) -> dict[str, object]:
    """A question as a JSON object in our form; what is as usual is left out."""
    fields: dict[str, object] = {"id": question.id, "question": question.text, "answers": list(question.answers)}
    if question.match != "string":
        fields["match"] = question.match
    if question.document_ids:
        fields["document_ids"] = list(question.document_ids)
    return fields


def answers_of(fields: Fields, place: str) -> tuple[str, ...]:
    """The gold answers of a record, each once: a string, a list of strings, or an object that holds them.

    Raises:
        InputError: they have another form, or only a field with another name seems to hold some.
    """
    for name in ANSWER_FIELDS:
        if answers := _strings(fields.get(name), name, place):
            return tuple(dict.fromkeys(answers))
    for name, value in fields.items():
        like_gold = name not in ANSWER_FIELDS and GOLD_LIKE_FIELD.search(name) and not OTHER_FIELD.search(name)
        if like_gold and value and isinstance(value, str | list | dict):
            raise InputError(
                f"{place}: the gold answers seem to be in {name!r:.60}, which is not read; call it 'answers'"
            )
    return ()


def _strings(value: object, name: str, place: str) -> list[str]:
    match value:
        case None:
            return []
        case str():
            return [checked(value, name, place)]
        case list():
            return [string for item in value for string in _listed(item, name, place)]
        case {"text": str() | list() as inner}:  # as `datasets` writes SQuAD
            return _strings(inner, name, place)
        case {"value": str(first), **others}:  # as TriviaQA has it
            return [checked(first, name, place), *_strings(others.get("aliases"), name, place)]
    raise InputError(f"{place}: '{name}' must be a list of strings, found {json_kind(value)}")


def _listed(value: object, name: str, place: str) -> list[str]:
    """An answer in a list: a string, or an object with it."""
    if isinstance(value, str) or (isinstance(value, dict) and isinstance(value.get("text"), str)):
        return _strings(value, name, place)
    raise InputError(f"{place}: '{name}' must be a list of strings, found an array with {json_kind(value)} in it")


class Dropped:
    """Drops what is of no use in a file, and reports it when the file ends.

    - An answer without a token, or a pattern that matches the empty string: it would be found in every text.
    - A passage without text, and one whose text is among the example's others already. As a negative it would teach
      that the positive is wrong; twice it would count twice.
    """

    def __init__(self, path: Path, match: AnswerMatch | None = None) -> None:
        self.path, self.match = path, match
        self._names: dict[tuple[str, str], list[str]] = {}
        self._counts: Counter[tuple[str, str]] = Counter()

    def question(self, question: Question) -> Question:
        """The question with the answers that can be used."""
        match = self.match or question.match
        kept = self.answers(question.id, question.answers, match)
        return (
            question
            if (kept, match) == (question.answers, question.match)
            else replace(question, answers=kept, match=match)
        )

    def answers(self, question_id: str, answers: Iterable[str], match: AnswerMatch = "string") -> tuple[str, ...]:
        """The answers that can be used."""
        kept = []
        for answer in answers:
            if occurs_everywhere(answer, match):
                self.add("answer", "found in every text", f"{answer!r:.40} of question {question_id!r:.40}")
            else:
                kept.append(answer)
        return tuple(kept)

    def marked(self, question: MarkedQuestion) -> MarkedQuestion:
        """The question with the marks and answers that can be used."""
        kept = set(self.answers(question.id, dict.fromkeys([*question.answers, *(mark for _, mark in question.marks)])))
        marks = tuple(mark for mark in question.marks if mark[1] in kept)
        return replace(question, marks=marks, answers=tuple(answer for answer in question.answers if answer in kept))

    def ranking(self, ranking: Ranking) -> Ranking:
        """The ranking with the answers that can be used."""
        kept = self.answers(ranking.id, ranking.answers)
        return ranking if kept == ranking.answers else replace(ranking, answers=kept)

    def example(self, example: TrainingExample) -> TrainingExample:
        """The example with each text once, as a positive rather than as a negative."""
        id = example.question.id
        texts: set[str] = set()
        positives = self._once(self._with_text(example.positives, id), texts, id)
        positive_texts = frozenset(texts)
        hard, others = (
            self._once(self._without(self._with_text(passages, id), positive_texts, noun, id), texts, id)
            for passages, noun in ((example.hard_negatives, "hard negative"), (example.negatives, "negative"))
        )
        return TrainingExample(self.question(example.question), positives, hard, others)

    def _with_text(self, passages: Iterable[ExamplePassage], id: str) -> Iterator[ExamplePassage]:
        for passage in passages:
            if _plain_text(passage):
                yield passage
            else:
                self.add("passage", "without text", f"of question {id!r:.40}")

    def _without(
        self, passages: Iterable[ExamplePassage], texts: Set[str], noun: str, id: str
    ) -> Iterator[ExamplePassage]:
        for passage in passages:
            if _plain_text(passage) in texts:
                self.add(noun, "with the text of a positive passage", f"{passage.text!r:.40} of question {id!r:.40}")
            else:
                yield passage

    def _once(self, passages: Iterable[ExamplePassage], texts: set[str], id: str) -> tuple[ExamplePassage, ...]:
        kept = []
        for passage in passages:
            text = _plain_text(passage)
            if text in texts:
                self.add("passage", "that an example has twice", f"{passage.text!r:.40} of question {id!r:.40}")
            else:
                kept.append(passage)
            texts.add(text)
        return tuple(kept)

    def add(self, noun: str, why: str, name: str) -> None:
        """Count a thing that was dropped; the first few are named."""
        names = self._names.setdefault((noun, why), [])
        self._counts[noun, why] += 1
        if len(names) < DROPPED_NAMED:
            names.append(name)

    def report(self) -> None:
        """Say what was dropped, with its number and the first few by name."""
        for (noun, why), names in self._names.items():
            count = self._counts[noun, why]
            more = ", ..." if count > len(names) else ""
            logger.warning("%s: dropped %s %s: %s%s", self.path, counted(count, noun), why, ", ".join(names), more)


def _plain_text(passage: ExamplePassage) -> str:
    """The text by which two passages are the same."""
    return " ".join(passage.text.split())
