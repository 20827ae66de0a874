"""Passages keep the form that they have in their documents."""

from __future__ import annotations

import pytest

from opendpr.serving.page.blocks import Block, blocks


def words(block: Block) -> list[list[str]]:
    return [["".join(run.text for run in cell).strip() for cell in row.cells] for row in block.rows]


def test_markdown_is_shown_without_its_signs():
    text = "Intro **bold**\n\n- one\n  more\n  - two\n3. three\n\nTitle\n=====\n"
    prose, items, title = blocks(text, "a.md")
    assert words(prose) == [["Intro bold"]]
    assert [(row.marker, row.depth) for row in items.rows] == [("•", 0), ("•", 1), ("3.", 0)]
    assert (title.kind, words(title)) == ("heading", [["Title"]])


def test_a_passage_that_begins_or_ends_within_code_shows_it_as_code():
    begun = blocks("ls | wc\n```\nThen:\n\n```sh\n# list", "a.md")
    assert [(block.kind, words(block)) for block in begun] == [
        ("code", [["ls | wc"]]),
        ("prose", [["Then:"]]),
        ("code", [["# list"]]),
    ]


def test_plain_text_is_left_as_it_is_but_for_its_tables():
    table, plain = blocks("a\tb\nc\td\n\n# not a heading\n  * 2**3**4", "a.html")
    assert (table.kind, words(table)) == ("table", [["a", "b"], ["c", "d"]])
    assert (plain.kind, words(plain)) == ("plain", [["# not a heading\n  * 2**3**4"]])


@pytest.mark.parametrize("document_id", ["a.md", "a.txt"])
def test_what_is_marked_is_marked_wherever_it_is(document_id: str):
    text = "# On ports\n\n| `ssh` | 22 |\n\n- see [RFC](x) and **more**\n\n```\ncode\n```\n"
    for part in ("ports", "`ssh`", "ssh", "22", "RFC", "(x)", "**more**", "code"):
        start = text.index(part)
        shown = blocks(text, document_id, (start, start + len(part)))
        runs = [run for block in shown for row in block.rows for cell in row.cells for run in cell]
        assert "".join(run.text for run in runs if run.is_marked).strip("`*") == part.strip("`*")


@pytest.mark.parametrize("sign", ["`", "[", "|", "|\\", "- ", "**a", "# ", "|-"])
def test_endless_signs_are_shown_at_once(sign: str):
    assert blocks("x " + sign * 20_000, "a.md")
    assert blocks(f"x\n{sign * 20_000}x", "a.md")
