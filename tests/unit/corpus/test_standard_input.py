"""Documents out of standard input."""

import codecs
import io
import sys

import pytest

from corpora import ids, read, write
from opendpr.corpus import Skipped
from opendpr.types import Document


@pytest.fixture
def standard_input(monkeypatch):
    def give(content: bytes) -> None:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))

    return give


# Standard input


@pytest.mark.parametrize("start", [b"", b" \n\n\t", codecs.BOM_UTF8])
def test_standard_input_that_begins_with_a_brace_is_json_lines(standard_input, start):
    standard_input(start + b'{"id": "a", "text": "x"}\n{"id": "b"}\n{"id": "c", "text": "y"}')
    documents, events = read("-")
    assert [document.id for document in documents] == ["a", "c"]
    line = 2 + start.count(b"\n")
    assert events.skipped == [Skipped(f"stdin:{line}", 'expected "text", a string; found only ["id"]')]


def test_other_standard_input_is_one_document(standard_input):
    standard_input(codecs.BOM_UTF8 + b"\n \n# words\r\n{\n")
    assert read("-")[0] == [Document("stdin", "stdin", "\n \n# words\r\n{\n", {})]


@pytest.mark.parametrize(
    ("content", "reason"), [(b"", "no text"), (b" \n", "no text"), (b"\0", "binary file"), (b"\xff", "not valid UTF-8")]
)
def test_standard_input_without_text_is_skipped(standard_input, content, reason):
    standard_input(content)
    documents, events = read("-")
    assert documents == []
    assert events.skipped[0].place == "stdin"
    assert events.skipped[0].reason.startswith(reason)


def test_files_and_standard_input_can_be_mixed(tmp_path, standard_input):
    standard_input(b"words")
    assert ids(write(tmp_path / "b.txt", "x"), "-", write(tmp_path / "a.txt", "x")) == ["b.txt", "stdin", "a.txt"]
