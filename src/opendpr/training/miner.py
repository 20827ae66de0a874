"""Training examples from questions: positives and hard negatives (paper sections 3.2 and 4.2)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from opendpr.collection import Collection
from opendpr.errors import InputError, UsageError
from opendpr.iteration import batched
from opendpr.model.runtime import RuntimeSettings
from opendpr.protocols import Reader, Retriever
from opendpr.text import AnswerMatcher
from opendpr.types import ExamplePassage, Hit, Passage, Question, TrainingExample
from opendpr.wording import counted

MINED_BATCH_QUESTIONS = 64
"""Questions searched for at once."""


@dataclass(frozen=True)
class MiningSettings:
    """Settings of `opendpr mine`."""

    depth: int = 100
    """Passages that each retriever finds for a question; the paper takes 100."""
    positive_depth: int = 100
    """Rank to which a positive is looked for where only answers are known; further down it is more often chance."""
    positives: int = 1
    """Positives kept for a question, best first."""
    negatives: int = 5
    """Hard negatives kept for a question, best first, by turns from each retriever."""
    margin: float = 0.0
    """How much less than the positive a hard negative must score, as a share of the positive's score."""
    per_document: int = 0
    """Most hard negatives of a question from one document; 0 for any number."""
    retrievers: Sequence[str] = ("bm25",)
    """What finds hard negatives, of `dense`, `bm25` and `hybrid`; they take turns."""
    denoise: bool = False
    """Drop hard negatives that the model's reader prefers to the positive."""
    runtime: RuntimeSettings = field(default_factory=RuntimeSettings)
    """What runs the networks."""

    def __post_init__(self) -> None:
        for name in ("depth", "positive_depth", "positives", "negatives", "per_document"):
            least = 0 if name in ("negatives", "per_document") else 1
            if getattr(self, name) < least:
                raise UsageError(f"{name} must be {least} or more, got {getattr(self, name)}")
        if not 0 <= self.margin < 1:
            raise UsageError(f"margin must lie in [0, 1), got {self.margin}")


class LeftOut(NamedTuple):
    """A question that became no example, and why."""

    question: Question
    reason: str


@dataclass
class MiningReport:
    """What became of the questions; it grows while examples are made."""

    examples: int = 0
    left_out: list[LeftOut] = field(default_factory=list)
    negatives: int = 0
    """Hard negatives kept."""
    dropped: Counter[str] = field(default_factory=Counter)
    """Passages found that did not become hard negatives, by reason; one that two retrievers find counts once."""
    without_negatives: int = 0
    """Examples with no hard negative at all."""

    def refuse_degenerate(self, settings: MiningSettings, positives: int) -> None:
        """Raise if nothing can be learned from what was mined.

        Args:
            positives: how many different passages are a positive

        Raises:
            InputError: there is no example, no negative, or one positive for all.
        """
        reasons = Counter(left.reason for left in self.left_out)
        causes = "; ".join(f"{count:,} x {reason}" for reason, count in reasons.most_common())
        if not self.examples and not self.left_out:
            raise InputError("the question files hold no questions; docs/formats.md shows the forms")
        if not self.examples:
            raise InputError(f"none of {counted(len(self.left_out), 'question')} became an example: {causes}")
        if self.examples > 1 and positives == 1:
            raise InputError(
                f"all {self.examples:,} examples have the same positive passage, so that nothing can be learned from "
                "them; check that questions and collection belong together"
            )
        if settings.negatives and self.without_negatives == self.examples:
            raise InputError(
                f"no example got a hard negative ({_reasons(self.dropped)}); look deeper, lower the margin, "
                "or ask for none with --negatives 0"
            )


class Miner:
    """Makes training examples from questions and a collection.

    Args:
        collection: where passages come from
        positives: finds the passages whose best with an answer is the positive: BM25, in the paper
        negatives: each finds passages that look right, by name
        settings: how many, how far
        reader: if given, drops hard negatives that it prefers to the positive
    """

    def __init__(
        self,
        collection: Collection,
        positives: Retriever,
        negatives: Mapping[str, Retriever],
        *,
        settings: MiningSettings,
        reader: Reader | None = None,
    ) -> None:
        self._collection, self._positives, self._negatives = collection, positives, negatives
        self._settings, self._reader = settings, reader
        self.report = MiningReport()
        self._seen_numbers: set[int] = set()

    def examples(self, questions: Iterable[Question]) -> Iterator[TrainingExample]:
        """Yield the example of each question that becomes one; `report` counts the others.

        Raises:
            InputError: what was made is of no use for training.
        """
        for batch in batched(questions, MINED_BATCH_QUESTIONS):
            depth, texts = self._settings.depth, [question.text for question in batch]
            lists = {name: retriever.retrieve(texts, depth) for name, retriever in self._negatives.items()}
            same = next((lists[name] for name, used in self._negatives.items() if used is self._positives), None)
            first = same if same is not None else self._positives.retrieve(texts, depth)
            for place, question in enumerate(batch):
                candidates = {name: hits[place] for name, hits in lists.items()}
                if (example := self._example(question, first[place], candidates)) is not None:
                    yield example
        self.report.refuse_degenerate(self._settings, len(self._seen_numbers))

    def _example(
        self, question: Question, first: Sequence[Hit], lists: Mapping[str, Sequence[Hit]]
    ) -> TrainingExample | None:
        matcher = AnswerMatcher(question.answers, question.match)
        positives = (
            self._given_passages(question, matcher, first) if question.document_ids else self._distant(matcher, first)
        )
        if isinstance(positives, str):
            self.report.left_out.append(LeftOut(question, positives))
            return None
        negatives = self._chosen(question, positives, matcher, lists)
        self.report.examples += 1
        self.report.negatives += len(negatives)
        self.report.without_negatives += not negatives
        self._seen_numbers.update(passage.number for passage in positives[:1])
        ids = self._collection.passage_ids([*positives, *(hit.passage for hit in negatives)])
        scores = {hit.passage.number: hit.score for hit in [*first, *negatives]}
        return TrainingExample(
            question, _stored(positives, ids, scores), _stored([hit.passage for hit in negatives], ids, scores)
        )

    def _given_passages(self, question: Question, matcher: AnswerMatcher, first: Sequence[Hit]) -> list[Passage] | str:
        """The passages of the question's documents that hold an answer, best found first; or why there is none."""
        passages = [passage for id in question.document_ids for passage in self._collection.passages_of(id)]
        if not passages:
            return "its document is not in the collection"
        if question.answers:
            passages = [passage for passage in passages if matcher(passage.text)]
        if not passages:
            return "no passage of its document holds an answer"
        ranks = {hit.passage.number: rank for rank, hit in enumerate(first)}
        passages.sort(key=lambda passage: ranks.get(passage.number, len(ranks)))
        return passages[: self._settings.positives]

    def _distant(self, matcher: AnswerMatcher, first: Sequence[Hit]) -> list[Passage] | str:
        """The best found passages that hold an answer (section 4.2); or why there is none."""
        if not matcher.answers:
            return "it has neither answers nor a document"
        if len(matcher.invalid) == len(matcher.answers):
            return "its patterns cannot be used"
        near = first[: self._settings.positive_depth]
        right = [hit.passage for hit in near if matcher(hit.passage.text)][: self._settings.positives]
        return right or "none of the passages found holds an answer"

    def _chosen(
        self,
        question: Question,
        positives: Sequence[Passage],
        matcher: AnswerMatcher,
        lists: Mapping[str, Sequence[Hit]],
    ) -> list[Hit]:
        """Hard negatives, by turns from each list."""
        dropped, settings = self.report.dropped, self._settings
        taken = {passage.number for passage in positives}
        of_document: Counter[str] = Counter()
        counted: set[int] = set()
        candidates = [
            self._candidates(question, positives, matcher, hits=hits, counted=counted) for hits in lists.values()
        ]
        chosen: list[Hit] = []
        while any(candidates) and len(chosen) < settings.negatives:
            for hits in candidates:
                while hits and len(chosen) < settings.negatives:
                    hit = hits.pop(0)
                    if hit.passage.number in taken:
                        continue
                    taken.add(hit.passage.number)
                    if hit.passage.text in {other.passage.text for other in chosen}:
                        dropped["it has the text of another negative"] += 1
                        continue
                    if settings.per_document and of_document[hit.passage.document_id] == settings.per_document:
                        dropped["enough of its document"] += 1
                        continue
                    of_document[hit.passage.document_id] += 1
                    chosen.append(hit)
                    break
        return self._doubted(question, positives[0], chosen)

    def _candidates(
        self,
        question: Question,
        positives: Sequence[Passage],
        matcher: AnswerMatcher,
        *,
        hits: Sequence[Hit],
        counted: set[int],
    ) -> list[Hit]:
        """The hits without an answer, far enough below the positive; if that was not found, all without.

        Those dropped are counted, save for the numbers in `counted`, which grows by them.
        """
        numbers, texts = {passage.number for passage in positives}, {passage.text for passage in positives}
        score = next((hit.score for hit in hits if hit.passage.number in numbers), None)
        most = float("inf") if score is None else score - self._settings.margin * abs(score)
        kept = []
        for hit in hits:
            if hit.passage.number in numbers:
                continue
            if hit.passage.text in texts:
                reason = "it has the text of a positive"
            elif question.answers and matcher(hit.passage.text):
                reason = "it holds an answer"
            elif not question.answers and hit.passage.document_id in question.document_ids:
                reason = "it is of the question's document"
            elif self._settings.margin and hit.score > most:
                reason = "it scores too near the positive"
            else:
                kept.append(hit)
                continue
            self.report.dropped[reason] += hit.passage.number not in counted
            counted.add(hit.passage.number)
        return kept

    def _doubted(self, question: Question, positive: Passage, chosen: Sequence[Hit]) -> list[Hit]:
        """Those that the reader does not prefer to the positive."""
        if self._reader is None or not chosen:
            return list(chosen)
        (spans,) = self._reader.read([question.text], [[Hit(positive, 0.0), *chosen]])
        selected = {span.hit.passage.number: span.passage_score for span in spans}
        bar = selected.get(positive.number, float("-inf"))
        kept = [hit for hit in chosen if selected.get(hit.passage.number, float("-inf")) <= bar]
        self.report.dropped["the reader prefers it to the positive"] += len(chosen) - len(kept)
        return kept


def _stored(
    passages: Sequence[Passage], ids: Mapping[int, str], scores: Mapping[int, float]
) -> tuple[ExamplePassage, ...]:
    return tuple(
        ExamplePassage(passage.title, passage.text, ids[passage.number], scores.get(passage.number))
        for passage in passages
    )


def _reasons(dropped: Mapping[str, int]) -> str:
    causes = (f"{count:,} x dropped because {reason}" for reason, count in dropped.items())
    return "; ".join(causes) or "none found"
