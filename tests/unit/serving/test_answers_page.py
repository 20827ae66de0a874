"""The page of a question: what it says where there is no sure answer, and how passages look."""

from __future__ import annotations

import pytest

from opendpr.serving.page.answers import SearchForm, answers_page
from opendpr.serving.records import AnswerRecord, AskRecord, PassageRecord, SpanRecord
from opendpr.types import CONFIDENCE_MEANINGS
from service_info import INFO

TEXT = "## Towns\n\n| Town | River |\n|---|---|\n| Albi | `Tarn` |\n\nCahors is <old>. It lies on the Lot."


def passage(id: str, title: str = "Guide > Towns", text: str = TEXT) -> PassageRecord:
    start, end = 10, 10 + len(text)
    return PassageRecord(id, "guide.md", title, text, start, end, start, end, None, "towns", 1.0, {"dense": 0.5}, [])


def answer(text: str, kind: str, confidence: float) -> AnswerRecord:
    start = 10 + TEXT.index(text)
    place = (start, start + len(text))
    span = SpanRecord("b", "guide.md", "Guide > Towns", *place, *place, None, "towns", text, 0.0, 0.0)
    shown_kind = "sentence" if kind == "sentence" else "span"
    return AnswerRecord(text, shown_kind, confidence, CONFIDENCE_MEANINGS[kind], "a guess", [span])


UNSURE = AskRecord(
    "Who lives in Cahors?",
    "hybrid",
    1,
    False,
    [answer("It lies on the Lot.", "sentence", 0.2), answer("the Lot", "span", 0.2)],
    [passage("a", text="Nothing of use."), passage("b")],
)


def test_servers_that_did_not_answer_are_named():
    whole = AskRecord("Who?", "hybrid", 1, False, [], [])
    part = AskRecord("Who?", "hybrid", 1, False, [], [], ["db2.example.org:5432"])
    assert "db2.example.org:5432" in answers_page(SearchForm("Who?"), INFO, part)
    assert "cannot be found" not in answers_page(SearchForm("Who?"), INFO, whole)


def test_without_a_sure_answer_the_closest_passage_is_shown_with_its_sentence_marked():
    page = answers_page(SearchForm(UNSURE.question), INFO, UNSURE)
    assert "Nothing in the 2 passages read answers this surely." in page
    assert "<mark>It lies on the Lot.</mark>" in page
    assert "the Lot</span> (confidence 0.20 that these words are the answer)" in page
    assert 'class="words' not in page


def test_keywords_show_passages_instead_of_no_answer():
    page = answers_page(SearchForm("Cahors"), INFO, UNSURE)
    assert "No answer found" not in page
    assert "<h2>Passages</h2>" in page


def test_a_passage_keeps_its_form_and_is_named_by_its_headings():
    page = answers_page(SearchForm(UNSURE.question), INFO, UNSURE)
    assert '<p class="heading">Towns</p>' in page
    assert '<th scope="col"> Town </th>' in page
    assert "<code>Tarn</code>" in page
    assert "Cahors is &lt;old&gt;." in page
    assert "characters 1" not in page
    assert "## " not in page


def test_a_language_model_is_given_no_words_of_an_unsure_answer():
    pytest.importorskip("mcp")
    from opendpr.serving.mcp import without_guesses

    given = without_guesses(UNSURE)
    assert given.answers == []
    assert [record.passage_id for record in given.passages] == ["b", "a"]
