"""Signs at the ends of an answer: emphasis, brackets, quotes and code marks are kept in pairs or not at all."""

from __future__ import annotations

import re

from opendpr.answering.surroundings import SpanInContext, in_context, recut
from opendpr.types import Span

EMPHASIS = re.compile(r"\*{1,3}|`{1,2}")
"""What emphasised words have before and behind them in Markdown."""
EMPHASIS_CHARACTERS = 3
MARKED_WORDS = re.compile(
    r"(?P<mark>\*{1,3}|`{1,2})(?![\s*`])(?P<words>(?:(?!(?P=mark)).)+)(?<![\s*`])(?P=mark)", re.DOTALL
)
"""Words with the same mark at both ends, and not between."""
UNDERLINED = re.compile(r"_(?P<words>[^_\n]+)_")
QUOTES = (('"', '"'), ("\u201c", "\u201d"))
CLOSING_BRACKETS = {")": "(", "]": "["}
INLINE_CODE = re.compile(r"(?<!`)(`{1,2})(?!`)[^\S\n]*([^`\n]+?)[^\S\n]*\1(?!`)")
COMMAND_LINE = re.compile(r"^[^\S\n]*[$#%][^\S\n]+(\S[^\n]*?)[^\S\n]*$", re.M)
"""A line that is typed behind a prompt."""
COMMAND_CHARACTERS = 80
"""A longer line of code is a script, and no answer as a whole."""
COMMAND_ASKED = re.compile(
    r"\bcommand(?: line)?\b|\bhow (?:do|can|would|should|to)\b|\bwhat (?:do|should|must) (?:i|you|we|one) "
    r"(?:run|type|enter|call|execute)\b"
)


def without_stray_marks(span: Span, question: str = "") -> Span:
    """The span with whole pieces of code, brackets and quotes in pairs, and no marks of emphasis at its ends."""
    return with_quotes_in_pairs(
        without_pair(without_half_a_pair(with_brackets_in_pairs(with_whole_code(span, question))))
    )


def with_whole_code(span: Span, question: str = "") -> Span:
    """The code between marks, if a span begins in it and ends outside, or the other way round.

    For a question about a command it is the whole line of code that a span is a part of.
    """
    text, start, end = in_context(span)
    command = bool(COMMAND_ASKED.search(question.lower()))
    first, last = SpanInContext(text, start, end).line
    for code in INLINE_CODE.finditer(text, first, last):
        (opening, closing), (begin, finish) = code.span(), code.span(2)
        if finish - begin > COMMAND_CHARACTERS or not (begin < end and start < finish):
            continue
        cut = (start <= opening and end < finish) or (start > begin and end > closing)
        if cut or (command and begin <= start and end <= finish):
            return recut(span, begin, finish)
    if command:
        for line in COMMAND_LINE.finditer(text, first, last):
            begin, finish = line.span(1)
            if begin <= start and end <= finish and finish - begin <= COMMAND_CHARACTERS:
                return recut(span, begin, finish)
    return span


def with_brackets_in_pairs(span: Span) -> Span:
    """The span up to a bracket that closes what it does not open, and without one that it leaves open.

    >>> from opendpr.types import Hit, Passage
    >>> hit = Hit(Passage(1, "d", "", "queue lifetime (default: 5d) Consider", 0), 1.0)
    >>> with_brackets_in_pairs(Span(hit, 25, 36, "5d) Consider", 0.0, 0.0)).text
    '5d'
    """
    text, start, end = in_context(span)
    opened: list[int] = []
    for place, sign in enumerate(text[start:end], start):
        if sign in CLOSING_BRACKETS.values():
            opened.append(place)
        elif sign in CLOSING_BRACKETS:
            if opened and text[opened[-1]] == CLOSING_BRACKETS[sign]:
                opened.pop()
            elif _begins_an_item(text, place) or not _says_something(text[start:place]):
                return span
            else:
                return recut(span, start, _without_space(text, start, place))
    if not opened:
        return span
    if end < len(text) and CLOSING_BRACKETS.get(text[end]) == text[opened[-1]] and len(opened) == 1:
        whole = (start + 1, end) if opened[0] == start else (start, end + 1)
        return recut(span, *whole)
    if opened[0] > start and text[opened[0] - 1].isspace() and _says_something(text[start : opened[0]]):
        return recut(span, start, _without_space(text, start, opened[0]))
    return span


def with_quotes_in_pairs(span: Span) -> Span:
    """The span with the quotation mark just outside whose partner is in it, or without that at its end.

    >>> from opendpr.types import Hit, Passage
    >>> hit = Hit(Passage(1, "d", "", 'send the "terminate" signal to it', 0), 1.0)
    >>> with_quotes_in_pairs(Span(hit, 10, 27, 'terminate" signal', 0.0, 0.0)).text
    '"terminate" signal'
    >>> with_quotes_in_pairs(Span(hit, 10, 20, 'terminate"', 0.0, 0.0)).text
    'terminate'
    """
    text, start, end = in_context(span)
    for opening, closing in QUOTES:
        words = text[start:end]
        signs = words.count(opening) + (words.count(closing) if closing != opening else 0)
        if signs % 2 == 0:
            continue
        if text[:start].endswith(opening) and closing in words:
            return recut(span, start, end - 1) if words.endswith(closing) else recut(span, start - 1, end)
        if text.startswith(closing, end) and opening in words:
            return recut(span, start + 1, end) if words.startswith(opening) else recut(span, start, end + 1)
    return span


def _begins_an_item(text: str, place: int) -> bool:
    """Whether a bracket is that of a list item, as in `1) first`."""
    before = text[text.rfind("\n", 0, place) + 1 : place].strip()
    return len(before) <= 2 and before.isalnum()


def _says_something(text: str) -> bool:
    return any(map(str.isalnum, text))


def _without_space(text: str, start: int, end: int) -> int:
    return start + len(text[start:end].rstrip(" \t\n,;:"))


def without_half_a_pair(span: Span) -> Span:
    """The span without a mark of emphasis at one end that has its partner just outside: `Lund` of `**Lund` + `**`."""
    text, start, end = in_context(span)
    before = _mark(text[max(0, start - EMPHASIS_CHARACTERS) : start], at_end=True)
    behind = _mark(text[end : end + EMPHASIS_CHARACTERS], at_end=False)
    if before and before == _mark(span.text, at_end=True) and before not in span.text[: -len(before)]:
        return recut(span, start, end - len(before))
    if behind and behind == _mark(span.text, at_end=False) and behind not in span.text[len(behind) :]:
        return recut(span, start + len(behind), end)
    return span


def _mark(text: str, *, at_end: bool) -> str:
    """The mark of emphasis that a text ends or begins with."""
    signs = text[len(text.rstrip("*`")) :] if at_end else text[: len(text) - len(text.lstrip("*`"))]
    return signs if EMPHASIS.fullmatch(signs) else ""


def without_pair(span: Span) -> Span:
    """The span without the marks of emphasis at both of its ends: `git push` of `` `git push` ``."""
    while pair := MARKED_WORDS.fullmatch(span.text) or UNDERLINED.fullmatch(span.text):
        _, start, _ = in_context(span)
        span = recut(span, start + pair.start("words"), start + pair.end("words"))
    return span
