"""Tables and records without a column of text: one document, in which each value follows the name of its column."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from corpora import read_corpus
from opendpr.corpus import Corpus, Skipped
from opendpr.corpus.rows import has_header, record_text, table_text
from samples import workbook

FERRIES = "route,destination,departs,days\n1,Gull Island,07:10,daily\n2,Heron Point,08:15,Mon-Fri\n"
AS_TEXT = (
    "route: 1; destination: Gull Island; departs: 07:10; days: daily\n\n"
    "route: 2; destination: Heron Point; departs: 08:15; days: Mon-Fri"
)


def text_of(folder: Path, name: str, content: str | bytes) -> str:
    (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)
    events = read_corpus(Corpus([folder / name]))
    (document,) = events.documents
    assert not events.skipped
    assert (document.id, document.title) == (name, Path(name).stem)
    assert document.metadata["path"] == str(folder / name)
    return document.text


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", FERRIES),
        ("a.csv", FERRIES.replace(",", ";")),
        ("a.csv", FERRIES.replace(",", "\t")),
        ("a.csv", FERRIES.replace(",", "|").replace("\n", "\r\n")),
        ("a.csv", "sep=!\n" + FERRIES.replace(",", "!")),
        ("a.csv", "\ufeff" + FERRIES),
        ("a.csv", FERRIES.encode("utf-16")),
        ("a.csv", FERRIES.replace("Gull Island", '"Gull\nIsland"')),
        ("a.tsv", FERRIES.replace(",", "\t")),
        ("a.tsv", FERRIES),
    ],
)
def test_a_table_without_a_column_of_text_is_one_document_of_its_rows(tmp_path, name, content):
    assert text_of(tmp_path, name, content) == AS_TEXT


def test_lines_above_the_header_are_the_title_of_the_table(tmp_path):
    assert text_of(tmp_path, "a.csv", f"Summer timetable\n\n{FERRIES}") == f"Summer timetable\n\n{AS_TEXT}"


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("Gull Island,07:10\nHeron Point,08:15\n", "Gull Island; 07:10\n\nHeron Point; 08:15"),
        ("Eva,keeper\nOla,keeper\nEva,cook\n", "Eva; keeper\n\nOla; keeper\n\nEva; cook"),
        ("country,2019,2020\nNorway,5.3,5.4\n", "country: Norway; 2019: 5.3; 2020: 5.4"),
        (
            "stop;;price_eur\nPier;x;7,50\nQuay;y;6,90\n",
            "stop: Pier; x; price eur: 7,50\n\nstop: Quay; y; price eur: 6,90",
        ),
        ("The pier is old.\nIt fell in May, they say.\n", "The pier is old.\n\nIt fell in May, they say."),
        ("year\n1874\n1966\n", "year: 1874\n\nyear: 1966"),
        ("a,b\n1,2,3\n4\n5,6\n7,8\n", "a: 1; b: 2; 3\n\na: 4\n\na: 5; b: 6\n\na: 7; b: 8"),
        ("only,one,row\n", "only; one; row"),
        (
            "time: start,place; room\n10:00,A\n11:00,B\n",
            "time start: 10:00; place room: A\n\ntime start: 11:00; place room: B",
        ),
    ],
)
def test_columns_are_named_where_there_is_a_header(tmp_path, content, expected):
    assert text_of(tmp_path, "a.csv", content) == expected


def test_bad_rows_of_a_table_are_named_and_the_others_count(tmp_path):
    (tmp_path / "a.csv").write_bytes(b'a,b\n1,\xff\n2,\xc3\xa9\n"x"y,4\n')
    events = read_corpus(Corpus([tmp_path / "a.csv"]))
    assert [document.text for document in events.documents] == ["a: 2; b: é"]
    assert [problem.place.rpartition(":")[2] for problem in events.skipped] == ["2", "4"]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        (
            "a.jsonl",
            '{"stop": "Pier", "at": {"departs": "08:15", "on": ["Sat", "Sun"]}, "x": null}\n{"stop": "Quay"}\n',
        ),
        ("a.json", '[{"stop": "Pier", "at": {"departs": "08:15", "on": ["Sat", "Sun"]}},\n {"stop": "Quay"}]'),
        ("a.json", '{"stop": "Pier", "at": {"departs": "08:15", "on": ["Sat", "Sun"]}}\n{"stop": "Quay"}\n'),
    ],
)
def test_records_without_a_text_are_one_document(tmp_path, name, content):
    assert text_of(tmp_path, name, content) == "stop: Pier; at departs: 08:15; at on: Sat, Sun\n\nstop: Quay"


def test_an_array_of_records_with_a_text_is_a_document_each(tmp_path):
    (tmp_path / "a.json").write_text('[{"id": 7, "text": "x"}, {"body": "y", "year": 1874}, 3]')
    (tmp_path / "package.json").write_text('{"name": "x", "version": "1"}')
    (tmp_path / "numbers.json").write_text("[1, 2]")
    events = read_corpus(Corpus([tmp_path]))
    documents = {document.id: document for document in events.documents}
    assert {id: document.text for id, document in documents.items()} == {"7": "x", "a.json:2": "y"}
    assert documents["a.json:2"].metadata["year"] == 1874
    assert events.ignored == {".json": 2}
    expected = "expected a JSON object, found a number"
    assert events.skipped == [Skipped(f"{tmp_path / 'a.json'}:1 (record 3)", expected)]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ({"title": "Ferry", "text": "It carries forty.", "year": 1951}, {"a.json": "It carries forty."}),
        ({"data": [{"id": "x", "text": "One."}, {"content": "Two."}], "count": 2}, {"x": "One.", "a.json:2": "Two."}),
        (
            {"name": "Nordan", "crew": [{"name": "Ture"}, {"name": "Hilma"}], "at": {"port": "Orvik"}},
            {"a.json": "name: Nordan; at port: Orvik\n\ncrew name: Ture\n\ncrew name: Hilma"},
        ),
        ({"name": "x", "devDependencies": {"y": "1"}}, {}),
        ({"name": "x", "words": ["y"] * 30_000}, {}),
    ],
)
def test_an_object_is_a_document_a_list_of_records_or_a_record(tmp_path, content, expected):
    (tmp_path / "a.json").write_text(json.dumps(content))
    (tmp_path / "settings.json").write_text("{\n  // a comment\n}")
    events = read_corpus(Corpus([tmp_path]))
    assert {document.id: document.text for document in events.documents} == expected
    assert events.skipped == []
    assert events.ignored[".json"] == 2 - bool(expected)


def test_a_single_column_of_text_may_hold_any_sign(tmp_path):
    (tmp_path / "a.csv").write_text("Text\nHello; world, again\n")
    assert [document.text for document in Corpus([tmp_path])] == ["Hello; world, again"]


def test_a_file_of_lines_may_be_an_array_and_a_text_a_list_of_lines(tmp_path):
    (tmp_path / "a.jsonl").write_text('[\n {"text": ["One", "two."]}\n]\n')
    assert [document.text for document in Corpus([tmp_path])] == ["One\ntwo."]


def test_an_array_that_is_cut_short_is_read_as_far_as_it_goes(tmp_path):
    (tmp_path / "a.json").write_text('[{"stop": "Pier"},\n{"stop": ')
    events = read_corpus(Corpus([tmp_path / "a.json"]))
    assert [document.text for document in events.documents] == ["stop: Pier"]
    (problem,) = events.skipped
    assert problem.place == f"{tmp_path / 'a.json'}:2"
    assert problem.reason.endswith("what comes after it was not read")


def test_a_sheet_that_is_a_table_has_the_names_of_its_columns_and_another_has_tabs(tmp_path):
    (tmp_path / "a.xlsx").write_bytes(workbook([["Tides"], ["Berth", "Depth"], ["A1", 4.5], ["A2", 6]]))
    (tmp_path / "b.xlsx").write_bytes(workbook([["Notes", ""], ["Ring Eva.", ""], ["", "later"]]))
    texts = [document.text for document in Corpus([tmp_path])]
    assert texts == ["Tides\n\nBerth: A1; Depth: 4.5\n\nBerth: A2; Depth: 6", "Notes\nRing Eva.\n\tlater"]


def test_a_value_that_comes_again_below_is_no_name():
    assert not has_header([["Pier", "Sat"], ["Quay", "Sat"]])
    assert has_header([["stop", "day"], ["Quay", "Sat"]])


def test_text_of_rows_and_records_is_never_half_a_surrogate_pair():
    assert table_text([["a", "b"], ["\ud800", "1"]]) == "a: \ufffd; b: 1"
    assert record_text({"a": [[1, [True]]], "b": ""}) == "a: 1; a: true"
