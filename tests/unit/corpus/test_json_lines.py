"""Documents out of lines of JSON."""

import codecs
import json
import lzma
from pathlib import Path

import pytest

from corpora import ids, read, read_corpus, write
from opendpr.corpus import Corpus
from opendpr.errors import InputError
from opendpr.interop import read_questions
from opendpr.storage.lines import parse_jsonl, read_jsonl
from opendpr.types import Document


def line_reason(tmp_path: Path, line: str | bytes) -> str:
    """Why a line of JSON is skipped; the good lines around it count."""
    bad = line.encode() if isinstance(line, str) else line
    path = write(tmp_path / "a.jsonl", b'{"id": "a", "text": "x"}\n' + bad + b'\n{"id": "z", "text": "x"}\n')
    documents, events = read(path)
    assert [document.id for document in documents] == ["a", "z"]
    assert [entry.place for entry in events.skipped] == [f"{path}:2"]
    return events.skipped[0].reason


# JSON lines


def test_json_lines_give_documents_with_the_other_keys_as_metadata(tmp_path):
    lines = [
        {"id": "a", "title": "A", "text": "x\0y\r\n", "year": 1990, "tags": ["é"], "path": "own"},
        {"id": 7, "text": "y", "title": None},
    ]
    content = "\n\n".join(json.dumps(line) for line in lines)
    for name, data in (("a.jsonl", content.encode()), ("b.ndjson.xz", lzma.compress(content.encode()))):
        documents, events = read(write(tmp_path / name, data))
        assert documents == [
            Document("a", "A", "x\0y\r\n", {"year": 1990, "tags": ["é"], "path": "own"}),
            Document("7", "", "y", {"path": str(tmp_path / name)}),
        ]
        assert not events.skipped


def test_json_lines_may_begin_with_a_mark_and_end_like_windows(tmp_path):
    path = write(tmp_path / "a.jsonl", codecs.BOM_UTF8 + b'{"id": "a", "text": "x"}\r\n\r\n{"id": "b", "text": "y"}')
    assert ids(path) == ["a", "b"]


@pytest.mark.parametrize(
    "between", [codecs.BOM_UTF8, b"\n" + codecs.BOM_UTF8 * 2, b"\x1a", "\u200b".encode(), "\u00a0\r\n".encode()]
)
def test_marks_and_signs_without_width_around_lines_of_json_are_no_part_of_them(tmp_path, between):
    records = [json.dumps({"question": f"who? {id}", "id": id, "text": "x", "answers": ["y"]}).encode() for id in "abc"]
    path = write(tmp_path / "a.jsonl", between + (b"\n" + between).join(records) + b"\r\n" + between)
    documents, events = read(path)
    assert ([document.id for document in documents], events.skipped) == (["a", "b", "c"], [])
    assert [question.text for question in read_questions(path)] == ["who? a", "who? b", "who? c"]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{", "not valid JSON: "),
        ('{"id": "é '.encode() + b'\xff"}', "not valid UTF-8 (invalid start byte at byte 11)"),
        ("[" * 100_000, "not valid JSON: "),
        ('{"id": ' + "9" * 5_000 + ', "text": "x"}', "not valid JSON: "),
        ("[]", "expected a JSON object, found an array"),
        ("null", "expected a JSON object, found null"),
        ("3", "expected a JSON object, found a number"),
        ('{"_id": 1.5, "text": "x"}', 'expected "_id" to be a string or an integer, found the number 1.5'),
        ('{"id": true, "text": "x"}', 'expected "id" to be a string or an integer, found a boolean'),
        ('{"id": 1.5, "text": "x"}', 'expected "id" to be a string or an integer, found the number 1.5'),
        ('{"id": null, "text": "x"}', 'expected "id" to be a string or an integer, found null'),
        ('{"id": "", "text": "x"}', 'expected "id" to say something, found an empty string'),
        ('{"id": "b"}', 'expected "text", a string; found only ["id"]'),
        ('{"id": "b", "text": null}', 'expected "text" to be a string, found null'),
        ('{"id": "b", "text": 3}', 'expected "text" to be a string, found a number'),
        ('{"id": "b", "text": "x", "title": {}}', 'expected "title" to be a string or null, found an object'),
        ('{"id": "b", "text": " \\n"}', "no text"),
        ('{"id": "b", "text": "ab\\ud800"}', "the text is not valid Unicode: half a surrogate pair at character 2"),
        ('{"id": "\\udc00", "text": "x"}', "the id is not valid Unicode"),
        ('{"id": "b", "title": "\\udc00", "text": "x"}', "the title is not valid Unicode"),
        ('{"id": "b", "text": "x", "y": ["\\udc00"]}', "the metadata is not valid Unicode"),
        ('{"id": "b", "text": "x", "\\udc00": 1}', "the metadata is not valid Unicode"),
        ('{"id": "b", "text": "x", "y": NaN}', "the metadata has a number that JSON does not know"),
        ('{"id": "b", "text": "x", "y": 1e999}', "the metadata has a number that JSON does not know"),
        ('{"id": "' + "i" * 1_001 + '", "text": "x"}', "the id has 1,001 characters; at most 1,000 are allowed"),
    ],
)
def test_a_bad_line_is_skipped_and_the_others_count(tmp_path, line, reason):
    assert line_reason(tmp_path, line).startswith(reason)


def test_metadata_that_no_filter_could_look_into_is_skipped(tmp_path):
    def record(levels: int) -> str:
        return f'{{"id": "{levels}", "text": "x", "deep": {"[" * levels}{"]" * levels}}}\n'

    documents, events = read(write(tmp_path / "deep.jsonl", record(99) + record(100) + record(900)))
    assert [document.id for document in documents] == ["99"]
    assert [entry.place.rpartition(":")[2] for entry in events.skipped] == ["2", "3"]
    assert "nested too deeply" in events.skipped[0].reason


def test_a_document_given_with_metadata_that_is_no_json_is_skipped():
    events = read_corpus(Corpus([Document("a", "", "x", {"when": b"bytes"}), Document("b", "", "x")]))
    assert [document.id for document in events.documents] == ["b"]
    assert "cannot be written as JSON" in events.skipped[0].reason


def test_a_pair_of_surrogates_is_one_good_character(tmp_path):
    path = write(tmp_path / "a.jsonl", '{"id": "a", "text": "\\ud83d\\ude00"}')
    assert [document.text for document in Corpus([path])] == ["😀"]


def test_an_id_of_1000_characters_and_a_line_of_a_megabyte_are_fine(tmp_path):
    record = {"id": "i" * 1_000, "text": "x" * 1_000_000}
    assert len(read(write(tmp_path / "a.jsonl", json.dumps(record)))[0][0].text) == 1_000_000


def test_the_strict_reading_of_json_lines_stops_at_the_same_errors(tmp_path):
    path = write(tmp_path / "a.jsonl", '{"a": 1}\n\nnull\n')
    with pytest.raises(InputError, match=r"a\.jsonl:3: expected a JSON object, found null"):
        list(read_jsonl(path))
    assert list(parse_jsonl([b"{}\n", b" \n", b'{"a": 1}'], "name")) == [(1, {}), (3, {"a": 1})]
