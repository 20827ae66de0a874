"""bm25s over the tokens of our BM25: the same words with parameters of its own."""

from __future__ import annotations

from collections.abc import Sequence

from opendpr.search.tantivy import make_analyzer, terms
from opendpr.text.normalising import searchable
from opendpr.types import Passage


class Bm25s:
    """BM25 with any k1 and b, as Lucene computes it."""

    def __init__(self, passages: Sequence[Passage]) -> None:
        self._vocabulary = dict[str, str]()
        self._passages = [  # each word once in memory
            [self._vocabulary.setdefault(word, word) for word in terms(f"{passage.title}\n{passage.text}")]
            for passage in passages
        ]

    def search(self, questions: Sequence[str], k: int, *, k1: float, b: float) -> list[list[int]]:
        """The places in the passages of the best k for each question."""
        import bm25s

        k = min(k, len(self._passages))
        retriever = bm25s.BM25(method="lucene", k1=k1, b=b)
        retriever.index(self._passages, show_progress=False)
        return [
            retriever.retrieve([words], k=k, show_progress=False).documents[0].tolist() if words else []
            for words in map(self._words, questions)
        ]

    def _words(self, question: str) -> list[str]:
        words = make_analyzer(of_question=True).analyze(searchable(question)) or terms(question)
        return [word for word in sorted(set(words)) if word in self._vocabulary]
