"""How each question of a run is judged: by its answers and gold documents, or by judgements of a test collection."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from opendpr.answering import Answerer
from opendpr.errors import InputError
from opendpr.evaluation import first_rank
from opendpr.evaluation.accuracy import within
from opendpr.evaluation.failures import failure
from opendpr.evaluation.header import AnswerSettings, DocumentSettings
from opendpr.evaluation.ir_measures import JUDGED_MEASURES, judged
from opendpr.evaluation.records import AnswerJudgement, DocumentJudgement, Ranked, ReadAnswer, ShownText
from opendpr.interop import read_qrels, source_label, source_sha256
from opendpr.text import AnswerMatcher, exact_match, f1
from opendpr.types import Hit, Outcome, Question, Span
from opendpr.wording import counted

RANKED_DOCUMENTS = 1_000
"""How many are ranked for a judged question, as usual at TREC."""
DEFAULT_KS = (1, 5, 20, 100)
"""Depths of top-k accuracy where no others are asked for."""


@dataclass(frozen=True)
class AnswerJudge:
    """Top-k accuracy by answer and by gold document (paper section 5); exact match and F1 of the reader (6)."""

    ks: Sequence[int] = DEFAULT_KS
    read: Sequence[int] = ()
    """Numbers of passages read; none without a reader."""

    def settings(self) -> AnswerSettings:
        """What the figures depend on."""
        return AnswerSettings(k=sorted(set(self.ks)), read=sorted(set(self.read)))

    def check(self, name: str, questions: Sequence[Question]) -> None:
        """Raises InputError if no question has answers or gold documents, or none has answers for the reader."""
        if not any(question.answers or (question.document_ids and not self.read) for question in questions):
            raise InputError(
                f"no question of {name} has answers{'' if self.read else ' or gold documents'} to judge by; "
                "for judgements of a test collection give --qrels"
            )

    def __call__(self, answerer: Answerer, questions: Sequence[Question], *, retriever: str) -> list[AnswerJudgement]:
        """A judgement for each question, whose passages that retriever finds."""
        texts = [question.text for question in questions]
        hits = answerer.retrieve(texts, max([*self.ks, *self.read]), retriever=retriever)
        ids = answerer.collection.passage_ids([hit.passage for ranked in hits for hit in ranked])
        decode = partial(answerer.outcome, retriever=retriever)
        return [
            self.judge_hits(question, ranked, ids=ids, read=_Reading(question, ranked, ids, spans, decode))
            for question, ranked, spans in zip(questions, hits, self._read(answerer, texts, hits), strict=True)
        ]

    def _read(
        self, answerer: Answerer, texts: Sequence[str], hits: Sequence[Sequence[Hit]]
    ) -> list[dict[int, list[Span]]]:
        """For each question the spans of the first n passages, for each n wanted.

        The spans of fewer passages are among those of more, unless passages overlap: of the same words in two
        of them the reader keeps the better.
        """
        by_count: list[dict[int, list[Span]]] = [{} for _ in texts]
        counts = sorted(set(self.read), reverse=True)
        for n in counts:
            if n == counts[0] or answerer.collection.splitter.overlap:
                spans = answerer.read(texts, [passages[:n] for passages in hits])
            for question, passages in enumerate(hits):
                numbers = {hit.passage.number for hit in passages[:n]}
                by_count[question][n] = [span for span in spans[question] if span.hit.passage.number in numbers]
        return by_count

    def judge_hits(
        self,
        question: Question,
        hits: Sequence[Hit],
        *,
        ids: Mapping[int, str],
        read: Callable[[Sequence[int]], Mapping[int, ReadAnswer]] = lambda holding: {},
    ) -> AnswerJudgement:
        """Judge a question by passages that are retrieved already, best first.

        Args:
            ids: passage number -> id
            read: makes the answers, by the number of passages read, out of the ranks of passages that hold an answer
        """
        matcher = AnswerMatcher(question.answers, question.match)
        holding = [rank for rank, hit in enumerate(hits, start=1) if matcher(hit.passage.text)]
        gold = first_rank([not documents_of(hit).keys().isdisjoint(question.document_ids) for hit in hits])
        answers = read(holding)
        measures: dict[str, float] = {}
        if question.answers:
            measures |= {f"answer@{k}": float(within(next(iter(holding), None), k)) for k in sorted(set(self.ks))}
        if question.document_ids:
            measures |= {f"document@{k}": float(within(gold, k)) for k in sorted(set(self.ks))}
        for name in ("EM", "F1"):
            measures |= {
                f"{name}@{n}": value for n, answer in answers.items() if (value := getattr(answer, name)) is not None
            }
        shown = {1, *holding[:1], *(answer.rank for answer in answers.values() if answer.rank)} if hits else set()
        return AnswerJudgement(
            answer_rank=holding[0] if holding else None,
            document_rank=gold,
            answer_ranks=holding,
            hits=Ranked([ids[hit.passage.number] for hit in hits], [hit.score for hit in hits]),
            read=answers,
            measures=measures,
            shown={rank: _shown(hits[rank - 1], ids) for rank in sorted(shown)},
            problem=_problem(matcher),
        )


@dataclass(frozen=True)
class _Reading:
    """What the reader marked in the passages of a question."""

    question: Question
    hits: Sequence[Hit]
    ids: Mapping[int, str]
    spans: Mapping[int, Sequence[Span]]
    """By the number of passages read."""
    decode: Callable[[Sequence[Span], str], Outcome]

    def __call__(self, holding: Sequence[int]) -> dict[int, ReadAnswer]:
        """The answer after each number of passages read.

        Args:
            holding: ranks of the passages that hold an answer
        """
        return {
            n: judge_answer(
                self.question,
                self.decode(spans, self.question.text),
                hits=self.hits,
                ids=self.ids,
                holding=holding,
                read=n,
            )
            for n, spans in sorted(self.spans.items())
        }


def judge_answer(
    question: Question,
    outcome: Outcome,
    *,
    hits: Sequence[Hit],
    ids: Mapping[int, str],
    holding: Sequence[int],
    read: int,
) -> ReadAnswer:
    """The answer after some passages were read, and how it is judged.

    Args:
        hits: the passages retrieved, best first; an answer that was not read in one of them has no rank
        ids: passage number -> id
        holding: ranks, rising, of the passages that hold an answer
        read: how many of the passages were read
    """
    best = outcome.phrases[0] if outcome.phrases else None
    place = best.spans[0] if best and best.spans else None
    text = best.text if best else ""
    number = place.hit.passage.number if place else None
    rank = next((rank for rank, hit in enumerate(hits, start=1) if hit.passage.number == number), None)
    exact = exact_match(text, question.answers, question.match) if question.answers else None
    return ReadAnswer(
        text=text,
        confidence=best.confidence if best else 0.0,
        answerable=outcome.answerable,
        rank=rank,
        passage_id=ids[number] if number is not None else None,
        start=place.start if place else None,
        end=place.end if place else None,
        EM=None if exact is None else float(exact),
        F1=f1(text, question.answers) if question.answers and question.match == "string" else None,
        failure=failure(question, text, chosen=rank, answer_ranks=holding, read=read) if exact is False else None,
    )


def _shown(hit: Hit, ids: Mapping[int, str]) -> ShownText:
    passage = hit.passage
    return ShownText(ids[passage.number], passage.title, passage.text, passage.start)


def _problem(matcher: AnswerMatcher) -> str | None:
    problems = list(matcher.invalid.values())
    if matcher.timed_out:
        counts = "counts" if matcher.timed_out == 1 else "count"
        passages = counted(matcher.timed_out, "passage")
        problems.append(f"a pattern took too long in {passages}, which {counts} as without answer")
    return "; ".join(problems) or None


@dataclass(frozen=True)
class DocumentJudge:
    """The usual measures of test collections with judged documents; a document's score is its best passage's."""

    judgements: Mapping[str, Mapping[str, int]]
    name: str
    """Name of the file of judgements, with its SHA-256: what the run is recognised by."""

    def settings(self) -> DocumentSettings:
        """What the figures depend on."""
        return DocumentSettings(self.name, list(JUDGED_MEASURES), RANKED_DOCUMENTS)

    def check(self, name: str, questions: Sequence[Question]) -> None:
        """Raises InputError if no question has judgements."""
        if not any(question.id in self.judgements for question in questions):
            raise InputError(
                f"no question of {name} has judgements in {self.name}; their ids must be the same, "
                f"found {questions[0].id!r} and {next(iter(self.judgements), None)!r}"
            )

    def __call__(self, answerer: Answerer, questions: Sequence[Question], *, retriever: str) -> list[DocumentJudgement]:
        """A judgement for each question, whose documents that retriever finds; without measures if there are none."""
        ranked = best_documents(answerer, questions, retriever=retriever)
        return self.judge_documents(dict(zip([question.id for question in questions], ranked, strict=True)))

    def judge_documents(self, run: Mapping[str, Mapping[str, float]]) -> list[DocumentJudgement]:
        """Judge documents that are ranked already.

        Args:
            run: question -> document -> score, best first
        """
        measures = judged(self.judgements, run)
        return [
            DocumentJudgement(
                documents=Ranked(list(scores), list(scores.values())),
                judgements=dict(self.judgements.get(question, {})),
                measures=measures.get(question, {}),
            )
            for question, scores in run.items()
        ]


def document_judge(path: Path) -> DocumentJudge:
    """The judge by a file of judgements; raises as `read_judgements`."""
    return DocumentJudge(read_judgements(path), f"{source_label(path)} {source_sha256(path)}")


def read_judgements(path: Path) -> dict[str, dict[str, int]]:
    """Question -> document -> relevance, from a file of judgements of any known form.

    Raises:
        InputError: the file cannot be read or holds no judgements; the message has the line.
    """
    judgements: dict[str, dict[str, int]] = {}
    for question, document, relevance in read_qrels(path):
        judgements.setdefault(question, {})[document] = relevance
    if not judgements:
        raise InputError(f"{path} holds no judgements; expected lines 'question 0 document relevance'")
    return judgements


def documents_of(hit: Hit) -> dict[str, None]:
    """The documents that hold the text of a hit, the best first."""
    return dict.fromkeys(passage.document_id for passage in (hit.passage, *hit.copies))


def best_documents(
    answerer: Answerer, questions: Sequence[Question], count: int = RANKED_DOCUMENTS, *, retriever: str | None = None
) -> list[dict[str, float]]:
    """For each question the `count` best documents, best first, each with the score of its best passage.

    Args:
        retriever: None is the answerer's own
    """
    passages = answerer.collection.counts()["passages"]
    k, texts = min(count, passages), [question.text for question in questions]
    while True:
        ranked: list[dict[str, float]] = []
        hits = answerer.retrieve(texts, k, retriever=retriever, distinct=False)
        for question_hits in hits:
            scores: dict[str, float] = {}
            for hit in question_hits:
                scores.setdefault(hit.passage.document_id, hit.score)
            ranked.append(dict(list(scores.items())[:count]))
        if k >= passages or all(
            len(question_hits) < k or len(best) == count for question_hits, best in zip(hits, ranked, strict=True)
        ):
            return ranked
        k = min(2 * k, passages)
