"""The page of a question: the answer large, its place in the document, and the other passages by document."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from opendpr.choices import DEFAULT_RETRIEVER, READ_PASSAGES, RETRIEVERS
from opendpr.improving.judging import ANSWER_CHARACTERS
from opendpr.serving.page.judging import Judging, passage_place
from opendpr.serving.page.passages import Lines, Shown, by_document, shown
from opendpr.serving.records import (
    REQUEST_LIMITS,
    AnswerRecord,
    AskRecord,
    InfoRecord,
    PassageRecord,
    SearchRecord,
    SpanRecord,
)
from opendpr.serving.rendering import address, render
from opendpr.wording import counted

K_CHOICES = (5, 10, 20, 50, 100)
"""Numbers of passages that the form offers."""
LEAST_CONFIDENCE = 0.01
"""Other answers less likely than this are not shown."""
OPEN_DOCUMENTS = 5
"""Documents shown at once; the others are one click away."""
KEYS_OF_FILES = frozenset(("path", "modified", "page_starts", "sections", "left_out", "menus_left_out"))
"""Metadata of every file, poor examples of a filter."""
LONG_ANSWER_CHARACTERS = 90
"""A longer answer is set smaller."""
RETRIEVER_NAMES = {"hybrid": "Hybrid", "dense": "Dense", "bm25": "BM25"}
KEYWORDS = 4
"""A text of at most this many words that asks nothing is taken for keywords, whose passages are wanted."""
QUESTION_WORDS = frozenset(
    (
        *("who", "whom", "whose", "what", "which", "when", "where", "why", "how", "is", "are", "was", "were"),
        *("do", "does", "did", "can", "could", "should", "will", "would", "has", "have"),
    )
)


@dataclass(frozen=True)
class SearchForm:
    """The values of the page's form."""

    q: str = ""
    retriever: str = DEFAULT_RETRIEVER
    k: int = READ_PASSAGES
    where: str = ""
    scores: bool = False
    """Whether the scores of the passages are shown."""
    judged: str = field(default="", compare=False)
    """Id of the judgement of the answer that was just made, or that there was one before."""

    @property
    def has_options(self) -> bool:
        """Whether it asks for more than the question."""
        return self != SearchForm(self.q)

    @property
    def query(self) -> dict[str, object]:
        """The question and what else was chosen, as the address of its page has them."""
        default = SearchForm()
        chosen = {"retriever": self.retriever, "k": self.k, "where": self.where}
        query = {"q": self.q, **{name: value for name, value in chosen.items() if value != getattr(default, name)}}
        return query | ({"scores": 1} if self.scores else {})


@dataclass(frozen=True)
class Nothing:
    """What is said where no answer is likely enough."""

    heading: str
    text: str
    guess: AnswerRecord | None = None


def answers_page(
    form: SearchForm,
    info: InfoRecord,
    result: AskRecord | SearchRecord | None,
    problem: tuple[str, str] | None = None,
    *,
    lines: Lines | None = None,
    examples: Sequence[str] = (),
) -> str:
    """The whole page.

    Args:
        result: None shows the form alone
        problem: heading and text of an error, shown instead of a result
        lines: of places in documents that have neither pages nor headings
        examples: questions offered where none was asked
    """
    answers = result.answers if isinstance(result, AskRecord) else []
    is_sure = isinstance(result, AskRecord) and result.answerable
    records = {passage.passage_id: passage for passage in result.passages} if result else {}
    best = answers[0].spans[0] if answers and not (is_keywords(form.q) and not is_sure) else None
    spans = _first_spans(answers) if is_sure else {}

    def show(record: PassageRecord, span: SpanRecord | None) -> Shown:
        return shown(record, span, lines or {}, question_query=form.query)

    passages = [show(record, spans.get(id)) for id, record in records.items()]
    groups = by_document([passage for passage in passages if not best or passage.record.passage_id != best.passage_id])
    return render(
        "ask.html.jinja",
        collection=info.collection,
        improves=info.improvements,
        form=form,
        problem=problem,
        result=result if records or isinstance(result, AskRecord) else None,
        is_sure=is_sure,
        answer=answers[0] if answers else None,
        best=show(records[best.passage_id], best) if best else None,
        others=[
            (other, show(records[other.spans[0].passage_id], other.spans[0]))
            for other in (_likely(answers[1:]) if is_sure else ())
        ],
        nothing=None if is_sure or result is None else _nothing(result, form, info),
        open_groups=groups[:OPEN_DOCUMENTS],
        more_groups=groups[OPEN_DOCUMENTS:],
        facts=_facts(info),
        example=_example(info.metadata_keys),
        examples=examples,
        k_choices=sorted({*K_CHOICES, form.k}),
        retrievers=RETRIEVERS,
        defaults=SearchForm(),
        retriever_names=RETRIEVER_NAMES,
        limits=REQUEST_LIMITS,
        long_characters=LONG_ANSWER_CHARACTERS,
        judging=_judging(form, result, answers[0] if is_sure else None) if info.judgements else None,
        answer_characters=ANSWER_CHARACTERS,
    )


def _judging(form: SearchForm, result: AskRecord | SearchRecord | None, answer: AnswerRecord | None) -> Judging | None:
    """What the forms about an answer send; None where passages were asked for."""
    if not isinstance(result, AskRecord) or (answer is None and is_keywords(form.q)):
        return None
    places = [passage_place(passage) for passage in result.passages]
    return Judging(form.q, address("/", "", **form.query), places, answer, form.judged)


def is_keywords(question: str) -> bool:
    """Whether a text names things instead of asking something.

    >>> is_keywords("pier opening"), is_keywords("Who built the pier"), is_keywords("pier?")
    (True, False, False)
    """
    words = question.casefold().split()
    return 0 < len(words) <= KEYWORDS and "?" not in question and words[0] not in QUESTION_WORDS


def _first_spans(answers: Sequence[AnswerRecord]) -> dict[str, SpanRecord]:
    """The span to mark in each passage: that of the best answer found there."""
    spans: dict[str, SpanRecord] = {}
    for answer in answers:
        for span in answer.spans:
            spans.setdefault(span.passage_id, span)
    return spans


def _likely(answers: Sequence[AnswerRecord]) -> list[AnswerRecord]:
    return [answer for answer in answers if answer.confidence >= LEAST_CONFIDENCE]


def _nothing(result: AskRecord | SearchRecord, form: SearchForm, info: InfoRecord) -> Nothing | None:
    """What to say above the passages; None where they are all that was asked for."""
    if not result.passages:
        names = ", ".join(["id", "title", *info.metadata_keys])
        filtered = f" Names that the filter can ask for: {names}." if form.where else ""
        return Nothing("No answer found", f"No passage was found.{filtered}")
    if not isinstance(result, AskRecord) or is_keywords(form.q):
        return None
    read = counted(len(result.passages), "passage")
    guess = next((answer for answer in _likely(result.answers) if answer.kind == "span"), None)
    closest = " This passage comes closest." if result.answers else ""
    return Nothing("No answer found", f"Nothing in the {read} read answers this surely.{closest}", guess)


def _facts(info: InfoRecord) -> str:
    counts = f"{counted(info.documents, 'document')} in {counted(info.passages, 'passage')}"
    more = " Some passages are not encoded yet and are found by their words alone." * bool(info.passages_without_vector)
    text = (
        "The answer is a verbatim quotation, with its place in the document."
        if info.answers
        else "This model finds passages only."
    )
    return f"{counts}. {text}{more}"


def _example(keys: Sequence[str]) -> str:
    key = next((key for key in keys if key.isidentifier() and key not in KEYS_OF_FILES), "id")
    return f"{key} = '…'"
