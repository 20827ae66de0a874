"""Whether a text holds an answer, as the field judges retrieved passages (DrQA, then DPR).

By `string`: both are brought to Unicode's NFD and cut into tokens, a token being a run of letters, numbers and
marks, or any other single character that is neither a separator nor a control. The lower-cased tokens of the
answer must occur in those of the text, one after the other. By `regex`: the pattern, in NFD too, is searched
in the text, without regard to case. An answer that would occur in every text, since it has no token or its
pattern matches the empty string, is left out and reported.
"""

from __future__ import annotations

import logging
import re
import time
import unicodedata
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Generic, TypeVar

import regex

from opendpr.choices import AnswerMatch
from opendpr.errors import InputError

logger = logging.getLogger(__name__)

Key = TypeVar("Key", bound=Hashable)

TOKEN_SEPARATOR = "\x1f"
"""What is put between tokens: a control character, so part of none."""
KEPT_TEXTS = 20_000
"""Texts whose tokens are kept: about 40 MB of passages of 100 words."""
KEPT_TEXT_CHARACTERS = 4_000
"""Longest text whose tokens are kept: whole documents would fill the memory."""
PATTERN_SIZE = 20_000
"""Characters of a pattern after writing out its repetitions."""

ANSWER_TOKEN = regex.compile(r"[\p{L}\p{N}\p{M}]+|[^\p{Z}\p{C}]")
_ASCII_TOKEN = re.compile(r"[0-9A-Za-z]+|[!-/:-@\[-`{-~]")
_PATTERN_PIECE = re.compile(r"\\.|\[(?:\\.|[^\]\\])+\]|\{(\d+)(?:,\d*)?\}|.", re.DOTALL)


@dataclass(frozen=True)
class PatternLimits:
    """Processor time, in seconds, that a pattern may take; then it is given up."""

    search: float = 1.0
    """In one text."""
    question: float = 3.0
    """In all texts of a question together, besides `text` for each of them."""
    text: float = 0.001
    """What each text adds: the time for many texts grows with their number."""


PATTERN_LIMITS = PatternLimits()


def joined_tokens(text: str) -> str:
    """The lower-cased tokens of a text, each between separators: a sequence of tokens is a substring of it."""
    tokens = _ASCII_TOKEN.findall(text) if text.isascii() else ANSWER_TOKEN.findall(unicodedata.normalize("NFD", text))
    return TOKEN_SEPARATOR.join(["", *tokens, ""]).lower() if tokens else TOKEN_SEPARATOR


_kept_tokens = lru_cache(KEPT_TEXTS)(joined_tokens)
_kept_nfd = lru_cache(KEPT_TEXTS)(lambda text: unicodedata.normalize("NFD", text))


def _tokens(text: str) -> str:
    return _kept_tokens(text) if len(text) <= KEPT_TEXT_CHARACTERS else joined_tokens(text)


def _normalized(text: str) -> str:
    return _kept_nfd(text) if len(text) <= KEPT_TEXT_CHARACTERS else unicodedata.normalize("NFD", text)


def occurs_everywhere(answer: str, match: AnswerMatch = "string") -> bool:
    """Whether an answer would occur in every text: it has no token, or its pattern matches the empty string."""
    if match == "string":
        return joined_tokens(answer) == TOKEN_SEPARATOR
    try:
        return compile_pattern(answer).fullmatch("", timeout=PATTERN_LIMITS.search) is not None
    except (InputError, TimeoutError, MemoryError):
        return False


def unusable(answer: str, match: AnswerMatch = "string") -> str | None:
    """Why an answer cannot be judged by, or None: it would occur in every text, or is no pattern."""
    if occurs_everywhere(answer, match):
        reason = "has no letter, digit or sign" if match == "string" else "is a pattern that matches the empty string"
        return f"the answer {answer!r:.80} {reason}, so it would be found in every text"
    try:
        if match == "regex":
            compile_pattern(answer)
    except InputError as error:
        return str(error)
    return None


def has_answer(answers: Sequence[str], text: str, match: AnswerMatch = "string") -> bool:
    """Whether one of the answers occurs in the text.

    One that cannot be used, or a pattern that takes too long, matches nothing.
    """
    return AnswerMatcher(answers, match)(text)


class AnswerMatcher:
    """Judges one text after another by the answers of one question."""

    def __init__(
        self, answers: Sequence[str], match: AnswerMatch = "string", *, limits: PatternLimits = PATTERN_LIMITS
    ) -> None:
        self.answers, self.match, self._limits = tuple(answers), match, limits
        reasons = {answer: unusable(answer, match) for answer in self.answers}
        self.invalid: dict[str, str] = {answer: reason for answer, reason in reasons.items() if reason}
        """Answers that cannot be used, and why."""
        self.timed_out = 0
        """How often a pattern was not searched to the end of a text, which then counts as without it."""
        usable = [answer for answer, reason in reasons.items() if not reason]
        self.strings: list[str] = list(dict.fromkeys(map(joined_tokens, usable))) if match == "string" else []
        """The usable answers as `joined_tokens`; none if they are patterns."""
        patterns = [compile_pattern(answer) for answer in usable] if match == "regex" else []
        self._seconds_left = dict.fromkeys(patterns, limits.question)

    def __call__(self, text: str) -> bool:
        """Whether one of the answers occurs in the text."""
        if self.match == "string":
            tokens = _tokens(text)
            return any(answer in tokens for answer in self.strings)
        return any(self._searched(pattern, text, _occurs) for pattern in self._seconds_left)

    def begins(self, text: str) -> bool:
        """Whether one of the patterns matches at the beginning of the text; for `regex` alone."""
        return any(self._searched(pattern, text, _begins) for pattern in self._seconds_left)

    def _searched(self, pattern: regex.Pattern[str], text: str, search: Search) -> bool:
        left = self._seconds_left[pattern] + self._limits.text
        if left > 0:
            started = time.process_time()
            try:
                return search(pattern, _normalized(text), min(left, self._limits.search))
            except (TimeoutError, MemoryError):
                pass
            finally:
                self._seconds_left[pattern] = left - (time.process_time() - started)
        self.timed_out += 1
        return False


Search = Callable[["regex.Pattern[str]", str, float], bool]


def _occurs(pattern: regex.Pattern[str], text: str, seconds: float) -> bool:
    """Whether a pattern matches words; a match between two characters, as for `\\b`, says nothing about a text."""
    return any(match.end() > match.start() for match in pattern.finditer(text, timeout=seconds))


def _begins(pattern: regex.Pattern[str], text: str, seconds: float) -> bool:
    match = pattern.match(text, timeout=seconds)
    return match is not None and match.end() > 0


@lru_cache(1_000)
def compile_pattern(answer: str) -> regex.Pattern[str]:
    """The regular expression of an answer.

    Raises:
        InputError: it is not a regular expression, or writing out its repetitions makes it too large.
    """
    pattern = unicodedata.normalize("NFD", answer)
    if (size := _written_out(pattern)) > PATTERN_SIZE:
        raise InputError(
            f"the pattern {answer!r:.80} has {size:,} characters once its repetitions are written out; shorten them"
        )
    try:
        return regex.compile(pattern, flags=regex.IGNORECASE | regex.UNICODE | regex.MULTILINE)
    except (regex.error, RecursionError) as error:
        reason = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise InputError(
            f"{answer!r:.80} is not a regular expression: {reason}; mend it, or compare answers as strings"
        ) from None


def _written_out(pattern: str) -> int:
    """About how many characters a pattern has with `x{3}` written as `xxx`."""
    sizes, last = [0], 0
    for piece in _PATTERN_PIECE.finditer(pattern):
        if piece[1]:
            more = last * (min(int(piece[1]), PATTERN_SIZE + 1) - 1)
            last, sizes[-1] = last + max(more, 0), sizes[-1] + max(more, 0)
        elif piece[0] == "(":
            sizes.append(1)
        elif piece[0] == ")" and len(sizes) > 1:
            last = sizes.pop() + 1
            sizes[-1] += last
        else:
            last, sizes[-1] = 1, sizes[-1] + 1
    return sum(sizes)


class AnswerScan(Generic[Key]):
    """Which of many questions have an answer somewhere: every text of a collection is scanned once.

    An answer is searched for only in texts that hold its longest token. Memory is that of the answers.

    Args:
        matchers: by any key that names the question
    """

    def __init__(self, matchers: Mapping[Key, AnswerMatcher]) -> None:
        self.missing = set(matchers)
        """Questions without an answer in the texts so far."""
        self._patterns = {key: matcher for key, matcher in matchers.items() if matcher.match == "regex"}
        self._by_token: dict[str, list[tuple[str, Key]]] = {}
        for key, matcher in matchers.items():
            for string in matcher.strings:
                longest = max(string.split(TOKEN_SEPARATOR), key=len)
                self._by_token.setdefault(longest, []).append((string, key))

    def scan(self, text: str) -> None:
        """Take away the questions that one text answers."""
        held = joined_tokens(text)
        for token in self._by_token.keys() & set(held.split(TOKEN_SEPARATOR)):
            answered = {key for string, key in self._by_token[token] if string in held}
            if answered:
                self.missing -= answered
                left = [entry for entry in self._by_token[token] if entry[1] not in answered]
                self._by_token[token] = left
                if not left:
                    del self._by_token[token]
        for key in [key for key, matcher in self._patterns.items() if matcher(text)]:
            self.missing.discard(key)
            del self._patterns[key]

    def look_through(self, texts: Iterable[str]) -> set[Key]:
        """Scan all texts, or until nothing is missing; returns the questions whose answer is nowhere."""
        for text in texts:
            if not self.missing:
                break
            self.scan(text)
        return self.missing
