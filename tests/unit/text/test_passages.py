"""Passages: every rule by hand, then properties over nasty Unicode against slow and obvious versions."""

from __future__ import annotations

import re
import sys
import unicodedata
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opendpr.errors import UsageError
from opendpr.text.splitting import Splitter

FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
THUMB = "\U0001f44d\U0001f3fd"
SPACELESS_NAMES = r"CJK |IDEOGRAPHIC |HIRAGANA |HENTAIGANA |(HALFWIDTH )?KATAKANA |(THAI|LAO|KHMER|MYANMAR|TIBETAN) "
SPACELESS_RANGES = [(0xE01, 0x109F), (0x1780, 0x17FF), (0x19E0, 0x19FF), (0x2E80, 0x2FDF), (0x3005, 0x3007)]
SPACELESS_RANGES += [(0x3021, 0x3029), (0x3038, 0x303B), (0x3041, 0x30FF), (0x31F0, 0x31FF), (0x3400, 0x4DBF)]
SPACELESS_RANGES += [(0x4E00, 0x9FFF), (0xA9E0, 0xA9FF), (0xAA60, 0xAA7F), (0xF900, 0xFAFF), (0xFF65, 0xFF9F)]
SPACELESS_RANGES += [(0x1AFF0, 0x1B16F), (0x20000, 0x3FFFD)]
NASTY = [
    *("a", "word", "b" * 39, "c" * 40, "d" * 95, "e\u0301" * 30, "\u0301", "\u0300" * 50, "x" * 39 + "\u0301y"),
    *(" ", "\n", "\r\n", "\n\n", "\r\n \r\n", "\t", "\u3000", "\u2028", "\x00", "\x1c", "\u200b", "\ufeff", "\r"),
    *("漢字", "ひらがな", "カタカナ", "ภาษาไทย", "ລາວ", "ខ្មែរ", "မြန်မာ", "བོད", "한국어", "。", "漢\U000e0100", "𠀀"),
    *("שלום", "\u202eمرحبا", FAMILY, THUMB, "\u2764\ufe0f", "\u200d", "\ud800", "\udfff", "\U0001f1eb\U0001f1f7"),
]
texts = st.one_of(
    st.lists(st.sampled_from(NASTY), max_size=60).map("".join),
    st.text(st.characters(codec=None), max_size=80),  # surrogates too
)


@st.composite
def splitters(draw: st.DrawFn) -> Splitter:
    words = draw(st.integers(1, 12))
    if draw(st.booleans()):
        return Splitter(words=words, unit="paragraphs")
    return Splitter(words=words, overlap=draw(st.integers(0, words - 1)), last=draw(st.sampled_from(["keep", "fill"])))


def slices(text: str, **settings: Any) -> list[str]:
    return [text[start:end] for start, end in Splitter(**settings).split(text)]


def is_spaceless(char: str) -> bool:
    return any(first <= ord(char) <= last for first, last in SPACELESS_RANGES)


def is_attached(text: str, i: int) -> bool:
    """Whether the character belongs to the one before it."""
    char = text[i]
    if i == 0 or char.isspace() or text[i - 1].isspace():
        return False
    mark = unicodedata.combining(char) > 0 or unicodedata.category(char).startswith("M")
    tone_or_tag = "\U0001f3fb" <= char <= "\U0001f3ff" or "\U000e0020" <= char <= "\U000e007f"
    return mark or tone_or_tag or char in "\u200c\u200d\u0e33\u0eb3\uff9e\uff9f" or text[i - 1] == "\u200d"


def count_words(text: str) -> int:
    """Count one character after the other."""
    words = run = attached = 0  # `run` characters of the current word, then `attached` ones; run 0: no word
    closed = False  # the current word takes attached characters only
    for i, char in enumerate(text):
        if char.isspace():
            run = attached = 0
        elif run and (closed or run == 40 or is_spaceless(char)) and is_attached(text, i) and attached < 40:
            attached += 1
            closed = True
        elif not run or closed or run == 40 or is_spaceless(char):
            words, run, attached, closed = words + 1, 1, 0, is_spaceless(char)
        else:
            run += 1
    return words


@pytest.mark.parametrize(
    "text, words, expected",
    [
        ("one two three four five", 2, ["one two ", "three four ", "five"]),
        ("one two", 2, ["one two"]),
        ("  one \r\n\n two\tthree \n", 2, ["  one \r\n\n two\t", "three \n"]),
        ("one", 100, ["one"]),
        ("a\x00b c\u200bd", 1, ["a\x00b ", "c\u200bd"]),
        ("漢字かなab", 2, ["漢字", "かな", "ab"]),
        ("go 漢字 go", 2, ["go 漢", "字 go"]),
        ("한국어는 씁니다", 1, ["한국어는 ", "씁니다"]),
        ("กินข้าว", 3, ["กินข้", "าว"]),
    ],
)
def test_a_passage_is_a_number_of_words_and_the_white_space_after_them(
    text: str, words: int, expected: list[str]
) -> None:
    assert slices(text, words=words) == expected


def test_every_letter_of_a_script_without_spaces_is_a_word_and_no_other_letter() -> None:
    letters = [chr(point) for point in range(sys.maxunicode + 1) if unicodedata.category(chr(point)) == "Lo"]
    ends = {end for _, end in Splitter(words=1).split(" ".join(f"{letter}x" for letter in letters))}
    for i, letter in enumerate(letters):
        assert (3 * i + 1 in ends) == bool(re.match(SPACELESS_NAMES, unicodedata.name(letter, ""))), letter


@pytest.mark.parametrize("text", ["", " ", "\n\n\r\n\t \u3000\u2028\x1c"])
@pytest.mark.parametrize("unit", ["words", "paragraphs"])
def test_a_text_without_words_has_no_passages(text: str, unit: str) -> None:
    assert slices(text, unit=unit) == []


@pytest.mark.parametrize(
    "settings, expected",
    [
        ({"words": 3, "overlap": 1}, ["a b c ", "c d e ", "e f g"]),
        ({"words": 3, "overlap": 2}, ["a b c ", "b c d ", "c d e ", "d e f ", "e f g"]),
        ({"words": 4, "overlap": 2}, ["a b c d ", "c d e f ", "e f g"]),
        ({"words": 3, "last": "fill"}, ["a b c ", "d e f ", "e f g"]),
        ({"words": 4, "overlap": 2, "last": "fill"}, ["a b c d ", "c d e f ", "d e f g"]),
        ({"words": 7, "overlap": 6}, ["a b c d e f g"]),
        ({"words": 9, "overlap": 3, "last": "fill"}, ["a b c d e f g"]),
    ],
)
def test_overlap_and_fill_repeat_words(settings: dict[str, Any], expected: list[str]) -> None:
    assert slices("a b c d e f g", **settings) == expected


def test_forty_characters_without_white_space_are_a_word() -> None:
    assert [len(piece) for piece in slices("a" * 100_000, words=100)] == [4000] * 25
    assert slices("a" * 40 + " b", words=1) == ["a" * 40 + " ", "b"]
    assert slices("a" * 41 + " b", words=1) == ["a" * 40, "a ", "b"]


def test_forty_characters_at_most_are_attached_to_a_word() -> None:
    assert slices("漢" + "\u0301" * 41 + "b", words=1) == ["漢" + "\u0301" * 40, "\u0301b"]


@pytest.mark.parametrize("tail", ["\u0301\u0323", "\ufe0f", "\u200d\U0001f467", "\U0001f3fd", "\u0941", "\U000e0101"])
def test_a_cut_inside_a_run_leaves_a_character_with_what_is_attached_to_it(tail: str) -> None:
    assert slices("a" * 40 + tail + "b", words=1) == ["a" * 40 + tail, "b"]
    assert slices("漢" + tail + "字", words=1) == ["漢" + tail, "字"]


@pytest.mark.parametrize("char", ["\u0301", "a\u0301", "e\u200d", "漢\U000e0100", "\ufe0f", THUMB, FAMILY + "\u200d"])
def test_no_pathological_run_makes_a_giant_passage(char: str) -> None:
    assert max(map(len, slices(char * 100_000, words=2))) <= 160


@pytest.mark.parametrize(
    "text, expected",
    [
        ("a\n\nb", ["a\n\n", "b"]),
        ("a\nb\n \t\n\n  c", ["a\nb\n \t\n\n", "  c"]),
        ("a\r\nb\r\n\r\nc\r\n", ["a\r\nb\r\n\r\n", "c\r\n"]),
        (" \n\n a\n\n \n ", [" \n\n a\n\n \n "]),
        ("1 2 3 4\n\n1 2 3 4 5\n\n6", ["1 2 3 4\n\n", "1 2 ", "3 4 ", "5\n\n", "6"]),
    ],
)
def test_paragraphs_end_at_blank_lines_and_long_ones_are_cut(text: str, expected: list[str]) -> None:
    assert slices(text, words=2, unit="paragraphs") == expected


@pytest.mark.parametrize(
    "settings, message",
    [
        ({"words": 0}, "words is 0"),
        ({"overlap": -1}, "overlap is -1"),
        ({"words": 5, "overlap": 5}, "from 0 to 4"),
        ({"unit": "paragraphs", "overlap": 1}, "paragraphs need overlap=0"),
        ({"unit": "paragraphs", "last": "fill"}, "last='fill'"),
        ({"unit": "whole", "overlap": 1}, "unit='whole' with overlap=1"),
        ({"unit": "lines"}, "unit is 'lines'"),
        ({"last": "drop"}, "last is 'drop'"),
    ],
)
def test_settings_that_cannot_work_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        Splitter(**settings)


@given(st.text("ab \n\t", max_size=60), st.integers(1, 5))
def test_plain_words_are_cut_as_by_the_slow_version(text: str, words: int) -> None:
    expected, rest = [], text
    while rest.strip():
        expected.append("".join(re.findall(r"\s*\S+\s*", rest)[:words]))
        rest = rest[len(expected[-1]) :]
    assert slices(text, words=words) == expected


@given(texts, splitters())
def test_passages_cover_any_text_in_order_without_gaps(text: str, splitter: Splitter) -> None:
    passages = splitter.split(text)
    assert bool(passages) == bool(text.strip())
    assert all(text[start:end].strip() for start, end in passages)
    if passages:
        assert (passages[0][0], passages[-1][1]) == (0, len(text))
    for (start, end), (next_start, next_end) in pairwise(passages):
        assert start < next_start <= end < next_end
        assert next_start == end or splitter.overlap or splitter.last == "fill"


@given(texts, splitters())
def test_passages_have_their_number_of_words_in_any_text(text: str, splitter: Splitter) -> None:
    counts = [count_words(text[start:end]) for start, end in splitter.split(text)]
    if splitter.unit == "paragraphs":
        assert max(counts, default=0) <= 2 * splitter.words
    else:
        assert all(count == splitter.words for count in counts[:-1])
        assert max(counts, default=0) <= splitter.words
        if splitter.last == "fill" and counts:
            assert counts[-1] == min(splitter.words, count_words(text))


@given(texts, splitters())
def test_nothing_is_cut_from_the_character_it_is_attached_to(text: str, splitter: Splitter) -> None:
    for start, _ in splitter.split(text)[1:]:
        before = start - 1
        while before > 0 and is_attached(text, before):
            before -= 1
        assert not is_attached(text, start) or start - before > 40  # only where very many are attached


def test_the_whole_document_is_one_passage() -> None:
    text = " " + "word " * 1_000
    assert Splitter(unit="whole").split(text) == [(0, len(text))]
    assert Splitter(unit="whole").split(" \n") == []
