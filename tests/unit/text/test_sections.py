"""Sections of documents: what passages are called after, and what links name."""

from __future__ import annotations

import pytest

from opendpr.text.sections import Section, anchor_at, parse_sections, passage_titles

SECTIONS = [
    Section(0, 1, "Chapter 5", "five"),
    Section(100, 2, "Ports", "ports"),
    Section(150, 0, "", "imap"),
    Section(200, 2, "Users"),
    Section(300, 1, "Chapter 6", "six"),
]


def test_a_passage_is_called_after_the_headings_above_most_of_it() -> None:
    spans = [(0, 90), (90, 190), (180, 290), (190, 205), (300, 400)]
    assert list(passage_titles("Manual", SECTIONS, spans)) == [
        "Manual > Chapter 5",
        "Manual > Chapter 5 > Ports",
        "Manual > Chapter 5 > Users",
        "Manual > Chapter 5 > Ports",
        "Manual > Chapter 6",
    ]


def test_a_heading_that_the_title_says_already_is_not_repeated() -> None:
    assert list(passage_titles("Chapter 5 of the manual", SECTIONS, [(110, 190)])) == [
        "Chapter 5 of the manual > Ports"
    ]


def test_text_before_the_first_heading_has_the_title_alone() -> None:
    assert list(passage_titles("Manual", SECTIONS[1:], [(0, 90)])) == ["Manual"]


def test_a_document_without_a_title_has_its_headings() -> None:
    assert list(passage_titles("", SECTIONS, [(110, 190)])) == ["Chapter 5 > Ports"]


def test_an_offset_has_the_nearest_anchor_above_it() -> None:
    anchors = [anchor_at(SECTIONS, offset) for offset in (0, 120, 160, 250, 300)]
    assert anchors == ["", "ports", "imap", "imap", "six"]
    assert anchor_at(SECTIONS[1:], 50) == ""


@pytest.mark.parametrize(
    "value", [None, "text", 7, [1], [[0, 1, "a"]], [["0", 1, "a", ""]], [[0, 1, None, ""]], {"a": 1}]
)
def test_what_a_record_calls_its_sections_may_be_anything(value: object) -> None:
    assert parse_sections(value) == []


def test_sections_are_read_from_metadata_in_order() -> None:
    assert parse_sections([[9, 2, "b", "y"], [0, 1, "a", "x"]]) == [Section(0, 1, "a", "x"), Section(9, 2, "b", "y")]
