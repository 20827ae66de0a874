"""Where a text is best cut: before headings, paragraphs, list items and sentences, rarely inside one.

Each place between two words has a cost, and so has each passage that is longer or shorter than wanted; the cuts with
the smallest sum are chosen by dynamic programming. A heading, a label or the name of an option stays with what follows.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Sequence

LONGEST_SHARE, SHORTEST_SHARE = 1.4, 0.35
"""Most and fewest words of a passage, as shares of those wanted; the last passage may be shorter."""
LENGTH_WEIGHT = 2.0
"""Cost of a passage without words, or with twice as many as wanted; it grows with the square of the difference."""
USUAL_COST = 0.2
"""Cost of the cut of most passages: what a longer one saves by there being fewer is taken from it again, so that
passages have as many words as wanted on the whole."""
INSIDE_SENTENCE_COST, AFTER_LABEL_COST = 1.0, 0.8
HEADING_COST, PARAGRAPH_COST, ITEM_COST, LINE_COST, SENTENCE_COST = 0.0, 0.05, 0.08, 0.15, 0.25
CUT_STEPS = 4
"""Cuts inside a sentence that are considered for each passage of the wanted length."""

_ITEM = re.compile(r"(?:[-*+\u2022\u2013]|\(?\d{1,3}[.)]|\(?[a-z][.)]|--?\w)[^\S\n]?\S")
_MARKDOWN_HEADING = re.compile(r"#{1,6}[^\S\n]+\S")
_CLOSED_SENTENCE = re.compile(r"[.!?\u2026\u3002\uff01\uff1f][\"'\u201d\u2019)\]]*$")
LABEL_CHARACTERS = 80
WRAPPED_CHARACTERS = 50
"""A line of this length may only be wrapped: its end means nothing."""


def cuts(text: str, starts: Sequence[int], words: int) -> list[int]:
    """The first word of each passage, the number of the words of the text at the end.

    Args:
        starts: offset of each word
        words: wanted in a passage
    """
    places = _places(text, starts, words)
    costs, before = _cheapest(places, words)
    chosen, at = [places[-1][0]], len(costs) - 1
    while at > 0:
        at = before[at]
        chosen.append(places[at][0])
    return chosen[::-1]


def _cheapest(places: Sequence[tuple[int, float]], words: int) -> tuple[array[float], array[int]]:
    """For each place the smallest cost of cutting all before it, and the place of the cut before it then."""
    longest = int(LONGEST_SHARE * words)
    costs, before = array("d", [0.0]), array("q", [0])
    first = 0
    for number in range(1, len(places)):
        word, cost = places[number]
        while word - places[first][0] > longest and first < number - 1:
            first += 1
        is_last = number == len(places) - 1
        sums = [costs[at] + _length_cost(word - places[at][0], words, is_last=is_last) for at in range(first, number)]
        best = min(range(len(sums)), key=sums.__getitem__)
        costs.append(sums[best] + cost)
        before.append(first + best)
    return costs, before


def _length_cost(length: int, words: int, *, is_last: bool) -> float:
    """What it costs that a passage is not as long as wanted; a short last one costs less."""
    share = length / words
    if share < SHORTEST_SHARE and not is_last:
        return LENGTH_WEIGHT + INSIDE_SENTENCE_COST
    if is_last and share < 1:
        return LENGTH_WEIGHT * (share - 1) ** 2 / 4
    return LENGTH_WEIGHT * (share - 1) ** 2 + USUAL_COST * (share - 1)


def _places(text: str, starts: Sequence[int], words: int) -> list[tuple[int, float]]:
    """Words before which a cut is considered, with its cost: good places, and others where there are none."""
    step = max(1, words // CUT_STEPS)
    chosen: list[tuple[int, float]] = [(0, 0.0)]
    for number in range(1, len(starts)):
        cost = _cost(text, starts[number - 1], starts[number])
        if cost < INSIDE_SENTENCE_COST or number - chosen[-1][0] >= step:
            chosen.append((number, cost))
    chosen.append((len(starts), 0.0))
    return chosen


def _cost(text: str, previous: int, start: int) -> float:
    """The cost of a cut before the word at `start`; the word before it begins at `previous`."""
    between = text[previous:start]
    word = between.rstrip()
    space = between[len(word) :]
    ended = _CLOSED_SENTENCE.search(word) is not None
    if "\n" not in space:
        return SENTENCE_COST if ended and not text[start].islower() else INSIDE_SENTENCE_COST
    line_start = text.rfind("\n", 0, previous) + 1
    length = previous + len(word) - line_start
    if _is_label(text[line_start : previous + len(word)], ended=ended):
        return AFTER_LABEL_COST
    if _MARKDOWN_HEADING.match(text, start):
        return HEADING_COST
    if space.count("\n") > 1:
        end = text.find("\n", start)
        following = text[start : end if end >= 0 else len(text)]
        return HEADING_COST if _is_label(following, ended=bool(_CLOSED_SENTENCE.search(following))) else PARAGRAPH_COST
    if _ITEM.match(text, start):
        return ITEM_COST
    if length < WRAPPED_CHARACTERS or "\t" in text[line_start:previous]:
        return LINE_COST
    return SENTENCE_COST if ended else INSIDE_SENTENCE_COST


def _is_label(line: str, *, ended: bool) -> bool:
    """Whether a line is a heading or a name, which belongs to what follows it: short, and no sentence or row."""
    if _MARKDOWN_HEADING.match(line):
        return True
    return (
        not ended and len(line) <= LABEL_CHARACTERS and "\t" not in line and "|" not in line and line[-1:] not in ",;"
    )
