"""Menus of a page are left out by what elements mean, counted, and kept where they are wanted or all there is."""

from __future__ import annotations

from pathlib import Path

import pytest

import opendpr
from opendpr.corpus import Corpus
from opendpr.corpus.html import extract

LINKS = '<li><a href="/">Home</a></li><li><a href="/fares">Fares</a></li>'
CONTENT = "<main><h1>Pier</h1><p>The fee is 12 crowns. See <a href=x>the rules</a>.</p></main>"
SEEN = "Pier\n\nThe fee is 12 crowns. See the rules."


@pytest.mark.parametrize(
    "menu",
    [
        f"<nav><ul>{LINKS}</ul></nav>",
        f"<div role=navigation><h2>Menu</h2>{LINKS}</div>",
        f"<header><ul>{LINKS}</ul></header>",
        "<footer><a href=a>Privacy</a> | <a href=b>Contact</a></footer>",
        "<aside><div><p><a href=a>Related page</a></p><p><a href=b>Another</a></p></div></aside>",
    ],
)
def test_menus_are_left_out_and_counted(menu: str) -> None:
    page = extract(menu + CONTENT)
    assert page.text == SEEN
    assert [section[2] for section in page.metadata["sections"]] == ["Pier"]  # type: ignore[attr-defined]
    assert page.metadata["menus_left_out"]["lines"] >= 1  # type: ignore[index]
    assert extract(menu + CONTENT, menus=True).text != SEEN


@pytest.mark.parametrize(
    "block",
    [
        "<footer>Harbour office, Quay 3, open from 9 to 17. <a href=a>Privacy</a> <a href=b>Contact</a></footer>",
        "<aside>The pier was closed in 1874. <a href=a>More</a></aside>",
        "<header><h1><a href=/>Orvik</a></h1><a href=b>Log in</a></header>",
        f"<ul>{LINKS}</ul>",
    ],
)
def test_text_beside_links_and_lists_in_the_content_stay(block: str) -> None:
    assert extract(block + CONTENT).text == extract(block + CONTENT, menus=True).text


def test_a_page_that_is_nothing_but_a_menu_keeps_it() -> None:
    assert "Fares" in extract(f"<h1>Index</h1><nav><ul>{LINKS}</ul></nav>").text


def test_add_says_how_many_lines_were_left_out_and_keeps_them_where_wanted(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text(f"<nav><ul>{LINKS}</ul></nav>{CONTENT}")
    report = opendpr.add(tmp_path / "c", tmp_path / "a.html", vectors=False)
    assert report.repeated == {"Home": 1, "Fares": 1}
    (document,) = Corpus([tmp_path / "a.html"], keep_repeated=True)
    assert "Fares" in document.text
