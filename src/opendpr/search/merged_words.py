"""BM25 over all members of a set, with lists and scores as one collection of all documents would give them.

Two steps: the members count passages, their words and those that hold the words of the question; then each finds
candidates, and scores them with the sums of the counts. Members weigh by themselves only to find candidates: their
words are weighed as in the whole set, but lengths are compared with their own mean. A passage that is not among a
member's candidates has at most the score of the last of them, times by how much a mean length can be off; once that is
less than the score of the last passage wanted, there are enough.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from opendpr.collection import Collection
from opendpr.collection.members import Member, of_each
from opendpr.search.bm25_scores import Bm25Scorer, WordStatistics, mean_length, word_weight
from opendpr.search.tantivy import TantivyIndex, WordTotals, padded
from opendpr.types import Neighbours, Numbers, Scores, WordCounts

FEWEST_CANDIDATES = 64
"""Candidates of each member beyond its share of those wanted, the first time."""
MORE_TIMES = 4
"""Times as many candidates are fetched where they are not provably enough."""
ROUNDING = 1.0 + 1e-4
"""More than the sums of 32-bit numbers can differ by, as a factor."""


class CountedWords(NamedTuple):
    """What a member says of the words of a question."""

    words: list[str]
    """Those that are searched for, sorted."""
    holding: Mapping[str, int]
    """In how many of its passages each of them occurs."""
    totals: WordTotals
    counts: WordCounts
    """As `TextIndex.count_words` counts them."""


class WeighedWords(NamedTuple):
    """The words of a question, and the statistics of the whole set."""

    words: Sequence[str]
    statistics: WordStatistics


class ScoredPassages(NamedTuple):
    """Passages of a member, with their scores in the whole set."""

    numbers: Numbers
    """(n,)"""
    scores: Scores
    """(n,)"""
    bound: float | None = None
    """A score that no other passage of the member is better than; None if there is no other."""

    def by_number(self) -> dict[int, np.float32]:
        return dict(zip(self.numbers.tolist(), self.scores, strict=True))


@dataclass(frozen=True, eq=False)
class WordMember:
    """A member of a set, and the index of its words."""

    collection: Collection
    index: TantivyIndex
    excluded: Numbers
    """Passages of the index that must not be shown."""

    def count(self, question: str) -> CountedWords:
        """Count the words of a question."""
        words = self.index.question_words(question)
        counts = self.index.count_words(question)
        return CountedWords(words, self.index.passages_holding(words), self.index.totals, counts)

    def score(self, weighed: WeighedWords, numbers: Sequence[int]) -> ScoredPassages:
        """The scores of those of the numbered passages that the member has."""
        scored = Bm25Scorer(*weighed).score(self.collection.passages(numbers).values())
        return ScoredPassages(np.array(list(scored), np.int64), np.array(list(scored.values()), np.float32))

    def candidates(self, weighed: WeighedWords, limit: int, allowed: Numbers | None) -> ScoredPassages:
        """The first `limit` candidates, of those allowed."""
        words, statistics = weighed
        holding = self.index.passages_holding(words)
        own = [word_weight(max(len(self.index), holding[word]), holding[word]) for word in words]
        weights = Bm25Scorer(words, statistics).weights
        boosts = [float(weight / there) for weight, there in zip(weights, own, strict=True)]
        best = self.index.search_weighted(words, limit, allowed, boosts=boosts)
        numbers = best.numbers[0][best.numbers[0] >= 0].tolist()
        scored = self.score(weighed, numbers)
        if len(numbers) < limit:
            return scored
        longer = float(statistics.mean_length / mean_length(self.index.totals))
        removed = self.index.totals.passages / max(len(self.index), 1)
        return scored._replace(bound=float(best.scores[0, -1]) * max(1.0, longer) * removed * ROUNDING)


class MergedWords:
    """A `TextIndex` over the members of a set."""

    def __init__(self, members: Sequence[Member[WordMember]]) -> None:
        self._members = members
        self._last: _WeighedQuestion | None = None

    def search(self, question: str, k: int, allowed: Numbers | None = None) -> Neighbours:
        """The k passages with the largest BM25 score, of those in `allowed` if given. Q is 1."""
        weighed = self._weighed(question)
        fetched: dict[int, np.float32] = {}
        limits = dict.fromkeys(self._members, k // len(self._members) * 5 // 4 + FEWEST_CANDIDATES)
        while limits:
            bounds = weighed.fetch(limits, allowed, fetched)
            last = _score_at(k, fetched)
            limits = {
                member: limits[member] * MORE_TIMES
                for member, bound in bounds.items()
                if bound is not None and bound >= last
            }
        numbers, scores = np.array(list(fetched), np.int64), np.array(list(fetched.values()), np.float32)
        order = np.lexsort((numbers, -scores))[:k]
        return padded(scores[order], numbers[order], k)

    def score(self, question: str, numbers: Numbers) -> Scores:
        """BM25 score of each numbered passage, 0 where no word is shared, in the order given."""
        scores = self._weighed(question).score(self._members, numbers.tolist())
        return np.array([scores.get(number, 0.0) for number in numbers.tolist()], dtype=np.float32)

    def count_words(self, question: str) -> WordCounts:
        """The number of passages in which each word of a question occurs, in all members."""
        return self._weighed(question).counts

    def _weighed(self, question: str) -> _WeighedQuestion:
        """The question with its statistics; the last one is kept, as it is searched for and scored."""
        weighed = self._last
        if weighed is None or weighed.question != question:
            counted = of_each(self._members, WordMember.count, question)
            weighed = self._last = _WeighedQuestion(question, counted)
        return weighed


class _WeighedQuestion:
    """The words of a question, how much they weigh in the whole set, and what was scored with them."""

    def __init__(self, question: str, counted: Sequence[CountedWords]) -> None:
        self.question = question
        holding, held = Counter[str](), Counter[str]()
        for own in counted:
            holding.update(own.holding)
            held.update(own.counts.holding)
        self.counts = WordCounts(sum(own.counts.passages for own in counted), dict(held))
        passages = sum(own.totals.passages for own in counted)
        tokens = sum(own.totals.tokens for own in counted)
        self._weighed = WeighedWords(counted[0].words, WordStatistics(passages, tokens, holding))
        self._scored: dict[int, np.float32] = {}

    def score(self, members: Sequence[Member[WordMember]], numbers: Sequence[int]) -> Mapping[int, np.float32]:
        """The scores of the numbered passages that there are, and of others."""
        if unknown := [number for number in numbers if number not in self._scored]:
            for scored in of_each(members, WordMember.score, self._weighed, unknown):
                self._scored |= scored.by_number()
        return self._scored

    def fetch(
        self, limits: Mapping[Member[WordMember], int], allowed: Numbers | None, fetched: dict[int, np.float32]
    ) -> dict[Member[WordMember], float | None]:
        """Add each member's first candidates, as many as its limit, to those fetched; returns the members' bounds."""
        begun = {
            member: member.begin(WordMember.candidates, self._weighed, limit, allowed)
            for member, limit in limits.items()
        }
        results = {member: candidates() for member, candidates in begun.items()}
        for scored in results.values():
            fetched |= scored.by_number()
        self._scored |= fetched
        return {member: scored.bound for member, scored in results.items()}


def _score_at(k: int, fetched: Mapping[int, np.float32]) -> float:
    """The score that a passage needs to be one of the k best of those fetched."""
    if k == 0:
        return np.inf
    return float(sorted(fetched.values(), reverse=True)[k - 1]) if k <= len(fetched) else -np.inf
