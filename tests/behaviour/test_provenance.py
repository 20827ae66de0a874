"""Every span is the document's own words, where it says they are, whatever the text is."""

from __future__ import annotations

import json
import lzma
import shutil
import unicodedata
from collections.abc import Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import opendpr
from opendpr.answering import Answerer
from opendpr.collection import open_collection
from opendpr.model.directory import Model
from opendpr.model.reader import BertReader
from opendpr.model.runtime import RuntimeSettings
from opendpr.storage.atomic import write_json
from opendpr.text.splitting import Splitter
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
        after = passage.text[span.end - passage.start :][:1]
        assert not unicodedata.combining(after or " "), "an accent was torn off its letter"
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


def answers_of(
    directory: Path, documents: Sequence[Document], questions: Sequence[str], model: Path, wanted: int
) -> int:
    """Ask until that many answers were checked against the documents as they were given; returns how many."""
    opendpr.add(directory, documents, str(model))
    texts = {document.id: document.text for document in documents}
    checked = 0
    with open_collection(directory) as collection:
        answerer = Answerer(collection, Model(model), runtime=RuntimeSettings("openvino", "fp32"))
        for question in questions:
            for answer in answerer.ask(question, k=20).answers:
                assert answer.text == answer.spans[0].text
                for span in answer.spans:
                    assert span.text == texts[span.hit.passage.document_id][span.start : span.end]
                    start = span.start - span.hit.passage.start
                    seen = span.hit.passage.text + span.hit.after
                    assert seen[start : start + len(span.text)] == span.text
                    checked += 1
            if checked >= wanted:
                break
    return checked


def wikipedia(data: Path, count: int) -> list[Document]:
    """Documents of the corpus, drawn by taking one of many; each is cut after 3,000 characters."""
    found = []
    with lzma.open(data / "wikipedia" / "documents.jsonl.xz", "rt", encoding="utf-8") as file:
        for line in islice(file, 0, count * 20, 20):
            record = json.loads(line)
            found.append(Document(record["id"], record["title"], record["text"][:3_000]))
    return found


def asked(data: Path, count: int) -> list[str]:
    with (data / "dev" / "squad.jsonl").open(encoding="utf-8") as file:
        return [json.loads(line)["question"] for line in islice(file, count)]


@pytest.mark.parametrize("wanted", [200, pytest.param(10_000, marks=pytest.mark.slow)])
@pytest.mark.data
def test_answers_stand_in_the_documents_as_they_were_given(
    data: Path, tmp_path: Path, tiny_model: Path, wanted: int
) -> None:
    """Through passages, several windows of each, and tokens, over real text with its scripts, signs and spaces."""
    model = tmp_path / "narrow"
    shutil.copytree(tiny_model, model)
    config = json.loads((model / "config.json").read_text())
    config["reader"] |= {"max_tokens": 96, "stride_tokens": 24, "max_question_tokens": 24}
    write_json(model / "config.json", config)
    documents = wikipedia(data, max(20, wanted // 20))
    documents += [Document(f"nasty-{n}", "", separator.join(NASTY)) for n, separator in enumerate(["", " ", "\n"])]
    documents = [replace(document, text=document.text.encode("utf-8", "replace").decode()) for document in documents]
    assert answers_of(tmp_path / "c", documents, asked(data, wanted // 10), model, wanted) >= wanted


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
