"""Measures of one answer: what counts as the same words, exact match and F1."""

from __future__ import annotations

import re
import string
import unicodedata
from collections import Counter
from collections.abc import Sequence

from opendpr.choices import AnswerMatch
from opendpr.text.matching import AnswerMatcher, joined_tokens, unusable

_ARTICLES = re.compile(r"\b(a|an|the)\b")
_PUNCTUATION = frozenset(string.punctuation)


def normalize_answer(text: str) -> str:
    """Lower case, no ASCII punctuation, no articles, single spaces (the official SQuAD script)."""
    text = "".join(character for character in text.lower() if character not in _PUNCTUATION)
    return " ".join(_ARTICLES.sub(" ", text).split())


def exact_match(prediction: str, answers: Sequence[str], match: AnswerMatch = "string") -> bool:
    """Whether the normalised prediction equals one of the normalised answers.

    An answer that is all articles or punctuation, as the blood group `A`, is compared token by token. With `regex`,
    whether an answer's pattern matches at the beginning of the prediction, as in DrQA.
    """
    if match == "regex":
        return AnswerMatcher(answers, match).begins(prediction)
    return any(_same_answer(prediction, answer) for answer in answers if not unusable(answer))


def _same_answer(prediction: str, answer: str) -> bool:
    normalized = normalize_answer(answer)
    if normalized:
        return normalize_answer(prediction) == normalized
    return joined_tokens(prediction) == joined_tokens(answer)


def loosely_equal(prediction: str, answers: Sequence[str]) -> bool:
    """Whether the letters and digits are those of an answer: accents, spaces, articles, all punctuation aside."""
    return _letters(prediction) in {_letters(answer) for answer in answers} - {""}


def _letters(text: str) -> str:
    plain = unicodedata.normalize("NFKD", _ARTICLES.sub(" ", text.casefold()))
    return "".join(character for character in plain if character.isalnum())


def f1(prediction: str, answers: Sequence[str]) -> float:
    """Largest F1 over words shared with an answer (SQuAD); without words, 1 for the same tokens."""
    return max((_word_f1(prediction, answer) for answer in answers if not unusable(answer)), default=0.0)


def _word_f1(prediction: str, answer: str) -> float:
    predicted, gold = normalize_answer(prediction).split(), normalize_answer(answer).split()
    if not predicted or not gold:
        return float(_same_answer(prediction, answer))
    shared = sum((Counter(predicted) & Counter(gold)).values())
    return 2 * shared / (len(predicted) + len(gold))
