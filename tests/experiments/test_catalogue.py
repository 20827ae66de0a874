"""The list of figures, and the tables that come from it."""

from __future__ import annotations

from pathlib import Path

import pytest
from experiments.common.catalogue import CatalogueError, read_catalogue
from experiments.common.tables import fill_in, rendered, stale_documents

LIST = """
[machines]
here = "a machine"
[sets.reader]
script = "paper.reader"
kind = "quality"
machine = "here"
date = 2026-01-01
[sets.reader.figures]
"EM" = [68.0, 65.6, 70.5]
"gain" = [7.4, -5.8, 9.1]
"passages" = 12345
"answer@1" = 50
"answer@5" = 70.0
[tables.reader]
docs = ["page.md"]
head = ["", "EM"]
rows = [["fp32", "{reader/EM}"]]
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "figures.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_documents_show_the_figures_of_the_list() -> None:
    assert stale_documents(read_catalogue()) == []


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("{reader/EM}", "68.0 (65.6 to 70.5)"),
        ("{reader/EM|value} %", "68.0 %"),
        ("{reader/gain|signed}", "+7.4 (-5.8 to +9.1)"),
        ("{reader/passages}", "12,345"),
        ("{reader/answer@1,5}", "50 / 70.0"),
        ("on {reader|machine}", "on a machine"),
    ],
)
def test_a_cell_keeps_the_digits_that_are_stored(tmp_path: Path, cell: str, expected: str) -> None:
    assert fill_in(cell, read_catalogue(write(tmp_path, LIST))) == expected


def test_a_table_takes_the_place_between_its_marks(tmp_path: Path) -> None:
    text = "Before.\n<!-- figures: reader -->\nold\n<!-- end -->\nAfter.\n"
    new = rendered(text, "page.md", read_catalogue(write(tmp_path, LIST)))
    assert "| fp32 | 68.0 (65.6 to 70.5) |" in new
    assert new.startswith("Before.\n") and new.endswith("<!-- end -->\nAfter.\n")


def test_a_figure_in_a_sentence_takes_the_place_between_its_marks(tmp_path: Path) -> None:
    text = "<!-- figures: reader -->\n<!-- end -->\nIt is <!-- {reader/EM|value} -->67<!-- end --> %, not <b>66</b>.\n"
    new = rendered(text, "page.md", read_catalogue(write(tmp_path, LIST)))
    assert new.endswith("It is <!-- {reader/EM|value} -->68.0<!-- end --> %, not <b>66</b>.\n")
    with pytest.raises(CatalogueError, match="'MM' is not a figure of reader"):
        rendered(text.replace("EM|", "MM|"), "page.md", read_catalogue(write(tmp_path, LIST)))
    with pytest.raises(CatalogueError, match="did you mean 'reader'"):
        rendered(text.replace("reader/EM|value", "readr|machine"), "page.md", read_catalogue(write(tmp_path, LIST)))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("script =", "scrip =", "did you mean 'script'"),
        ('machine = "here"', 'machine = "hre"', "did you mean 'here'"),
        ('kind = "quality"', 'kind = "good"', "must be 'quality' or 'speed'"),
        ("= 12345", '= "many"', "give a number, or \\[value, low, high\\]"),
        ('["fp32", "{reader/EM}"]', '["fp32"]', "a row of 1 cells, its head has 2"),
        ("date = 2026-01-01", "", "sets.reader lacks date"),
    ],
)
def test_a_slip_in_the_list_is_named(tmp_path: Path, old: str, new: str, message: str) -> None:
    with pytest.raises(CatalogueError, match=message):
        read_catalogue(write(tmp_path, LIST.replace(old, new)))


def test_a_figure_that_is_not_stored_is_named_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(CatalogueError, match="did you mean 'passages'"):
        fill_in("{reader/pasages}", read_catalogue(write(tmp_path, LIST)))


def test_a_document_without_the_marks_of_its_table_is_named(tmp_path: Path) -> None:
    with pytest.raises(CatalogueError, match=r"page\.md lacks the marks"):
        rendered("No table here.\n", "page.md", read_catalogue(write(tmp_path, LIST)))
