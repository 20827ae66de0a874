"""DrQA reads the passages of the best articles, not the best passages of all."""

from __future__ import annotations

from pathlib import Path

import pytest
from experiments.common.pools import build_words

from opendpr.collection import open_collection
from opendpr.text.splitting import Splitter
from opendpr.types import Document

pytestmark = pytest.mark.filterwarnings("default")

DOCUMENTS = [
    Document("a1", "Norham", "The lighthouse of Norham was built by Marta Lind. Ships passed it. It stands today."),
    Document("a2", "Norham", "Norham also has a harbour and a library of its own."),
    Document("b", "Alford", "Alford has a bridge. Marta Lind was born there."),
    Document("c", "Kilby", "Kilby is known for cheese."),
]


def test_passages_of_one_title_are_an_article_and_the_best_article_is_read(tmp_path: Path) -> None:
    from experiments.paper.systems.drqa import ArticleRetriever

    with open_collection(build_words(tmp_path / "words", DOCUMENTS, Splitter(words=8))) as collection:
        retriever = ArticleRetriever(collection, articles=1)
        hits, nothing = retriever.retrieve(["Who built the lighthouse of Norham?", "the"], 10)
        assert {hit.passage.document_id for hit in hits} == {"a1", "a2"}
        assert hits[0].passage.text.startswith("The lighthouse of Norham")
        assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
        assert nothing == []
        assert len(retriever.retrieve(["lighthouse of Norham"], 1)[0]) == 1
