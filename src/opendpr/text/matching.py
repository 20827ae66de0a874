"""Whether a text holds an answer, as the field judges retrieved passages (DrQA, then DPR).

By `string`: both are brought to Unicode's NFD and cut into tokens, a token being a run of letters, numbers and
marks, or any other single character that is neither a separator nor a control. The lower-cased tokens of the
answer must stand in those of the text, one after the other. By `regex`: the pattern, in NFD too, is searched
in the text, without regard to case.
"""

from __future__ import annotations

import logging
import re
import time
import unicodedata
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Generic, Literal, TypeVar

import regex

from opendpr.errors import InputError

logger = logging.getLogger(__name__)

Match = Literal["string", "regex"]
Key = TypeVar("Key", bound=Hashable)

SEPARATOR = "\x1f"
"""Between tokens: a control character, so part of none."""
PASSAGES = 20_000
"""Texts whose tokens are kept: about 40 MB of passages of 100 words."""
KEPT_CHARACTERS = 4_000
"""Longest of them: whole documents would fill the memory."""
SEARCH_SECONDS = 1.0
"""Processor time that one pattern may take in one text."""
PATTERN_SECONDS = 3.0
"""Processor time that one pattern may take for one question, besides its allowance; then it is given up."""
ALLOWANCE_SECONDS = 0.001
"""What each text adds to that: many texts may take long, but no longer than they are many."""
PATTERN_SIZE = 20_000
"""Characters of a pattern after writing out its repetitions."""

TOKEN = regex.compile(r"[\p{L}\p{N}\p{M}]+|[^\p{Z}\p{C}]")
_ASCII_TOKEN = re.compile(r"[0-9A-Za-z]+|[!-/:-@\[-`{-~]")
_PATTERN_PIECE = re.compile(r"\\.|\[(?:\\.|[^\]\\])+\]|\{(\d+)(?:,\d*)?\}|.", re.DOTALL)


def joined_tokens(text: str) -> str:
    """The lower-cased tokens of a text, each between separators: a sequence of tokens is a substring of it."""
    found = _ASCII_TOKEN.findall(text) if text.isascii() else TOKEN.findall(unicodedata.normalize("NFD", text))
    return SEPARATOR.join(["", *found, ""]).lower() if found else SEPARATOR


_kept_tokens = lru_cache(PASSAGES)(joined_tokens)
_kept_nfd = lru_cache(PASSAGES)(lambda text: unicodedata.normalize("NFD", text))


def _tokens(text: str) -> str:
    return _kept_tokens(text) if len(text) <= KEPT_CHARACTERS else joined_tokens(text)


def _normalized(text: str) -> str:
    return _kept_nfd(text) if len(text) <= KEPT_CHARACTERS else unicodedata.normalize("NFD", text)


def has_answer(answers: Sequence[str], text: str, match: Match = "string") -> bool:
    """Whether one of the answers stands in the text. A pattern that is invalid or takes too long matches nothing.

    An answer without any token stands in every text, as in DPR.
    """
    return AnswerMatcher(answers, match)(text)


class AnswerMatcher:
    """Judges one text after another by the answers of one question."""

    def __init__(self, answers: Sequence[str], match: Match = "string") -> None:
        self.answers, self.match = tuple(answers), match
        self.invalid: dict[str, str] = {}
        """Patterns that cannot be used, and why."""
        self.timed_out = 0
        """How often a pattern was not searched to the end of a text, which then counts as without it."""
        self._strings: list[str] = []
        self._patterns: dict[regex.Pattern[str], float] = {}  # and the seconds that each may still take
        if match == "string":
            self._strings = list(dict.fromkeys(map(joined_tokens, answers)))
            return
        for answer in answers:
            try:
                self._patterns[compile_pattern(answer)] = PATTERN_SECONDS
            except InputError as error:
                self.invalid[answer] = str(error)

    def __call__(self, text: str) -> bool:
        """Whether one of the answers stands in the text."""
        if self.match == "string":
            held = _tokens(text)
            return any(answer in held for answer in self._strings)
        return any(self._found(pattern, pattern.search, text) for pattern in self._patterns)

    def begins(self, text: str) -> bool:
        """Whether one of the patterns matches at the beginning of the text; for `regex` alone."""
        return any(self._found(pattern, pattern.match, text) for pattern in self._patterns)

    def _found(self, pattern: regex.Pattern[str], find: Callable[..., object], text: str) -> bool:
        left = self._patterns[pattern] + ALLOWANCE_SECONDS
        if left > 0:
            started = time.process_time()
            try:
                return find(_normalized(text), timeout=min(left, SEARCH_SECONDS)) is not None
            except (TimeoutError, MemoryError):
                pass
            finally:
                self._patterns[pattern] = left - (time.process_time() - started)
        self.timed_out += 1
        return False


@lru_cache(1_000)
def compile_pattern(answer: str) -> regex.Pattern[str]:
    """The regular expression of an answer.

    Raises:
        InputError: it is none, or writing out its repetitions makes it too large.
    """
    pattern = unicodedata.normalize("NFD", answer)
    if (size := _written_out(pattern)) > PATTERN_SIZE:
        raise InputError(f"the pattern {answer!r:.80} has {size:,} characters once its repetitions are written out")
    try:
        return regex.compile(pattern, flags=regex.IGNORECASE | regex.UNICODE | regex.MULTILINE)
    except (regex.error, RecursionError) as error:
        reason = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise InputError(f"{answer!r:.80} is not a regular expression: {reason}") from None


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
    """Which of many questions have an answer somewhere: every text of a collection is looked at once.

    An answer is looked for only in texts that hold its longest token. Memory is that of the answers.

    Args:
        matchers: by any key that names the question
    """

    def __init__(self, matchers: Mapping[Key, AnswerMatcher]) -> None:
        self.missing = set(matchers)
        """Questions without an answer in the texts so far."""
        self._patterns = {key: matcher for key, matcher in matchers.items() if matcher.match == "regex"}
        self._by_token: dict[str, list[tuple[str, Key]]] = {}
        for key, matcher in matchers.items():
            for answer in matcher.answers if matcher.match == "string" else ():
                string = joined_tokens(answer)
                longest = max(string.split(SEPARATOR), key=len)
                self._by_token.setdefault(longest, []).append((string, key))

    def look(self, text: str) -> None:
        """Look at one text."""
        held = joined_tokens(text)
        for token in self._by_token.keys() & set(held.split(SEPARATOR)):
            found = {key for string, key in self._by_token[token] if string in held}
            if found:
                self.missing -= found
                left = [entry for entry in self._by_token[token] if entry[1] not in found]
                self._by_token[token] = left
                if not left:
                    del self._by_token[token]
        for key in [key for key, matcher in self._patterns.items() if matcher(text)]:
            self.missing.discard(key)
            del self._patterns[key]

    def look_through(self, texts: Iterable[str]) -> set[Key]:
        """Look at all texts, or until nothing is missing; returns the questions whose answer is nowhere."""
        for text in texts:
            if not self.missing:
                break
            self.look(text)
        return self.missing
