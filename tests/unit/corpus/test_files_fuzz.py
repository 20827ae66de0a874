"""Files of every kind with random damage: read or skipped with a reason, and never an exception."""

from __future__ import annotations

import json
import tempfile
import time
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from corpora import read_corpus
from opendpr.corpus import Corpus
from opendpr.corpus.kinds import READERS
from opendpr.corpus.objections import objection
from opendpr.corpus.sandbox import Sandbox
from opendpr.corpus.source import Source
from opendpr.types import Document
from samples import MAIL, MAILBOX, MAN, RTF, docx, epub, notebook, odt, paragraph, pdf, pptx, workbook

SEEDS = {
    "html": b"<!doctype html><meta charset=utf-8><title>T</title><p>one<table><tr><td>1<td>2</table><pre> x</pre>",
    "html with menus": b"<nav><a href=a>one</a></nav><footer><a href=b>b</a><a href=c>c</a></footer>",
    "pdf": pdf(["Hello", "", "world"]),
    "docx": docx(paragraph("one") + "<w:tbl><w:tr><w:tc>" + paragraph("two") + "</w:tc></w:tr></w:tbl>", "Title"),
    "epub": epub({"a.xhtml": "<p>one</p>", "b.xhtml": "<p>two</p>"}),
    "mail": MAIL,
    "mailbox": MAILBOX,
    "rtf": RTF.encode(),
    "notebook": notebook(("markdown", "# Tides"), ("code", "print(2)", "2")),
    "opendocument": odt("<text:p>one<text:s/>two</text:p>", "Title"),
    "pptx": pptx(["one", "two"], notes={1: "three"}),
    "xlsx": workbook([["Berth", "Depth"], ["A1", 4.5]]),
    "subtitles": b"1\n00:00:01,000 --> 00:00:02,000\n<i>one</i>\n",
    "xml": b"<book><title>T</title><p>one <b>two</b></p></book>",
    "man": MAN.encode(),
    ".csv": b'id,title,text,year\n1,A,"one\n""two""",1990\n2,B,two,x\n',
    ".rows.csv": b'stop;departs\nPier;08:15\n"Quay";09:40\n',
    ".rows.jsonl": b'{"stop": "Pier", "at": {"departs": "08:15"}}\n{"stop": "Quay"}\n',
    ".json": b'[{"stop": "Pier", "at": ["08:15", {"days": null}]}, {"stop": "Quay"}]',
    ".tsv": b"id\ttext\ttitle\n1\tone\tA\n2\ttwo\tB\n",
    ".jsonl": b'{"id": "1", "url": "u", "title": "T", "text": "one"}\n{"id": 2, "text": "two"}\n',
    ".md": b"---\na: b\n---\n# Title\n\nwords\n```\n# code\n```\n",
    ".txt": "words é\r\n".encode(),
}
LIKELY = st.sampled_from(
    [b"\0", b"\xff\xfe", b'"', b"<", b"</", b">", b"&#x", b"PK\x03\x04", b"0 R", b"<<", b"\n", b"9" * 20]
)
PARSED = [kind for kind in SEEDS if not kind.startswith(".")]
SECONDS = 5
"""What one file may cost at most."""
CHECK = {"deadline": None, "suppress_health_check": list(HealthCheck)}


@st.composite
def damaged(draw: st.DrawFn, seed: bytes) -> bytes:
    """A good file with pieces cut out, repeated, replaced; or only random bytes."""
    if draw(st.integers(0, 9)) == 0:
        return draw(st.binary(max_size=300))
    data = seed
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(data)))
        end = min(len(data), start + draw(st.integers(0, 40)))
        piece = draw(st.one_of(st.binary(max_size=8), LIKELY, st.just(data[start:end] * 2)))
        data = data[:start] + piece + data[end:]
    return data


def check_parsed(kind: str, examples: int) -> None:
    """Damage files of a kind that takes a parser; one child reads them all as long as it lives."""
    with closing(Sandbox(seconds=SECONDS)) as sandbox, tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a"
        source = Source("a", "a", "a", {})

        @settings(max_examples=examples, **CHECK)
        @given(damaged(SEEDS[kind]))
        def check(data: bytes) -> None:
            path.write_bytes(data)
            readings = list(sandbox.read(kind, path, source))
            assert readings
            for _place, found in readings:
                if isinstance(found, str):
                    assert found
                    assert "died" not in found
                else:
                    assert objection(found) in (None, "no text")

        check()


def check_plain(suffix: str, examples: int) -> None:
    """Damage files of a kind that is plain text."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"a{suffix}"

        @settings(max_examples=examples, **CHECK)
        @given(damaged(SEEDS[suffix]))
        def check(data: bytes) -> None:
            path.write_bytes(data)
            started = time.process_time()
            events = read_corpus(Corpus([path], wikiextractor_clean=True))
            for document in events.documents:
                assert isinstance(document, Document)
                json.dumps([document.id, document.title, document.text, dict(document.metadata)]).encode()
            assert all(entry.reason for entry in events.skipped)
            assert time.process_time() - started < SECONDS

        check()


def check(kind: str, examples: int) -> None:
    (check_parsed if kind in PARSED else check_plain)(kind, examples)


def test_every_kind_is_damaged():
    assert {reader if isinstance(reader, str) else suffix for suffix, reader in READERS.items()} <= {
        *SEEDS,
        ".text",
        ".rst",
        ".markdown",
        ".ndjson",
        ".mdown",
        ".mdx",
        ".mkd",
        ".qmd",
        ".rmd",
    }


@pytest.mark.parametrize("kind", SEEDS)
def test_damaged_files_are_read_or_skipped(kind):
    check(kind, 230)


@pytest.mark.slow
@pytest.mark.parametrize("kind", SEEDS)
def test_many_damaged_files_are_read_or_skipped(kind):
    check(kind, 10_000)
