"""Where an offset is for a reader: pages, sections, titles and links."""

from __future__ import annotations

from opendpr.text.places import Outline, page_starts
from opendpr.text.sections import Section

PORTS = [Section(0, 1, "Manual", "manual"), Section(5, 2, "Ports", "ports"), Section(40, 2, "Users")]


def test_pages_are_counted_from_one_and_only_where_there_are_pages() -> None:
    outline = Outline(pages=[0, 10, 25])
    assert [outline.page(offset) for offset in (0, 9, 10, 24, 25, 99)] == [1, 1, 2, 2, 3, 3]
    assert Outline().page(5) is None


def test_an_anchor_is_that_of_the_section_that_a_character_is_in_or_the_page() -> None:
    outline = Outline(sections=PORTS)
    assert [outline.anchor(offset) for offset in (4, 5, 90)] == [None, "ports", "ports"]
    assert Outline(pages=[0, 10]).anchor(12) == "page=2"


def test_the_title_of_a_place_has_the_headings_above_it() -> None:
    outline = Outline("Manual", sections=PORTS)
    assert [outline.title_at(offset) for offset in (0, 5, 39, 40)] == [
        "Manual",
        "Manual > Ports",
        "Manual > Ports",
        "Manual > Users",
    ]
    assert Outline("notes").title_at(3) == "notes"
    assert Outline().title_at(3) == ""


def test_pages_of_a_record_may_be_anything() -> None:
    assert page_starts([4, 0]) == [0, 4]
    assert page_starts("of a record") == page_starts(["x"]) == page_starts(None) == page_starts({"a": 1}) == []
