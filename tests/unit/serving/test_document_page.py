"""The page of a document: sheets, marks, places of words, headings."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from opendpr.serving.page.document import DocumentView, document_page
from opendpr.serving.page.sheets import LONGEST_CHARACTERS, SheetMarks, find_places, pieces, sheet_at, sheet_starts
from opendpr.serving.records import DocumentRecord
from service_info import INFO


def record(text: str, **metadata: object) -> DocumentRecord:
    return DocumentRecord("a", "A", metadata, len(text), 0, len(text), text)


def test_a_document_shows_passage_and_answer_in_place() -> None:
    document = record("One <b>two</b> three four five.", page_starts=[0, 15])
    page = document_page(document, DocumentView((4, 9), (0, 20)), INFO)
    assert '<span class="passage"><mark class="current" id="answer">&lt;b&gt;tw</mark></span>' in page
    assert '<span class="pagebreak">Page 2</span>' in page
    plain = document_page(document, DocumentView(), INFO)
    assert "<mark" not in plain
    assert 'id="passage"' not in plain
    assert "Part 1" not in plain
    whole = document_page(document, DocumentView(None, (4, 9)), INFO)
    assert '<span class="passage"><span id="passage">&lt;b&gt;tw</span></span>' in whole


def test_of_a_long_document_the_sheet_of_the_answer_is_shown() -> None:
    text = "A line of text.\n" * 2_000 + "The lighthouse." + "\nA line of text." * 2_000
    document, place = record(text), (text.index("The lighthouse"), text.index("The lighthouse") + 15)
    page = document_page(document, DocumentView(place, place, question_query={"q": "What shines?", "k": 5}), INFO)
    assert '<mark class="current" id="answer">The lighthouse.</mark>' in page
    assert "Part 4 of 7" in page
    assert 'href="/?q=What+shines%3F&amp;k=5"' in page
    assert f"&amp;start={place[0]}&amp;end={place[1]}" in page
    other = document_page(document, DocumentView(place, sheet=1), INFO)
    assert "Part 1 of 7" in other
    assert "To the answer" in other
    assert "Part 7 of 7" in document_page(document, DocumentView(sheet=99), INFO)


def test_words_are_found_in_the_whole_document_one_place_after_the_other() -> None:
    text = "The Pier.\n" + "A line of text.\n" * 2_000 + "The\npier again."
    document = record(text)
    first = document_page(document, DocumentView(words="the pier"), INFO)
    assert "1 of 2" in first
    assert '<mark class="current" id="place">The Pier</mark>' in first
    assert 'href="/document?id=a&amp;find=the+pier&amp;at=2#place" data-key="n"' in first
    second = document_page(document, DocumentView(words="the pier", place_number=2), INFO)
    assert "2 of 2" in second
    assert 'id="place">The\npier</mark>' in second
    assert "not in this document" in document_page(document, DocumentView(words="zeppelin"), INFO)


def test_the_words_of_an_answer_are_found_elsewhere_too() -> None:
    text = "Marta built it. Later Marta died."
    page = document_page(record(text), DocumentView((22, 27)), INFO)
    assert "2 of 2" in page
    assert '<mark class="other">Marta</mark> built' in page
    assert 'href="/document?id=a&amp;start=22&amp;end=27&amp;find=Marta&amp;at=1#place"' in page


def test_a_document_lists_its_headings_with_links_to_their_places() -> None:
    sections = [[0, 1, "Guide", ""], [8, 2, "Ports & <piers>", "ports"]]
    page = document_page(record("# Guide\n## Ports & <piers>\nText.", sections=sections), DocumentView(), INFO)
    assert "2 headings" in page
    assert '<li class="level2"><a href="/document?id=a&amp;from=8&amp;to=23#passage"' in page
    assert "Ports &amp; &lt;piers&gt;</a>" in page


@given(st.text("ab \n.", min_size=0, max_size=60).map(lambda text: text * 900), st.lists(st.integers(0, 60_000)))
def test_sheets_cover_a_text_and_none_is_long(text: str, starts: list[int]) -> None:
    borders = sheet_starts(text, starts)
    assert borders[0] == 0
    assert all(0 < after - before <= LONGEST_CHARACTERS for before, after in pairwise([*borders, len(text)]) if text)
    assert all(sheet_at(borders, border) == number for number, border in enumerate(borders, start=1))


def test_a_sheet_ends_where_a_part_of_the_document_does_else_at_a_paragraph() -> None:
    text = "word " * 4_000
    assert sheet_starts(text, [9_000, 13_000])[1] == 9_000
    paragraph = text[:9_500] + "\n\n" + text[9_500:]
    assert sheet_starts(paragraph, [])[1] == 9_502


@given(
    st.text("abc \n", min_size=1, max_size=80), st.text("abc", min_size=1, max_size=2),
    st.integers(0, 80), st.integers(0, 80), st.lists(st.integers(0, 80), max_size=3),
)  # fmt: skip
def test_pieces_are_the_text_and_cover_what_is_marked(
    text: str, words: str, first: int, last: int, pages: list[int]
) -> None:
    answer = (min(first, last, len(text)), min(max(first, last), len(text)))
    marked_places = find_places(text, words)
    made = pieces(
        text, (0, len(text)), SheetMarks(answer, (0, 0), marked_places, 0 if marked_places else None), sorted(pages)
    )
    assert "".join(piece.text for piece in made) == text
    assert "".join(piece.text for piece in made if piece.is_answer) == text[slice(*answer)]
    assert "".join(piece.text for piece in made if piece.is_found) == "".join(
        text[slice(*place)] for place in marked_places
    )
    named = [piece.anchor for piece in made if piece.anchor]
    assert len(named) == len(set(named))


def test_words_are_found_as_they_are() -> None:
    text = "a. xa\tb"
    assert [find_places(text, words) for words in ("", "a.", "A  b", "(")] == [[], [(0, 2)], [(4, 7)], []]
