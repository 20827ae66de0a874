"""Phrases as pairs of vectors, and search for them (Seo et al. 2019, sections 3 and 4).

A phrase is the first and the last of its words: its score for a question is the inner product of the first word's
start vector and the question's start vector plus that of the last word's end vector and the question's end vector. So
all phrases are searched while only the vectors of single words are kept.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import faiss
import numpy as np

from opendpr.search.exact import top
from opendpr.types import Numbers, Scores, Vectors

MOST_WORDS = 10
"""Longest phrase."""


class Phrases(NamedTuple):
    """The best phrase of each of the k passages with the best ones, for Q questions; best first."""

    scores: Scores
    """(Q, k), -inf where there are fewer"""
    first: Numbers
    """(Q, k): number of the first word, -1 where there are fewer"""
    last: Numbers
    """(Q, k): number of the last word, -1 where there are fewer"""


class PhraseIndex:
    """Every phrase of some passages.

    Args:
        starts, ends: (n, d) vectors of the words of all passages, in order
        passages: (n,) the place of the passage that each word is in
    """

    def __init__(self, starts: Vectors, ends: Vectors, passages: Numbers) -> None:
        self.starts, self.ends, self.passages = starts, ends, passages

    def search(self, start: Vectors, end: Vectors, k: int, *, added: Scores | None = None) -> Phrases:
        """The best phrases of all for questions with these vectors, (Q, d) each.

        Args:
            added: (Q, p) to add to the score of every phrase of each passage
        """
        starting, ending = start @ self.starts.T, end @ self.ends.T
        if added is not None:
            starting += added[:, self.passages]
        return self._best(starting, lambda last: ending[:, last], np.arange(len(self.starts)), k)

    def search_candidates(self, start: Vectors, end: Vectors, k: int, *, lists: StartLists) -> Phrases:
        """The best phrases among those whose first word is a candidate of the lists."""
        rows = [
            self._best(starting @ self.starts[places].T, partial(self._end_scores, ending), places, k)
            for starting, ending, places in zip(start[:, None], end[:, None], lists.candidates(start), strict=True)
        ]
        return Phrases(*(np.concatenate(parts) for parts in zip(*rows, strict=True)))

    def _end_scores(self, ending: Vectors, last: Numbers) -> Scores:
        return np.asarray(ending @ self.ends[last].T)

    def _best(self, scores: Scores, end_scores: Callable[[Numbers], Scores], places: Numbers, k: int) -> Phrases:
        """The best phrases that begin at words with these start scores.

        Args:
            scores: (Q, n)
            end_scores: the scores (Q, n) of words as the last ones
            places: (n,) numbers of the words, rising
        """
        best, steps = np.full(scores.shape, -np.inf, np.float32), np.zeros(scores.shape, np.int8)
        for step in range(MOST_WORDS):
            last = np.minimum(places + step, len(self.ends) - 1)
            inside = (places + step == last) & (self.passages[last] == self.passages[places])
            scored = np.where(inside, end_scores(last), -np.inf)
            steps[scored > best] = step
            best = np.maximum(best, scored)
        total = (scores + best).astype(np.float32)
        begins = np.flatnonzero(np.diff(self.passages[places], prepend=-1))
        by_passage = np.maximum.reduceat(total, begins, axis=1)
        missing = max(0, k - len(begins))
        padded = np.pad(by_passage, ((0, 0), (0, missing)), constant_values=-np.inf)
        chosen = top(padded, np.arange(padded.shape[1])[None].repeat(len(total), axis=0), k)
        first, last = np.full((2, *chosen.numbers.shape), -1)
        ends = np.append(begins[1:], len(places))
        for row, rank in np.argwhere(chosen.numbers < len(begins)):
            passage = chosen.numbers[row, rank]
            place = begins[passage] + total[row, begins[passage] : ends[passage]].argmax()
            first[row, rank], last[row, rank] = places[place], places[place] + steps[row, place]
        return Phrases(chosen.scores, first, last)


class StartLists:
    """Inverted lists of start vectors (FAISS, IVF with 8 bits a number): candidates for the first word.

    Args:
        starts: (n, d)
        lists: how many lists there are
        searched: how many of them are searched for a question
        candidates: first words for a question
    """

    def __init__(self, starts: Vectors, *, lists: int, searched: int, candidates: int = 1_000) -> None:
        self._index = faiss.index_factory(starts.shape[1], f"IVF{lists},SQ8", faiss.METRIC_INNER_PRODUCT)
        self._index.train(starts)
        self._index.add(starts)
        self._index.nprobe = searched
        self._candidates = min(candidates, len(starts))

    def candidates(self, start: Vectors) -> list[Numbers]:
        """The numbers of the words, rising, for each of (Q, d)."""
        _, rows = self._index.search(np.ascontiguousarray(start), self._candidates)
        return [np.sort(row[row >= 0]) for row in rows]
