"""Text that breaks programs: the same id and the same text come out, and every search works."""

from __future__ import annotations

import json
import os
import unicodedata
from pathlib import Path
from typing import Any

import pytest

import opendpr
from opendpr.collection import open_collection
from opendpr.collection.verify import verify_store
from opendpr.errors import UsageError
from opendpr.maintenance.add import AddReport
from opendpr.model.directory import find_model
from opendpr.model.encoder import BertEncoder
from opendpr.model.runtime import RuntimeSettings

NFC, NFD = (unicodedata.normalize(form, "Ångström café") for form in ("NFC", "NFD"))
TEXTS = {
    "a line of a megabyte": "lorem ipsum " * 87_000,
    "a word of 100,000 characters": "x" * 100_000,
    "NUL": "before\0after \0",
    "byte order marks": "\ufeffmarked\ufeff text\ufeff",
    "CRLF": "one\r\ntwo\rthree\n\r\nfour\r\n",
    "right to left": "שלום \u202eabc\u202c العربية \u200f1990",
    "emoji": "👩‍👩‍👧‍👦 🏴󠁧󠁢󠁳󠁣󠁴󠁿 🇨🇭 👍🏽",
    "separators": "[SEP]",
    "masks": "[MASK][MASK] [CLS] [PAD] [UNK]",
    "control characters": "".join(map(chr, range(1, 32))) + "\x7f\x85 end",
    "not characters": "\ufdd0\uffff\U0010ffff words",
    "marks on marks": "z" + "\u0301" * 3_000 + " a",
    "spaces of all kinds": "\u2028a\u2029b\u00a0c\u3000d\u200be",
    "SQL": "'; DROP TABLE passages; --",
    "JSON": '{"id": "x", "text": "\\ud800"}',
    "composed " + NFC: NFC,
    "decomposed " + NFD: NFD,
    NFC: "the same letters",
    NFD: "in another form",
    " id with spaces\t": "words",
    "👩‍👩‍👧": "words",
    "[SEP]": "words",
    "--help": "words",
    "'; DROP TABLE documents; --": "words",
}
REFUSED = {
    "empty": ("", "no text"),
    "blank": (" \t\u2003\r\n", "no text"),
    "half a pair": ("a \ud800 b", "not valid Unicode"),
    "\udfff": ("words", "the id is not valid Unicode"),
}
QUESTIONS = [
    "[SEP]",
    "[MASK] [CLS]",
    "\0",
    "\ufeff",
    "שלום",
    "👩‍👩‍👧",
    "x" * 4_096,
    NFC,
    NFD,
    "'; DROP TABLE x; --",
    '" OR *',
    "\r\n.",
]


@pytest.fixture(scope="module")
def added(tmp_path_factory: pytest.TempPathFactory, tiny_model: Path) -> tuple[Path, AddReport]:
    """A collection of all these texts, from one file of JSON lines."""
    folder = tmp_path_factory.mktemp("nasty")
    texts = {**TEXTS, **{id: text for id, (text, _) in REFUSED.items()}}
    lines = [json.dumps({"id": id, "title": text[:50], "text": text}) + "\n" for id, text in texts.items()]
    (folder / "nasty.jsonl").write_text("".join(lines), encoding="utf-8")
    return folder / "notes", opendpr.add(folder / "notes", folder / "nasty.jsonl", str(tiny_model))


def test_every_text_is_stored_or_refused_with_its_place_and_a_reason(added):
    directory, report = added
    places = {
        f"{directory.parent / 'nasty.jsonl'}:{len(TEXTS) + 1 + n}": why for n, (_, why) in enumerate(REFUSED.values())
    }
    assert {entry.place for entry in report.skipped} == places.keys()
    assert all(places[entry.place] in entry.reason for entry in report.skipped)
    assert report.documents == {"added": len(TEXTS)}
    with open_collection(directory) as collection:
        assert {summary.id: collection.document(summary.id).text for summary in collection.summaries()} == TEXTS
        assert collection.counts()["to_encode"] == 0
        assert verify_store(collection) == []


@pytest.mark.parametrize("retriever", ["dense", "bm25", "hybrid"])
def test_every_question_is_answered_or_refused_and_finds_what_was_stored(added, retriever):
    answerer = opendpr.open(added[0], retriever=retriever)
    for question in QUESTIONS:
        try:
            hits = answerer.search(question, 20)
        except UsageError:
            assert not question.strip()
            continue
        assert hits or retriever == "bm25"
        for hit in hits:
            text = TEXTS[hit.passage.document_id]
            assert text[hit.passage.start :].startswith(hit.passage.text)
    for question in ("", " \n", "\ud800", "x" * 4_097):
        with pytest.raises(UsageError):
            answerer.search(question, 5)


def test_special_tokens_in_a_text_count_as_the_words_they_are(added, tiny_model):
    encoder = BertEncoder(find_model(str(tiny_model)), RuntimeSettings(precision="fp32"))
    one, other = encoder.encode_questions(["[SEP]", "[ sep ]"])
    assert one == pytest.approx(other, abs=1e-5)
    assert opendpr.open(added[0], retriever="bm25").search("[MASK]", 5)[0].passage.document_id == "masks"


@pytest.mark.parametrize("id", ["NUL", "CRLF", "right to left", "masks", NFD, " id with spaces\t", "--help"])
def test_the_command_shows_the_text_of_an_id_as_it_is(added, run, id):
    result = run("show", "--json", "--", added[0], id)
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout)["text"] == TEXTS[id]


def test_commands_print_whatever_is_found(added, run):
    for question in ("words [SEP]", "שלום 👩‍👩‍👧 before"):
        result = run("search", added[0], question, "-k", 50)
        assert (result.returncode, result.stderr) == (0, "")
        assert result.stdout
    result = run("list", added[0], "--json")
    assert {json.loads(line)["id"] for line in result.stdout.splitlines()} == TEXTS.keys()
    result = run("ask", added[0], "-", input="\n".join(["[SEP] [MASK]", "\u202eabc", "👩‍👩‍👧"]) + "\n")
    assert (result.returncode, len(result.stdout.splitlines())) == (0, 3), result.stderr


def test_a_document_cannot_give_the_terminal_orders(tmp_path: Path, tiny_model: Path, run: Any, start: Any) -> None:
    """To a pipe `show` gives every character; on a terminal those that move it are replaced."""
    nasty = "one \x1b]0;title\x07 two \x1b[2J three \x9b31m four\n"
    (tmp_path / "a.txt").write_text(nasty)
    assert run("add", tmp_path / "c", tmp_path / "a.txt", "--model", tiny_model).returncode == 0
    assert run("show", tmp_path / "c", "a.txt").stdout == nasty
    ours, its = os.openpty()
    process = start("show", tmp_path / "c", "a.txt", stdout=its)
    assert process.wait(60) == 0
    shown = os.read(ours, 10_000).decode()
    os.close(ours)
    os.close(its)
    assert shown.split() == ["one", "�]0;title�", "two", "�[2J", "three", "�31m", "four"]
