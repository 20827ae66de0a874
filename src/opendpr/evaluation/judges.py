"""What each question of a run counts: by its answers and gold documents, or by the judgements of a test collection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from opendpr.answering import Answerer
from opendpr.errors import InputError
from opendpr.evaluation import first_rank
from opendpr.evaluation.accuracy import within
from opendpr.evaluation.failures import failure
from opendpr.evaluation.ir_measures import MEASURES, judged
from opendpr.evaluation.records import AnswerJudgement, DocumentJudgement, Ranked, ReadAnswer, ShownText
from opendpr.evaluation.run import Record
from opendpr.interop import read_qrels
from opendpr.text import AnswerMatcher, exact_match, f1
from opendpr.types import Hit, Question, Span

DOCUMENTS = 1_000
"""Documents ranked for a judged question, as usual at TREC."""


@dataclass(frozen=True)
class AnswerJudge:
    """Top-k accuracy by answer and by gold document (paper section 5); exact match and F1 of the reader (6)."""

    ks: Sequence[int] = (1, 5, 20, 100)
    read: Sequence[int] = ()
    """Numbers of passages read; none without a reader."""

    def settings(self) -> Record:
        return {"k": sorted(set(self.ks)), "read": sorted(set(self.read))}

    def check(self, name: str, questions: Sequence[Question]) -> None:
        """Raises InputError if no question has answers or gold documents, or none has answers for the reader."""
        if not any(question.answers or (question.document_ids and not self.read) for question in questions):
            raise InputError(
                f"no question of {name} has answers{'' if self.read else ' or gold documents'} to judge by; "
                "for judgements of a test collection give --qrels"
            )

    def __call__(self, answerer: Answerer, questions: Sequence[Question]) -> list[AnswerJudgement]:
        """A judgement for each question."""
        asked = [question.text for question in questions]
        hits = answerer.retrieve(asked, max([*self.ks, *self.read]))
        ids = answerer.collection.passage_ids([hit.passage for ranked in hits for hit in ranked])
        read = self._read(answerer, asked, hits)
        return [
            self._judgement(question, hits_of_question, ids, spans, answerer)
            for question, hits_of_question, spans in zip(questions, hits, read, strict=True)
        ]

    def _read(
        self, answerer: Answerer, asked: Sequence[str], hits: Sequence[Sequence[Hit]]
    ) -> list[dict[int, list[Span]]]:
        """For each question the spans of the first n passages, for each n wanted.

        The spans of fewer passages are among those of more, unless passages overlap: of the same words in two
        of them the reader keeps the better.
        """
        found: list[dict[int, list[Span]]] = [{} for _ in asked]
        counts = sorted(set(self.read), reverse=True)
        for n in counts:
            if n == counts[0] or answerer.collection.splitter.overlap:
                spans = answerer.read(asked, [passages[:n] for passages in hits])
            for question, passages in enumerate(hits):
                numbers = {hit.passage.number for hit in passages[:n]}
                found[question][n] = [span for span in spans[question] if span.hit.passage.number in numbers]
        return found

    def _judgement(
        self,
        question: Question,
        hits: Sequence[Hit],
        ids: Mapping[int, str],
        read: Mapping[int, list[Span]],
        answerer: Answerer,
    ) -> AnswerJudgement:
        matcher = AnswerMatcher(question.answers, question.match)
        holding = [rank for rank, hit in enumerate(hits, start=1) if matcher(hit.passage.text)]
        gold = first_rank([hit.passage.document_id in question.document_ids for hit in hits])
        answers = {n: _answer(question, spans, hits, ids, holding, n, answerer) for n, spans in sorted(read.items())}
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


def _answer(
    question: Question,
    spans: Sequence[Span],
    hits: Sequence[Hit],
    ids: Mapping[int, str],
    holding: Sequence[int],
    n: int,
    answerer: Answerer,
) -> ReadAnswer:
    """What the reader says after n passages, and what that counts."""
    outcome = answerer.outcome(spans, question.text)
    answers = outcome.phrases
    best = answers[0] if answers else None
    place = best.spans[0] if best else None
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
        failure=failure(question, text, rank, holding, n) if exact is False else None,
    )


def _shown(hit: Hit, ids: Mapping[int, str]) -> ShownText:
    passage = hit.passage
    return ShownText(ids[passage.number], passage.title, passage.text, passage.start)


def _problem(matcher: AnswerMatcher) -> str | None:
    problems = list(matcher.invalid.values())
    if matcher.timed_out:
        passages = "1 passage, which counts" if matcher.timed_out == 1 else f"{matcher.timed_out} passages, which count"
        problems.append(f"a pattern took too long in {passages} as without answer")
    return "; ".join(problems) or None


@dataclass(frozen=True)
class DocumentJudge:
    """The usual measures of test collections with judged documents; a document's score is its best passage's."""

    judgements: Mapping[str, Mapping[str, int]]
    name: str
    """Name of the file of judgements, with its SHA-256: what the run is recognised by."""

    def settings(self) -> Record:
        return {"qrels": self.name, "measures": list(MEASURES), "documents": DOCUMENTS}

    def check(self, name: str, questions: Sequence[Question]) -> None:
        """Raises InputError if no question has judgements."""
        if not any(question.id in self.judgements for question in questions):
            raise InputError(
                f"no question of {name} has judgements in {self.name}; their ids must be the same, "
                f"found {questions[0].id!r} and {next(iter(self.judgements), None)!r}"
            )

    def __call__(self, answerer: Answerer, questions: Sequence[Question]) -> list[DocumentJudgement]:
        """A judgement for each question; one that the file does not judge has no measures."""
        run = dict(zip([question.id for question in questions], best_documents(answerer, questions), strict=True))
        measures = judged(self.judgements, run)
        return [
            DocumentJudgement(
                documents=Ranked(list(run[question.id]), list(run[question.id].values())),
                judgements=dict(self.judgements.get(question.id, {})),
                measures=measures.get(question.id, {}),
            )
            for question in questions
        ]


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


def best_documents(answerer: Answerer, questions: Sequence[Question], count: int = DOCUMENTS) -> list[dict[str, float]]:
    """For each question the `count` best documents, best first, each with the score of its best passage."""
    passages = answerer.collection.counts()["passages"]
    k = min(count, passages)
    while True:
        ranked: list[dict[str, float]] = []
        hits = answerer.retrieve([question.text for question in questions], k)
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
