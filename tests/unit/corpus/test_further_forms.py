"""Further members of the classes of documents that people have: each was read wrongly once."""

from __future__ import annotations

from pathlib import Path

import pytest

from corpora import read_corpus
from opendpr.corpus import Corpus
from samples import docx

RUBY = (
    "<w:p><w:r><w:ruby><w:rt><w:r><w:t>とうきょう</w:t></w:r></w:rt><w:rubyBase><w:r><w:t>東京</w:t></w:r></w:rubyBase>"
    "</w:ruby></w:r><w:r><w:t>に</w:t></w:r></w:p>"
)
PAGE = "<!doctype html><meta charset=utf-8>"
SPREAD = '{\n  "text": "One."\n}\n{\n  "text": "Two."\n}\n'


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.docx", docx(RUBY), ["東京(とうきょう)に"]),
        ("a.html", PAGE + "<p>Strand<a href='#fn:1' class=footnote>1</a> was", ["Strand[1] was"]),
        ("a.html", PAGE + "<p>in 1874<a href='#_ftn2'>12</a>, <a href='#note'>note 3</a>", ["in 1874[12], note 3"]),
        ("a.html", PAGE + "<style>@media screen {.x{display:none}}</style><p class=x>secret<p>open", ["open"]),
        ("a.html", PAGE + "<style>@media print {.x{display:none}}</style><p class=x>seen", ["seen"]),
        ("a.html", PAGE + "<style>p.q > b {display:none}</style><p class=q><b>secret</b>open", ["open"]),
        ("a.jsonl", SPREAD, ["One.", "Two."]),
        ("a.json", SPREAD, ["One.", "Two."]),
    ],
)
def test_it_is_read_as_it_is_meant(tmp_path: Path, name, content, expected):
    (tmp_path / name).write_bytes(content.encode() if isinstance(content, str) else content)
    events = read_corpus(Corpus([tmp_path]))
    assert [document.text for document in events.documents] == expected
    assert events.skipped == []


def test_text_in_mac_roman_is_not_taken_for_windows_1252(tmp_path):
    (tmp_path / "a.txt").write_bytes("Café Linnéa is naïve".encode("mac-roman"))
    western = "Škoda sold the œuvre of the “cœur” †, l’été… in all of the towns† by the long river, as Dvoák’s."
    (tmp_path / "b.txt").write_bytes(western.encode("cp1252"))
    events = read_corpus(Corpus([tmp_path]))
    assert [document.id for document in events.documents] == ["b.txt"]
    assert events.skipped[0].reason.endswith("convert the file to UTF-8")
