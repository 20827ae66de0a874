"""Questions out of standard input, as files and other programs write them."""

from __future__ import annotations

import codecs
import io
import sys

import pytest

from opendpr.cli.typed import typed_questions

TWO = "Who was the café's keeper?\nWhen was it built?\n"
LINES = TWO.splitlines()


def asked(monkeypatch: pytest.MonkeyPatch, content: bytes) -> list[str]:
    file = io.BufferedReader(io.BytesIO(content))  # type: ignore[arg-type, unused-ignore]
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(file, "utf-8", errors="surrogateescape", newline="\n"))
    return list(typed_questions())


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-be"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_questions_are_read_in_any_form_of_unicode_and_with_any_line_end(monkeypatch, encoding, line_end):
    assert asked(monkeypatch, TWO.replace("\n", line_end).encode(encoding)) == LINES


def test_a_mark_in_big_endian_utf_16_is_no_part_of_the_question(monkeypatch):
    assert asked(monkeypatch, codecs.BOM_UTF16_BE + TWO.encode("utf-16-be")) == LINES


@pytest.mark.parametrize(
    "around",
    ["\0", "\0\0\0\n", "\x1a", "\ufeff", "\n\ufeff\ufeff", "\u200b", "\u200e", "\u00a0", "\u3000", " \u2060\n\u200b\n"],
)
def test_what_nobody_sees_around_a_question_is_left_out(monkeypatch, around):
    assert asked(monkeypatch, f"{around}Who\u00a0was\u200b it?{around}".encode()) == ["Who\u00a0was\u200b it?"]


def test_a_line_that_is_not_utf_8_stays_one_question_to_refuse(monkeypatch):
    assert asked(monkeypatch, TWO.encode("cp1252")) == ["Who was the caf\udce9's keeper?", LINES[1]]


def test_nothing_is_no_question(monkeypatch):
    assert asked(monkeypatch, b"") == asked(monkeypatch, codecs.BOM_UTF8 + b"\r\n\0") == []
