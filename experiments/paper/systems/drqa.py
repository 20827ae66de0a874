"""DrQA (Chen et al. 2017), one of the systems of the paper's section 6: articles by TF-IDF, then a reader.

TF-IDF over hashed words and pairs finds five articles; the passages in them are ranked by the same weights, and the
reader of opendpr reads the first ones. Beside it BM25 over passages, with the same reader and the same decoding. DrQA
reads all paragraphs of its articles, with a recurrent network.

    python -m experiments.paper.systems.drqa --pool P150 --limit 60
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

import numpy as np

from experiments.common.command import parse, require
from experiments.common.pools import build_pool_words
from experiments.common.report import Report
from experiments.common.runs import add_runs
from experiments.paper.systems.running import (
    ReadingSystem,
    SystemTask,
    question_files,
    run_systems,
    system_command_line,
)
from opendpr.answering import outcome
from opendpr.answering.borders import BorderReader
from opendpr.collection import Collection, open_collection
from opendpr.collection.lookup import served_passages
from opendpr.model.directory import find_model
from opendpr.model.reader import BertReader
from opendpr.model.runtime import RuntimeSettings
from opendpr.search.live import LiveSnapshot
from opendpr.search.retrievers import Bm25Retriever
from opendpr.types import Hit, Passage

ARTICLES = 5
"""Articles whose passages are read, as in Chen et al."""


class ArticleRetriever:
    """A `Retriever` of the passages of the articles that TF-IDF finds.

    All documents with one title are an article, since the pools hold paragraphs of SQuAD's articles as documents.
    """

    def __init__(self, collection: Collection, articles: int = ARTICLES) -> None:
        from experiments.paper.systems.tfidf import TfIdf

        self._collection, self._articles = collection, articles
        by_article: dict[str, list[Passage]] = {}
        for passage in served_passages(collection):
            by_article.setdefault(passage.title or passage.document_id, []).append(passage)
        self._numbers = [[passage.number for passage in passages] for passages in by_article.values()]
        self._index = TfIdf(" ".join([key, *(p.text for p in passages)]) for key, passages in by_article.items())

    def retrieve(self, questions: Sequence[str], k: int, where: str | None = None) -> list[list[Hit]]:
        """For each question at most k passages of its articles, by their own TF-IDF, ties by number."""
        return [self._hits(question)[:k] for question in questions]

    def _hits(self, question: str) -> list[Hit]:
        scores = self._index.scores([question])[0]
        best = [row for row in np.argsort(-scores, kind="stable")[: self._articles].tolist() if scores[row] > 0]
        numbers = sorted(number for row in best for number in self._numbers[row])
        passages = list(self._collection.passages(numbers).values())
        if not passages:
            return []
        own = self._index.vectors(passage.text for passage in passages)
        similarities = np.asarray((own @ self._index.vectors([question]).T).toarray())[:, 0].tolist()
        hits = [Hit(passage, score) for passage, score in zip(passages, similarities, strict=True)]
        return sorted(hits, key=lambda hit: (-hit.score, hit.passage.number))


def measure(args: argparse.Namespace, report: Report) -> None:
    """The run of both systems, and its figures."""
    model, runtime = find_model(args.model), RuntimeSettings(precision=args.precision)
    directory = build_pool_words(args)
    with open_collection(directory) as collection:
        reader = BorderReader(collection, BertReader(model, runtime))
        systems = {
            "bm25": ReadingSystem(Bm25Retriever(LiveSnapshot(collection)), reader, args.passages, outcome),
            "drqa": ReadingSystem(ArticleRetriever(collection), reader, args.passages, outcome),
        }
        task = SystemTask(question_files(args), args.limit, args.passages, model, runtime)
        run = run_systems(collection, systems, task, output=directory.with_name(f"{directory.name}-drqa.jsonl"))
    add_runs(report, [run])


def main(arguments: Sequence[str] | None = None) -> None:
    require("sklearn", "scikit-learn")
    args = parse(system_command_line(__doc__), arguments, limit=2, passages=2)
    report = Report(args, passages=args.passages, articles=ARTICLES)
    measure(args, report)
    report.write()


if __name__ == "__main__":
    main()
