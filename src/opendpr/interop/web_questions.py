"""WebQuestions' own files (Berant et al., 2013), and the JSON that YodaQA made of them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from opendpr.errors import InputError
from opendpr.interop.gold import answers_of
from opendpr.interop.records import identifier, read_records, text, words
from opendpr.interop.start import Start
from opendpr.types import Question

DESCRIPTION = re.compile(r'\s*\(description (?:("(?:[^"\\]|\\.)*")|([^()"]+))\)')
"""One answer of a target: a string in quotation marks, or a word as it is."""


def is_questions(start: Start) -> bool:
    """Whether the first record has an `utterance`, or a `qText`."""
    return "utterance" in start.fields or "qText" in start.fields


def read_questions(start: Start) -> Iterator[Question]:
    """Records `utterance, targetValue`, or `qId, qText, answers`."""
    for place, number, fields in read_records(start.path):
        if "qText" in fields:
            accepted = answers_of(fields, place)
            yield Question(identifier(fields, "qId", place, str(number)), words(fields, "qText", place), accepted)
        else:
            target = text(fields, "targetValue", place, "(list)")
            yield Question(str(number), words(fields, "utterance", place), _answers(target, place))


def _answers(target: str, place: str) -> tuple[str, ...]:
    """The answers of `(list (description "Jazmyn Bieber") (description Jaxon))`.

    Raises:
        InputError: it has another form.
    """
    inner = target.strip().removeprefix("(list").removesuffix(")")
    if not target.strip().startswith("(list") or DESCRIPTION.sub("", inner).strip():
        raise InputError(f"{place}: expected 'targetValue' to be '(list (description ...) ...)', found {target!r:.100}")
    words = (quoted or word for quoted, word in DESCRIPTION.findall(inner))
    return tuple(dict.fromkeys(json.loads(answer) if answer.startswith('"') else answer for answer in words))
