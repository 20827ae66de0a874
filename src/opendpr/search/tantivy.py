"""BM25 over passages, by tantivy: the paper's sparse baseline (section 5) without Java.

k1 = 1.2 and b = 0.75 are tantivy's own and fixed. Title and text are one field, in the form of
`text.normalising.searchable` and stemmed as English; the stop words of the question are left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import tantivy

from opendpr.errors import CorruptionError
from opendpr.search.settings import WordSettings
from opendpr.text.normalising import searchable
from opendpr.types import Neighbours, Numbers, Passage, Scores, WordCounts


def make_analyzer(*, of_question: bool) -> tantivy.TextAnalyzer:
    """What makes words of a text that is `searchable`: stemmed, and of a question without its stop words."""
    builder = tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.simple())
    builder = builder.filter(tantivy.Filter.remove_long(80)).filter(tantivy.Filter.lowercase())
    if of_question:
        builder = builder.filter(tantivy.Filter.stopword("english"))
    return builder.filter(tantivy.Filter.stemmer("english")).build()


@cache
def _passage_analyzer() -> tantivy.TextAnalyzer:
    return make_analyzer(of_question=False)


@cache
def _length_analyzer() -> tantivy.TextAnalyzer:
    """What makes as many words of a text as are indexed of it."""
    return tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.simple()).filter(tantivy.Filter.remove_long(80)).build()


def indexed_text(passage: Passage) -> str:
    """The text by which a passage is found."""
    return _words(f"{passage.title}\n{passage.text}")


def terms(text: str) -> list[str]:
    """The words of a text in the form that they are searched for."""
    return words_of(_words(text))


def words_of(text: str) -> list[str]:
    """The words of a text that is as it is indexed, in the form that they are searched for."""
    return list(_passage_analyzer().analyze(text))


class WordTotals(NamedTuple):
    """What an index has counted, removed passages too until it is rebuilt."""

    passages: int = 0
    tokens: int = 0
    """Words of all passages, as BM25 measures their length."""


class TantivyIndex:
    """A `TextIndex` in a directory, or in memory if none is given.

    Args:
        totals: what was counted before of what is in the directory

    Raises:
        CorruptionError: the directory is not there, or holds no index that tantivy can open.
    """

    def __init__(
        self,
        directory: Path | None = None,
        settings: WordSettings = WordSettings(),
        *,
        totals: WordTotals = WordTotals(),
    ) -> None:
        self._settings, self.totals = settings, totals
        builder = tantivy.SchemaBuilder()
        # An integer field, not an unsigned one: that panics on Document(n=...).
        builder.add_integer_field("number", indexed=True, fast=True)
        builder.add_text_field("text", tokenizer_name="opendpr")
        self._schema = builder.build()
        try:
            self._index = tantivy.Index(self._schema, path=str(directory) if directory else None)
        except (ValueError, OSError) as error:
            raise CorruptionError(f"the BM25 index in {directory} cannot be opened ({error}); delete it") from None
        self._index.register_tokenizer("opendpr", make_analyzer(of_question=False))
        self._questions = make_analyzer(of_question=True)
        self._words = make_analyzer(of_question=False)
        self._searcher = self._index.searcher()

    def __len__(self) -> int:
        return int(self._searcher.num_docs)

    def update(self, removed: Iterable[int], added: Iterable[Passage], *, all_new: bool = False) -> None:
        """Remove and add passages, in one commit. A number added again replaces the old entry.

        Args:
            all_new: the index has none of the numbers, so that no old entry need be looked for
        """
        writer = self._index.writer(self._settings.writer_bytes, num_threads=1)
        for number in removed:
            writer.delete_documents_by_term("number", number)
        passages, tokens = self.totals
        for passage in added:
            text = indexed_text(passage)
            passages, tokens = passages + 1, tokens + len(_length_analyzer().analyze(text))
            if not all_new:
                writer.delete_documents_by_term("number", passage.number)
            writer.add_document(tantivy.Document(number=passage.number, text=text))
        writer.commit()
        self.totals = WordTotals(passages, tokens)
        writer.wait_merging_threads()
        self._index.reload()
        self._searcher = self._index.searcher()

    def search(self, question: str, k: int, allowed: Numbers | None = None) -> Neighbours:
        """The k passages with the largest BM25 score, of those in `allowed` if given. Q is 1.

        Passages that share no word with the question are not found.
        """
        return self.search_weighted(self.question_words(question), k, allowed)

    def search_weighted(
        self, words: Sequence[str], k: int, allowed: Numbers | None = None, *, boosts: Sequence[float] | None = None
    ) -> Neighbours:
        """The same for words in the form of `question_words`.

        Args:
            boosts: what the score of each word is multiplied by
        """
        query = self._any_of(words, boosts)
        named = allowed is not None and len(allowed) <= self._settings.named_passages
        if allowed is not None and named:
            query = self._among(query, allowed)
        limit = k + self._settings.tie_passages
        while True:
            hits = self._searcher.search(query, limit=limit, count=False).hits
            scores, numbers = self._unpack(hits)
            if allowed is not None and not named:
                kept = np.isin(numbers, allowed)
                scores, numbers = scores[kept], numbers[kept]
            # Enough, once what follows is worse than the last wanted: equal scores are ordered by number.
            if len(hits) < limit or (len(scores) > k and (k == 0 or scores[-1] < scores[k - 1])):
                break
            limit *= 4
        order = np.lexsort((numbers, -scores))[:k]
        return padded(scores[order], numbers[order], k)

    def _among(self, query: tantivy.Query, numbers: Numbers) -> tantivy.Query:
        """The same query, for given passages only."""
        only = tantivy.Query.term_set_query(self._schema, "number", numbers.tolist())
        free = tantivy.Query.const_score_query(only, 0.0)
        return tantivy.Query.boolean_query([(tantivy.Occur.Must, free), (tantivy.Occur.Must, query)])

    def score(self, question: str, numbers: Numbers) -> Scores:
        """BM25 score of each numbered passage, 0 where no word is shared, in the order given."""
        only = tantivy.Query.term_set_query(self._schema, "number", numbers.tolist())
        query = tantivy.Query.boolean_query(
            [
                (tantivy.Occur.Must, tantivy.Query.const_score_query(only, 0.0)),
                (tantivy.Occur.Should, self._any_of(self.question_words(question))),
            ]
        )
        hits = self._searcher.search(query, limit=max(1, len(numbers)), count=False).hits
        scores, scored = self._unpack(hits)
        by_number = dict(zip(scored.tolist(), scores.tolist(), strict=True))
        return np.array([by_number.get(number, 0.0) for number in numbers.tolist()], dtype=np.float32)

    def count_words(self, question: str) -> WordCounts:
        """The number of passages in which each word of a question occurs, without stop words; words as in `terms`."""
        words = sorted(set(self._questions.analyze(_words(question))))
        return WordCounts(len(self), self.passages_holding(words))

    def question_words(self, question: str) -> list[str]:
        """The different words that are searched for, sorted: any word of the question but stop words, else these."""
        question = _words(question)
        return sorted(set(self._questions.analyze(question) or self._words.analyze(question)))

    def passages_holding(self, words: Iterable[str]) -> dict[str, int]:
        """In how many passages each word occurs; removed ones count until the index is rebuilt."""
        return {word: self._searcher.doc_freq("text", word) for word in words}

    def _any_of(self, words: Sequence[str], boosts: Sequence[float] | None = None) -> tantivy.Query:
        terms = [tantivy.Query.term_query(self._schema, "text", word, "freq") for word in words]
        if boosts is not None:
            terms = [tantivy.Query.boost_query(term, boost) for term, boost in zip(terms, boosts, strict=True)]
        return tantivy.Query.boolean_query([(tantivy.Occur.Should, term) for term in terms])

    def _unpack(self, hits: Sequence[tuple[float, tantivy.DocAddress]]) -> tuple[Scores, Numbers]:
        numbers = self._searcher.fast_field_values("number", [address for _, address in hits])
        return np.array([score for score, _ in hits], dtype=np.float32), np.array(numbers, dtype=np.int64)


def _words(text: str) -> str:
    """The text as question and passage are compared, with "?" for lone surrogates, which tantivy refuses."""
    words = searchable(text)
    return words if words.isascii() else words.encode("utf-8", "replace").decode("utf-8")


def padded(scores: Scores, numbers: Numbers, k: int) -> Neighbours:
    """The best scores and numbers (n,), n <= k, of one question."""
    missing = k - len(numbers)
    return Neighbours(
        np.pad(scores, (0, missing), constant_values=-np.inf)[None],
        np.pad(numbers, (0, missing), constant_values=-1)[None],
    )
