"""Front matter, and records as other programs write them."""

from __future__ import annotations

import io

import pytest

from corpora import read, write
from opendpr.corpus.front_matter import front_matter
from opendpr.corpus.jsonlines import json_document
from opendpr.corpus.markdown import read_markdown
from opendpr.corpus.source import Source
from opendpr.types import Document


def markdown(text: str) -> Document:
    ((_, document),) = read_markdown(io.BytesIO(text.encode()), Source("a.md", "a.md", "a", {"path": "/a.md"}))
    assert isinstance(document, Document)
    return document


def test_front_matter_is_title_and_metadata_and_no_text():
    values = "title: Harbour rules\nauthor: Eva Moberg\ndate: 2019-04-02\ntags: [harbour, 3]\npath: x\n"
    text = f"---\n{values}---\n\n# One\nA.\n"
    metadata = {"author": "Eva Moberg", "date": "2019-04-02", "tags": ["harbour", 3], "path": "/a.md"}
    sections = {"sections": [[0, 1, "One", "one"]]}
    assert markdown(text) == Document("a.md", "Harbour rules", "# One\nA.\n", {**metadata, **sections})


@pytest.mark.parametrize(
    ("value", "title"),
    [
        ("Title: A b", "A b"),
        ("TITLE: 1.10", "1.10"),
        ("title: true", "true"),
        ("title:\n- A\n- b", "A b"),
        ("title:", "Head"),
        ("title: null", "Head"),
    ],
)
def test_the_title_of_front_matter_is_its_words_as_they_are_written(value, title):
    document = markdown(f"---\n{value}\n---\n# Head\n")
    assert (document.title, document.metadata.keys()) == (title, {"path", "sections"})


def test_a_title_that_is_no_text_stays_metadata():
    document = markdown("---\ntitle: {a: b}\n---\n# Head\n")
    assert (document.title, document.metadata["title"]) == ("Head", {"a": "b"})


def test_pages_of_a_site_have_front_matter_which_says_nothing_of_the_file(tmp_path):
    page = "---\nTitle: Rules\nauthor: Eva\npath: x\n---\n<title>{{ page.title }}</title><p>Three knots."
    ((document,), _) = read(write(tmp_path / "page.html", page))
    assert (document.title, document.text, document.metadata["author"]) == ("Rules", "Three knots.", "Eva")
    assert document.metadata["path"] == str(tmp_path / "page.html")


def test_a_rule_below_a_comment_makes_no_heading_of_it():
    assert markdown("<!-- licence -->\n---\nwords\n\n# Head\n").title == "Head"


def test_front_matter_without_a_title_leaves_the_first_heading():
    assert markdown("---\r\nauthor: x\r\n---\r\n# Head\r\n").title == "Head"


@pytest.mark.parametrize(
    ("text", "values", "rest"),
    [
        ("---\na: true\nb:\nc: 007\nd: {e: 1.5}\n...\nx", {"a": True, "b": None, "c": "007", "d": {"e": 1.5}}, "x"),
        ('+++\ntitle = "A"\ndate = 2019-04-02\n+++\nx', {"title": "A", "date": "2019-04-02"}, "x"),
        ("---\n---\nx", {}, "x"),
        (
            "---\r\ntitle: Rules: of the harbour\r\ntags:\r\n  - @home\r\n# note\r\n---\r\nx",
            {"title": "Rules: of the harbour", "tags": ["@home"]},
            "x",
        ),
        ("---\na: [\nb: 3\n---\nx", {"a": "[", "b": 3}, "x"),
        ("-----\na: 1\nb: x---\n-----\nx", {"a": 1, "b": "x---"}, "x"),
        ("---yaml\na: 1\n---\nx", {"a": 1}, "x"),
        ("---\ra: 1\rb: 2\r---\rx", {"a": 1, "b": 2}, "x"),
        ("---\na:\u00a0b\nc:\u00a0d\n---\nx", {"a": "b", "c": "d"}, "x"),
        ("<!-- --- -->\n<!-- MIT\n-->\n\n---\na: 1\n---\nx", {"a": 1}, "x"),
        ("---toml\na = 1\n+++ = 2\n", {}, "---toml\na = 1\n+++ = 2\n"),
        ("---toml\r\na = 1\r\n---\r\nx", {"a": 1}, "x"),
        ('{"a": [1, "b"],\n "c": null}\n\nx', {"a": [1, "b"], "c": None}, "x"),
        ('---json\n{"a": 1}\n---\nx', {"a": 1}, "x"),
        (';;;\n"a": 1,\n"b": "c"\n;;;\nx', {"a": 1, "b": "c"}, "x"),
    ],
)
def test_front_matter_may_be_yaml_toml_or_json(text, values, rest):
    metadata, start = front_matter(text)
    assert (metadata, text[start:]) == (values, rest)


@pytest.mark.parametrize(
    "text",
    [
        "---\nA rule, and text.\n---\nmore",
        "---\n\nwords",
        "---\n- a\n- b\n---\nx",
        "---\na: &x [1]\nb: [*x, *x]\n---\nx",
        "---\na: [\nwords\n---\nx",
        "---\n" + "[" * 5_000 + "\n---\nx",
        "+++\na = \n+++\nx",
        "+++\na = nan\n+++\nx",
        f"+++\na = {'9' * 5_000}\n+++\nx",
        f"+++\na = 0x{'f' * 5_000}\n+++\nx",
        "x\n---\na: b\n---\n",
        "---\n\n# Rules\n\nSee: the end.\n\n---\nx",
        '{"a": 1}',
        '{"a": 1} and text',
        "{}\nx",
        "[1]\nx",
        "---json\n[1]\n---\nx",
        "<!-- " * 5_000 + "\n---\na: 1\n---\n",
        "<!---->" * 5_000 + "---\n- a\n---\n",
    ],
)
def test_what_is_no_front_matter_stays_text(text):
    assert front_matter(text) == ({}, 0)
    assert markdown(text).text == text


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        ({"content": "The mast.", "id": "h1"}, Document("h1", "", "The mast.")),
        ({"page_content": "x", "metadata": {"page": 1}}, Document("a:3", "", "x", {"metadata": {"page": 1}})),
        ({"_id": 7, "Title": "T", "Body": "x"}, Document("7", "T", "x")),
        ({"text": "x", "content": "y", "docid": "d"}, Document("d", "", "x", {"content": "y"})),
    ],
)
def test_records_have_the_keys_that_people_have(record, expected):
    assert json_document(record, "a:3") == expected
