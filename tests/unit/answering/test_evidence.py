"""Which places with the same words speak for them."""

from __future__ import annotations

from opendpr.answering.decoding import Decoding, candidates
from opendpr.answering.evidence import AGREEING_PLACES, independent, repeated_lines
from opendpr.types import Hit, Passage, Span


def mark(number: int, text: str, words: str, *, document: str = "", title: str = "") -> Span:
    first = text.index(words)
    passage = Passage(number, document or f"d{number}", title, text, 0)
    return Span(Hit(passage, 1.0), first, first + len(words), words, 0.0, -1.0 - number / 100)


def counted(spans: list[Span]) -> list[int]:
    return independent(spans, repeated_lines(spans))


def test_several_places_of_one_document_count_once() -> None:
    spans = [mark(n, f"In year {n} it was red.", "red", document="a" if n < 3 else "b") for n in range(4)]
    assert counted(spans) == [0, 3]


def test_copies_of_a_passage_count_once() -> None:
    assert counted([mark(n, "The wall is red.", "red") for n in range(30)]) == [0]


def test_the_same_sentence_counts_once_wherever_it_is_quoted() -> None:
    said = "The ferry Nordan carried 4,120 passengers in 1968."
    quoted = f"Thanks!\n\n> {said.replace(' carried', chr(10) + '> carried')}\n\nBest wishes"
    texts = [f"We wrote this. {said}", quoted, f"{said} It sank.", "In 1968 it carried 4,120 passengers, they say."]
    assert counted([mark(n, text, "4,120") for n, text in enumerate(texts)]) == [0, 3]


def test_a_header_that_many_passages_share_counts_once_however_often_it_is_there() -> None:
    spans = [mark(n, f"Acme Manual 7\nText of page {n}.", "7") for n in range(5)]
    assert counted(spans) == [0]
    prose = mark(9, "It has 7 keys.", "7")
    assert counted([*spans, prose]) == [0, 5]


def test_titles_count_once_together() -> None:
    spans = [mark(n, f"git-{n}0(1)\n\nDoes {n}.", "1", title=f"git-{n}0(1) manual page") for n in range(3, 6)]
    assert counted(spans) == [0]


def test_many_documents_that_agree_say_no_more_than_a_few() -> None:
    spans = [mark(n, f"In book {n} it is red.", "red") for n in range(10)]
    assert len(counted(spans)) == AGREEING_PLACES
    (red,) = candidates(spans, Decoding())
    assert (red.agreeing, len(red.spans)) == (AGREEING_PLACES, 10)
