"""Where in a text an answer occurs, for showing it; `matching` decides whether it does."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence

from opendpr.choices import AnswerMatch
from opendpr.text.matching import ANSWER_TOKEN, compile_pattern, unusable

MARKING_SECONDS = 0.1
"""Processor time that one pattern may take; what it matched until then counts."""
MARKED_PLACES = 50
"""Most places marked for one pattern."""

Place = tuple[int, int]
"""Offsets [start, end) in code points."""


def answer_places(answers: Sequence[str], text: str, match: AnswerMatch = "string") -> list[Place]:
    """The places of all answers in a text, by their beginning, without those inside others."""
    plain, origin = _decomposed(text)
    find = _string_places if match == "string" else _pattern_places
    all_places = {(origin[start], origin[end - 1] + 1) for answer in answers for start, end in find(answer, plain)}
    places: list[Place] = []
    for start, end in sorted(all_places, key=lambda place: (place[0], -place[1])):
        if not places or end > places[-1][1]:
            places.append((start, end))
    return places


def _decomposed(text: str) -> tuple[str, list[int]]:
    """The text in NFD, and for each of its characters the number of the one that it comes from."""
    pieces = [unicodedata.normalize("NFD", character) for character in text]
    return "".join(pieces), [number for number, piece in enumerate(pieces) for _ in piece]


def _string_places(answer: str, plain: str) -> Iterator[Place]:
    wanted = [token.group().lower() for token in ANSWER_TOKEN.finditer(unicodedata.normalize("NFD", answer))]
    tokens = list(ANSWER_TOKEN.finditer(plain))
    words = [token.group().lower() for token in tokens]
    for first in range(len(words) - len(wanted) + 1) if wanted else ():
        if words[first : first + len(wanted)] == wanted:
            yield tokens[first].start(), tokens[first + len(wanted) - 1].end()


def _pattern_places(answer: str, plain: str) -> Iterator[Place]:
    try:
        if unusable(answer, "regex"):
            return  # which is reported with the question
        for count, match in enumerate(compile_pattern(answer).finditer(plain, timeout=MARKING_SECONDS)):
            if count == MARKED_PLACES:
                return
            if match.end() > match.start():
                yield match.start(), match.end()
    except (TimeoutError, MemoryError):
        return
