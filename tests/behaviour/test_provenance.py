"""Every span is the document's own words, where it says they are, whatever the text is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opendpr.passages import Splitter
from opendpr.reader import BertReader
from opendpr.runtime import RuntimeSettings
from opendpr.runtime.model import Model
from opendpr.types import Document, Hit, Passage, Span

NASTY = [
    *("word", "U.S.", "e\u0301te\u0301", "\u0301", "ﬁn", "İstanbul", "ǅ", "ß", "Ⅷ", "\u1e9b\u0323", "한국어", "각"),
    *(
        "漢字",
        "ひらがな",
        "ภาษาไทย",
        "שלום",
        "\u202eمرحبا",
        "\U0001f468\u200d\U0001f469",
        "\u2764\ufe0f",
        "𠀀",
        "\U0001f1eb",
    ),
    *(
        " ",
        "\n",
        "\r\n",
        "\t",
        "\u3000",
        "\u00a0",
        "\x00",
        "\u200b",
        "\ufeff",
        "\x1c",
        "\u00ad",
        "\ufffd",
        "\ud800",
        "\udfff",
    ),
    *("[SEP]", "[CLS]", "[PAD]", "##ing", "b" * 150, "3.14", "don't", "a-b", "...", "…", "½", "\u2028", "👍🏽"),
]
texts = st.one_of(
    st.lists(st.sampled_from(NASTY), min_size=1, max_size=60).map("".join),
    st.lists(st.sampled_from(NASTY), min_size=1, max_size=60).map(" ".join),
    st.text(st.characters(codec=None), min_size=1, max_size=80),  # surrogates too
)


@pytest.fixture(scope="module")
def reader(tiny_model: Path) -> BertReader:
    return BertReader(Model(tiny_model), RuntimeSettings("openvino", "fp32"))


@pytest.fixture(scope="module")
def narrow(tiny_model: Path) -> BertReader:
    """A reader whose windows are so small that most passages need several."""
    reader = BertReader(Model(tiny_model), RuntimeSettings("openvino", "fp32"))
    reader.config = replace(reader.config, max_tokens=24, stride_tokens=5, max_question_tokens=5, max_answer_tokens=4)
    return reader


def hits_of(document: Document, splitter: Splitter) -> list[Hit]:
    pieces = enumerate(splitter.split(document.text), start=1)
    return [
        Hit(Passage(n, document.id, document.title, document.text[first:last], first), 1.0)
        for n, (first, last) in pieces
    ]


def check(document: Document, hits: Sequence[Hit], spans: Sequence[Span]) -> None:
    for span in spans:
        passage = span.hit.passage
        assert span.hit in hits
        assert span.start < span.end
        assert passage.start <= span.start
        assert span.end <= passage.start + len(passage.text)
        assert span.text == document.text[span.start : span.end]
        assert span.span_score <= 1e-6
    scores = [span.passage_score + span.span_score for span in spans]
    assert scores == sorted(scores, reverse=True)
    assert len({(span.start, span.end) for span in spans}) == len(spans)


@settings(max_examples=150, deadline=None)
@given(text=texts, title=st.sampled_from(["", "Title", "\ud800\x00", "[SEP]"]), words=st.integers(1, 30))
def test_spans_are_the_documents_own_words(reader: BertReader, text: str, title: str, words: int) -> None:
    document = Document("d", title, text)
    hits = hits_of(document, Splitter(words=words))
    (spans,) = reader.read(["where is the word?"], [hits])
    check(document, hits, spans)


@settings(max_examples=100, deadline=None)
@given(
    text=texts,
    title=st.sampled_from(["", "A long title of many words"]),
    question=st.sampled_from(["", "who?", "\ud800 " * 9]),
)
def test_spans_of_passages_of_several_windows_are_too(narrow: BertReader, text: str, title: str, question: str) -> None:
    document = Document("d", title, text)
    hits = hits_of(document, Splitter(words=100))
    (spans,) = narrow.read([question], [hits])
    check(document, hits, spans)


def test_a_passage_of_several_windows_is_answered_from_all_of_them(narrow: BertReader) -> None:
    text = " ".join(f"word{n} river" for n in range(60))
    document = Document("d", "", text)
    (spans,) = narrow.read(["where?"], [hits_of(document, Splitter(words=200))])
    check(document, hits_of(document, Splitter(words=200)), spans)
    assert min(span.start for span in spans) < len(text) // 4
    assert max(span.end for span in spans) > 3 * len(text) // 4


@settings(max_examples=30, deadline=None)
@given(lead=st.integers(0, 12))
def test_no_span_begins_or_ends_inside_a_word_where_a_window_cuts_one(narrow: BertReader, lead: int) -> None:
    """Words of several tokens each, so that borders of windows fall inside some."""
    text = " ".join(["a"] * lead + ["hydrodynamically", "xylophonists", "zzyzxing"] * 12)
    document = Document("d", "", text)
    (spans,) = narrow.read(["where?"], [hits_of(document, Splitter(words=200))])
    whole = [span for span in spans if span.start == 0 or text[span.start - 1] == " "]
    assert whole == spans
    assert all(span.end == len(text) or text[span.end] == " " for span in spans)


def test_questions_are_answered_apart_and_in_order(reader: BertReader) -> None:
    documents = [Document(f"d{n}", "", f"the river of town{n} flows to the sea") for n in range(3)]
    hits = [hits_of(document, Splitter()) for document in documents]
    together = reader.read(["where?", "who?", "what?"], hits)
    for question, own, document, spans in zip(["where?", "who?", "what?"], hits, documents, together, strict=True):
        check(document, own, spans)
        (alone,) = reader.read([question], [own])
        assert [(span.start, span.end) for span in alone] == [(span.start, span.end) for span in spans]
    assert reader.read(["where?"], [[]]) == [[]]
    assert reader.read([], []) == []
