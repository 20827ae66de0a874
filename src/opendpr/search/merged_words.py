"""BM25 over all members of a set, with lists and scores as one collection of all documents would give them.

Two steps: the members count passages, their words and those that hold the words of the question; then each finds
candidates, and these are scored with the sums of the counts. Members score for themselves only to find candidates:
their words are weighed as in the whole set, but lengths are compared with their own mean. A passage that is not among
a member's candidates has at most the score of the last of them, times by how much a mean length can be off; once that
is less than the score of the last passage wanted, there are enough.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from opendpr.collection import Collection
from opendpr.search.bm25_scores import Bm25Scorer, WordStatistics, mean_length, word_weight
from opendpr.search.tantivy import TantivyIndex, padded
from opendpr.types import Neighbours, Numbers, Scores, WordCounts

FEWEST_CANDIDATES = 64
"""Candidates of each member beyond its share of those wanted, the first time."""
MORE_TIMES = 4
"""Times as many candidates are fetched where they are not provably enough."""
ROUNDING = 1.0 + 1e-4
"""More than the sums of 32-bit numbers can differ by, as a factor."""


@dataclass(frozen=True, eq=False)
class WordMember:
    """A member of a set, and the index of its words."""

    collection: Collection
    index: TantivyIndex


class MergedWords:
    """A `TextIndex` over the members of a set."""

    def __init__(self, members: Sequence[WordMember]) -> None:
        self._members = members
        self._last: _WeighedQuestion | None = None

    def search(self, question: str, k: int, allowed: Numbers | None = None) -> Neighbours:
        """The k passages with the largest BM25 score, of those in `allowed` if given. Q is 1."""
        weighed = self._weighed(question)
        fetched: dict[int, np.float32] = {}
        limits = dict.fromkeys(self._members, k // len(self._members) * 5 // 4 + FEWEST_CANDIDATES)
        while limits:
            bounds = {member: weighed.fetch(member, limit, allowed, fetched) for member, limit in limits.items()}
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
        weighed, scores = self._weighed(question), dict[int, np.float32]()
        for member in self._members:
            scores |= weighed.score(member, [number for number in numbers.tolist() if number not in scores])
        return np.array([scores.get(number, 0.0) for number in numbers.tolist()], dtype=np.float32)

    def count_words(self, question: str) -> WordCounts:
        """The number of passages in which each word of a question occurs, in all members."""
        counts, holding = [member.index.count_words(question) for member in self._members], Counter[str]()
        for count in counts:
            holding.update(count.holding)
        return WordCounts(sum(count.passages for count in counts), dict(holding))

    def _weighed(self, question: str) -> _WeighedQuestion:
        """The question with its statistics; the last one is kept, as it is searched for and scored."""
        if self._last is None or self._last.question != question:
            self._last = _WeighedQuestion(question, self._members)
        return self._last


class _WeighedQuestion:
    """The words of a question, how much they weigh in the whole set, and what was scored with them."""

    def __init__(self, question: str, members: Sequence[WordMember]) -> None:
        self.question, self._words = question, members[0].index.question_words(question)
        holding: Counter[str] = Counter()
        for member in members:
            holding.update(member.index.passages_holding(self._words))
        totals = [member.index.totals for member in members]
        self._statistics = WordStatistics(
            sum(total.passages for total in totals), sum(total.tokens for total in totals), holding
        )
        self._scorer = Bm25Scorer(self._words, self._statistics)
        self._scored: dict[int, np.float32] = {}

    def score(self, member: WordMember, numbers: Sequence[int]) -> dict[int, np.float32]:
        """The scores of those of the numbered passages that the member has."""
        unknown = [number for number in numbers if number not in self._scored]
        self._scored |= self._scorer.score(member.collection.passages(unknown).values())
        return {number: self._scored[number] for number in numbers if number in self._scored}

    def fetch(
        self, member: WordMember, limit: int, allowed: Numbers | None, fetched: dict[int, np.float32]
    ) -> float | None:
        """Add a member's first candidates to those fetched, with their scores.

        Returns:
            A score that no other passage of the member is better than; None if there is no other.
        """
        index, holding = member.index, member.index.passages_holding(self._words)
        own = [word_weight(max(len(index), holding[word]), holding[word]) for word in self._words]
        boosts = [float(weight / there) for weight, there in zip(self._scorer.weights, own, strict=True)]
        best = index.search_weighted(self._words, limit, allowed, boosts=boosts)
        numbers = best.numbers[0][best.numbers[0] >= 0].tolist()
        fetched |= self.score(member, numbers)
        if len(numbers) < limit:
            return None
        longer = float(self._statistics.mean_length / mean_length(index.totals))
        removed = index.totals.passages / max(len(index), 1)
        return float(best.scores[0, -1]) * max(1.0, longer) * removed * ROUNDING


def _score_at(k: int, fetched: Mapping[int, np.float32]) -> float:
    """The score that a passage needs to be one of the k best of those fetched."""
    if k == 0:
        return np.inf
    return float(sorted(fetched.values(), reverse=True)[k - 1]) if k <= len(fetched) else -np.inf
