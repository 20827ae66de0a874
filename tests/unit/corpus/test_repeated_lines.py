"""Menus and the like, which repeat on the pages of a folder, are left out; what a page says for itself stays."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import opendpr
from opendpr.corpus import Corpus
from opendpr.text.sections import SECTIONS_KEY, parse_sections

TOPICS = ("Ports", "Users", "Logs", "Mail", "Keys", "Time")
PAGE = """<!doctype html><title>{0}</title>
<table><tr><td>Chapter {1}. {0}</td></tr><tr><td>Prev</td><td>Next</td></tr></table>
<ul><li>Home</li><li>Search</li></ul><h1 id="{0}">{0}</h1><p>Status: core</p><p>{0} are set in file {1}.</p>
<h2 id="see">See also</h2><p>Nothing on {0} else.</p>
<div>Prev</div><div>Next</div><p>Orvik Harbour Office, 1990-2024</p>"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "pages"
    folder.mkdir()
    for number, topic in enumerate(TOPICS):
        (folder / f"{number}.html").write_text(PAGE.format(topic, number))
    (folder / "3.txt").write_text("Home\nSearch\n")
    return folder


def test_what_repeats_is_there_once_and_what_is_a_pages_own_stays(folder: Path) -> None:
    texts = {document.id: document.text for document in Corpus([folder])}
    assert list(texts) == ["0.html", "1.html", "2.html", "3.html", "3.txt", "4.html", "5.html"]
    assert texts["0.html"].startswith("Chapter 0. Ports\nPrev\tNext") and "Harbour Office" in texts["0.html"]
    for number, topic in list(enumerate(TOPICS))[1:]:
        text = texts[f"{number}.html"]
        assert f"{topic} are set in file {number}." in text and "Status: core" in text and "See also" in text
        assert not any(line in text for line in ("Prev", "Home", "Search", "Harbour Office"))
    assert texts["3.txt"] == "Home\nSearch\n"


def test_sections_move_with_their_lines_and_what_was_left_out_is_counted(folder: Path) -> None:
    for document in Corpus([folder]):
        for section in parse_sections(document.metadata.get(SECTIONS_KEY)):
            assert document.text.startswith(section.heading, section.start)
    left_out = document.metadata["left_out"]
    assert left_out["lines"] == 6
    assert {*left_out["most"]} == {"Prev\tNext", "Home", "Search", "Prev", "Next", "Orvik Harbour Office, 1990-2024"}


def test_all_of_it_stays_if_that_is_asked_for_or_pages_are_few(folder: Path) -> None:
    assert all("Home" in document.text for document in Corpus([folder], keep_repeated=True))
    for number in range(3, 6):
        (folder / f"{number}.html").unlink()
    assert all("Home" in document.text for document in Corpus([folder]))


def test_copies_of_a_page_do_not_make_its_text_a_menu(tmp_path: Path) -> None:
    for number in range(8):
        (tmp_path / f"{number}.html").write_text("<p>The harbour fee is 90 crowns.</p><p>It is due in May.</p>")
    assert {document.text for document in Corpus([tmp_path])} == {"The harbour fee is 90 crowns.\n\nIt is due in May."}


def test_files_of_records_among_pages_are_not_held_back(folder: Path) -> None:
    lines = [json.dumps({"id": f"r{number}", "text": "Text."}) for number in range(5)]
    (folder / "2.jsonl").write_text("\n".join(lines))
    ids = [document.id for document in Corpus([folder])]
    assert ids == ["0.html", "1.html", "2.html", "r0", "r1", "r2", "r3", "r4", "3.html", "3.txt", "4.html", "5.html"]


def test_the_report_says_what_was_left_out_and_unchanged_files_are_still_known(folder: Path, tmp_path: Path) -> None:
    report = opendpr.add(tmp_path / "c", folder, vectors=False)
    assert report.repeated["Home"] == 5
    again = opendpr.add(tmp_path / "c", folder, vectors=False)
    assert again.documents == {"unchanged": 7}


def test_a_page_that_changes_alone_is_read_as_before(folder: Path, tmp_path: Path) -> None:
    opendpr.add(tmp_path / "c", folder, vectors=False)
    (folder / "4.html").write_text(PAGE.format("Lamps", 4))
    report = opendpr.add(tmp_path / "c", folder, vectors=False)
    assert report.documents == {"unchanged": 6, "replaced": 1}
    text = opendpr.open(tmp_path / "c", retriever="bm25").document("4.html").text
    assert "Lamps are set in file 4." in text and "Home" not in text
