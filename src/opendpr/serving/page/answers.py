"""The page of a question: the answer large, where it stands, and the other passages with their scores."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from opendpr.choices import RETRIEVERS
from opendpr.evaluation.page.markup import Markup, element, joined
from opendpr.serving.page.frame import alert, frame, link
from opendpr.serving.records import (
    AnswerRecord,
    AskRecord,
    InfoRecord,
    PassageRecord,
    SearchRecord,
    SpanRecord,
)

PASSAGES = (5, 10, 20, 50, 100)
"""How many the page offers to read."""
LEAST = 0.01
"""Confidence of other answers that are worth showing."""
FIRST = 6
"""Passages shown at once; the others are one click away."""
LONG = 90
"""Characters of an answer that is set smaller."""
SCORES = {"dense": "dense", "bm25": "BM25", "reader": "reader"}
EXPLAINED = {
    "dense": "inner product of the vectors of question and passage",
    "bm25": "how rare the words are that question and passage share",
    "reader": "how likely the reader finds this passage, of those read, to hold the answer",
}


@dataclass(frozen=True)
class Form:
    """What the form of the page says."""

    q: str = ""
    retriever: str = "hybrid"
    k: int = 20
    where: str = ""


def answers_page(
    form: Form, info: InfoRecord, result: AskRecord | SearchRecord | None, problem: tuple[str, str] | None = None
) -> str:
    """The whole page: the form alone, or with what came of the question."""
    content = None
    if problem:
        content = alert(*problem)
    elif isinstance(result, AskRecord):
        content = _asked(result, form, info)
    elif result:
        content = _passages(result.passages, {}, "Passages")
    title = f"{form.q} · {info.collection}" if form.q else f"Ask {info.collection}"
    parts = (
        element("h1", "Ask your documents", class_="hello") if not form.q else None,
        _form(form, info),
        element("div", content, id="results", aria_live="polite") if content else _facts(info),
        _keys() if result else None,
    )
    return frame(title, joined(*parts), collection=info.collection)


def _form(form: Form, info: InfoRecord) -> Markup:
    box = element(
        "div",
        element(
            "input", id="q", name="q", type="search", value=form.q, required=True, maxlength=4096, autocomplete="off",
            autofocus=not form.q, enterkeyhint="search", dir="auto", placeholder="Ask a question",
            aria_label="Question",
        ),
        element("button", "Ask"),
        class_="box",
    )  # fmt: skip
    choices = sorted({*PASSAGES, form.k})
    options = element(
        "div",
        element(
            "fieldset",
            element("legend", "Retriever"),
            [_radio(kind, kind == form.retriever) for kind in RETRIEVERS],
            class_="switch",
        ),
        element(
            "label",
            element("span", "Passages"),
            element("select", [element("option", k, value=k, selected=k == form.k) for k in choices], name="k"),
        ),
        element(
            "label",
            element("span", "Filter"),
            element(
                "input", name="where", value=form.where, autocomplete="off", spellcheck="false", maxlength=10_000,
                placeholder=_example(info.metadata_keys),
            ),
            class_="filter",
        ),
        class_="options",
    )  # fmt: skip
    return element("form", box, options, action="/", method="get", role="search", class_="ask")


def _radio(kind: str, checked: bool) -> Markup:
    name = {"hybrid": "Hybrid", "dense": "Dense", "bm25": "BM25"}[kind]
    control = element("input", type="radio", name="retriever", value=kind, checked=checked)
    return element("label", control, element("span", name))


def _example(keys: Sequence[str]) -> str:
    key = next((key for key in keys if key.isidentifier() and key not in ("path", "modified", "page_starts")), "id")
    return f"{key} = '…'"


def _facts(info: InfoRecord) -> Markup:
    counts = f"{info.documents:,} documents in {info.passages:,} passages"
    more = " Some passages are not encoded yet and are found by their words alone." * bool(info.passages_without_vector)
    text = (
        "The answer is a verbatim quotation, with the place where it stands."
        if info.answers
        else "This model finds passages only."
    )
    return element("p", f"{counts}. {text}{more}", class_="soft facts")


def _keys() -> Markup:
    keys = (("/", "question"), ("j", "next passage"), ("k", "passage before"), ("c", "copy the quotation"))
    return element("p", [(element("kbd", key), f" {what} ") for key, what in keys], class_="soft keys")


def _asked(result: AskRecord, form: Form, info: InfoRecord) -> Markup:
    by_id = {passage.passage_id: passage for passage in result.passages}
    marks: dict[str, SpanRecord] = {}
    for answer in result.answers:
        for span in answer.spans:
            marks.setdefault(span.passage_id, span)
    if not result.answerable or not result.answers:
        text = "None of the passages that were read says it." if result.passages else "No passage was found."
        if form.where and not result.passages:
            text += f" Names that the filter can ask for: {', '.join(['id', 'title', *info.metadata_keys])}."
        head = element("div", element("h2", "No answer found"), element("p", text), class_="card none")
        return joined(head, _passages(result.passages, {}, "The passages that fit best"))
    best, *others = result.answers
    first = best.spans[0]
    rest = [passage for passage in result.passages if passage.passage_id != first.passage_id]
    return joined(
        _best(best, by_id[first.passage_id]),
        _others(others, by_id),
        _passages(rest, marks, "Other passages"),
    )


def _best(answer: AnswerRecord, passage: PassageRecord) -> Markup:
    span = answer.spans[0]
    source = f"{span.title or span.document_id}, {_place(span)}"
    quotation = f"“{span.text}” ({source})"
    return element(
        "article",
        element("p", answer.text, class_="words long" if len(answer.text) > LONG else "words", dir="auto"),
        _confidence(answer.confidence, answer.confidence_in_words, len(answer.spans)),
        element("blockquote", _marked(passage, span), dir="auto"),
        element(
            "footer",
            element("cite", _document_link(span, passage)),
            element("span", _place(span), class_="soft"),
            element("button", "Copy quotation", type="button", data_copy=quotation, class_="copy", hidden=True),
        ),
        class_="card best",
        aria_label="Answer",
    )


def _confidence(confidence: float, words: str, places: int) -> Markup:
    bar = element(
        "svg",
        element("rect", class_="of", width=100, height=8, rx=4),
        element("rect", class_="is", width=f"{max(100 * confidence, 4):.0f}", height=8, rx=4),
        viewBox="0 0 100 8",
        class_="meter",
        aria_hidden="true",
    )
    found = f" · found in {places} places" if places > 1 else ""
    return element(
        "p", bar, element("strong", words.capitalize()), f" · confidence {confidence:.2f}{found}", class_="confidence"
    )


def _others(answers: Sequence[AnswerRecord], passages: dict[str, PassageRecord]) -> Markup | None:
    answers = [answer for answer in answers if answer.confidence >= LEAST]
    if not answers:
        return None
    items = [
        element(
            "li",
            element("span", f"{answer.confidence:.2f}", class_="figure"),
            element("span", answer.text, class_="other", dir="auto"),
            _document_link(answer.spans[0], passages[answer.spans[0].passage_id]),
        )
        for answer in answers
    ]
    return element("section", element("h2", "Other answers"), element("ol", items, class_="others"))


def _passages(passages: Sequence[PassageRecord], marks: dict[str, SpanRecord], heading: str) -> Markup | None:
    if not passages:
        return None
    items = [_passage(passage, marks.get(passage.passage_id)) for passage in passages]
    more = items[FIRST:]
    hidden = (
        element("details", element("summary", f"{len(more)} more"), element("ol", more, start=FIRST + 1))
        if more
        else None
    )
    return element("section", element("h2", heading), element("ol", items[:FIRST]), hidden, class_="passages")


def _passage(passage: PassageRecord, span: SpanRecord | None) -> Markup:
    parts = {name: math.exp(value) if name == "reader" else value for name, value in passage.parts.items()}
    scores = [
        element("li", SCORES[name], " ", element("b", f"{parts[name]:.2f}"), title=EXPLAINED[name])
        for name in SCORES
        if name in parts
    ]
    heading = element("h3", _document_link(span or passage, passage))
    place = element("span", _place(span or passage), class_="soft")
    text = element("p", _marked(passage, span), dir="auto")
    return element(
        "li", element("article", heading, element("ul", scores, class_="scores"), text, place, class_="card")
    )


def _marked(passage: PassageRecord, span: SpanRecord | None) -> Markup:
    """The passage with the answer marked."""
    if span is None:
        return joined(passage.text)
    start, end = span.start - passage.start, span.end - passage.start
    return joined(passage.text[:start], element("mark", passage.text[start:end]), passage.text[end:])


def _place(of: SpanRecord | PassageRecord) -> str:
    page = f"page {of.page}, " if of.page else ""
    return f"{page}characters {of.start:,}–{of.end:,}"


def _document_link(of: SpanRecord | PassageRecord, passage: PassageRecord) -> Markup:
    """To the document, at the place."""
    marked = {"start": of.start, "end": of.end} if isinstance(of, SpanRecord) else {}
    passage_place = {"from": passage.start, "to": passage.end}
    title = of.title or of.document_id
    return link("/document", title, "#answer" if marked else "#passage", id=of.document_id, **marked, **passage_place)
