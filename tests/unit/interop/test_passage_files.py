"""Passages of every system: what is read, what is refused, and what an error says."""

import bz2
import gzip
import lzma

import pytest

from foreign import refusal, write
from opendpr.errors import InputError
from opendpr.interop import read_passages, read_qrels, write_passages
from opendpr.types import Document


def test_passages_survive_every_form_that_holds_them(tmp_path):
    passages = [Document("1", 'The "T"', 'a "quoted"\ttext\nof two lines'), Document("wiki:2", "", "'x")]
    for format in ("psgs", "beir", "tevatron", "pyserini", "jsonl"):
        assert write_passages(tmp_path / "a", passages, format) == 2
        assert list(read_passages(tmp_path / "a")) == passages
    assert write_passages(tmp_path / "a", passages, "msmarco") == 2
    assert [item.text for item in read_passages(tmp_path / "a")] == ['a "quoted" text of two lines', "'x"]


def test_psgs_has_the_text_before_the_title(tmp_path):
    write_passages(tmp_path / "a", [Document("1", "T", "x")], "psgs")
    assert (tmp_path / "a").read_text() == "id\ttext\ttitle\n1\tx\tT\n"


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("id\ttext\ttitle\n1\tx\n", ":2: expected 3 fields as in the header, found 2"),
        ("id\ttext\ttitle\n\tx\tT\n", ":2: expected 'id' to say something"),
        ("1\tx\n2\n", ":2: expected id, tab, text"),
        ('{"_id": "1", "text": "x"}\n{"text": "x"}\n', ":2: expected '_id' to be a string"),
        ('id\ttext\ttitle\n1\tx\tT\n2\t"x\tT\n' + "y\n" * 6_000_000, ":3: field larger than field limit"),
    ],
)
def test_what_is_no_passage_is_refused_with_its_line(tmp_path, content, problem):
    assert refusal(read_passages, tmp_path / "a", content).startswith(problem)


@pytest.mark.parametrize(
    "content",
    [
        'id\ttext\ttitle\n1\t"Foo is.\tFoo\n2\tBar.\tBar\n',
        'id\ttext\ttitle\n1\t"Foo is.\tFoo\n2\tBar said "hi".\tBar\n',
        'id\ttext\ttitle\n1\t"Foo" is.\tFoo\n2\tBar.\tBar\n',
        'id\ttext\ttitle\n1\t"Foo is.\tFoo\n2\tBar.\tBar"\n3\tBaz.\tBaz\n',
        'id\ttext\ttitle\n1\t"Foo is.\tFoo\n2\tBar"\tBar\n3\tBaz.\tBaz\n',
    ],
)
def test_a_stray_quotation_mark_joins_no_rows(tmp_path, content):
    message = refusal(read_passages, tmp_path / "a.tsv", content)
    assert message.startswith(":2: ")
    assert "with quoting none" in message
    texts = [passage.text for passage in read_passages(tmp_path / "a.tsv", quoting="none")]
    assert len(texts) == content.count("\n") - 1
    assert texts[0].startswith('"Foo')


def test_the_stray_quotation_mark_of_a_table_is_refused_or_text(cases):
    with pytest.raises(InputError, match=r"stray-quote\.tsv:2: .*quotation mark"):
        list(read_passages(cases / "stray-quote.tsv"))
    assert [passage.text for passage in read_passages(cases / "stray-quote.tsv", quoting="none")] == [
        '"Foo is a band.',
        'Bar said "hi" to all.',
        "Baz is a river.",
    ]


def test_quoted_fields_over_several_lines_are_still_read(tmp_path):
    content = 'id\ttext\ttitle\n1\t"one\ntwo, ""three""\n"\tT\n2\tplain\t"U"\n'
    assert list(read_passages(write(tmp_path / "a.tsv", content))) == [
        Document("1", "T", 'one\ntwo, "three"\n'),
        Document("2", "U", "plain"),
    ]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ('{"docid": "7", "title": "T", "text": "x"}\n', Document("7", "T", "x")),
        ('{"id": "7", "contents": "\\"T\\"\\nx\\ny"}\n', Document("7", "T", "x\ny")),
        ('{"id": "7", "contents": "x\\ny"}\n', Document("7", "", "x\ny")),
        ('{\n "_id": "7",\n "text": "x"\n}\n', Document("7", "", "x")),
    ],
)
def test_passages_of_other_systems_are_read(tmp_path, content, expected):
    assert list(read_passages(write(tmp_path / "a", content))) == [expected]


@pytest.mark.parametrize("header", ["pid\tpassage", "id\tcontents", "docid\tbody"])
def test_a_header_is_no_passage(tmp_path, header):
    assert refusal(read_passages, tmp_path / "a.tsv", f"{header}\n1\tx\n").startswith(":1: found a header")


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("id\ttext\ttitle\n1\tx\tT\n2\ty\tT\n1\tz\tT\n", ":4: the id '1' was given before, at {path}:2;"),
        ('id\ttext\ttitle\n1\t"x\ny\n"\tT\n1\tz\tT\n', ":5: the id '1' was given before, at {path}:2;"),
        ("7\tx\n\n7\tx\n", ":3: the id '7' was given before, at {path}:1;"),
        ('{"_id": "a", "text": "x"}\n{"_id": "a", "text": "x"}\n', ":2: the id 'a' was given before, at {path}:1;"),
        ('{"id": 1, "contents": "x"}\n{"id": "1", "contents": "y"}\n', ":2: the id '1' was given before, at {path}:1;"),
        ('[{"docid": "a", "text": "x"}, {"docid": "a", "text": "y"}]', ":1 (record 2): the id 'a' was given before"),
    ],
)
def test_an_id_that_is_there_twice_is_refused_with_both_lines(tmp_path, content, problem):
    message = refusal(read_passages, tmp_path / "a", content)
    assert message.startswith(problem.format(path=tmp_path / "a"))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.tsv", '"id"\t"text"\t"title"\n"1"\t"x, y"\t"T"\n'),
        ("a.tsv", "ID\tText\tTitle\n1\tx, y\tT\n"),
        ("a.csv", 'id,text,title\n1,"x, y",T\n'),
        ("a.csv", "id;title;text\n1;T;x, y\n"),
        ("a.csv", "id\ttext\ttitle\n1\tx, y\tT\n"),
    ],
)
def test_a_table_of_passages_is_read_by_its_header_however_it_is_written(tmp_path, name, content):
    assert list(read_passages(write(tmp_path / name, content))) == [Document("1", "T", "x, y")]


def test_a_file_without_a_line_holds_no_passages(tmp_path):
    assert refusal(read_passages, tmp_path / "a.tsv", "\n \n") == " holds no passages"


def test_a_table_of_questions_is_no_table_of_passages(tmp_path):
    message = refusal(read_passages, tmp_path / "a.csv", "who wrote it\t['Ada']\n")
    assert message.startswith(":1: cannot tell what kind of passages these are")


def test_ids_that_hold_a_space_of_another_kind_are_whole_as_for_trec_eval(tmp_path):
    (judgement,) = read_qrels(write(tmp_path / "a", "1 0 d\u00a07 1\n"))
    assert judgement.document_id == "d\u00a07"


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (gzip.compress(b"x", mtime=0), " is compressed by gzip; give its name the ending .gz"),
        (lzma.compress(b"x"), " is compressed by xz; give its name the ending .xz"),
        (bz2.compress(b"x"), " is compressed by bzip2; give its name the ending .bz2"),
        (b"PK\x03\x04xxxx", " is a zip archive; unpack it"),
        (b"PAR1xxxx", " is a Parquet file; write it as JSON lines"),
        ("id\ttext\n1\tx\n".encode("utf-16"), " is UTF-16; convert it to UTF-8"),
        (b"\xfe\xff" + "id\ttext\n1\tx\n".encode("utf-16-be"), " is UTF-16; convert it to UTF-8"),
    ],
)
def test_a_file_that_is_no_text_is_called_what_it_is(tmp_path, content, problem):
    assert refusal(read_passages, tmp_path / "a.tsv", content).startswith(problem)
