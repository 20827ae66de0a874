"""Fitting lambda finds for every weight what the hybrid retriever finds with it."""

from __future__ import annotations

from pathlib import Path

import pytest

import opendpr
from opendpr.collection import open_collection
from opendpr.fitting.hybrid import fit_lambda
from opendpr.model.directory import Model
from opendpr.model.encoder import BertEncoder
from opendpr.model.runtime import RuntimeSettings
from opendpr.search.live import LiveSnapshot
from opendpr.search.retrievers import HybridRetriever
from opendpr.text import AnswerMatcher
from opendpr.types import Document, Hit, Question

RIVERS = ["Tarn", "Lot", "Orne", "Vire", "Ain", "Doubs", "Eure", "Aube"]
THINGS = ["bridge", "mill", "church", "market", "school"]


def is_right(question: Question, hit: Hit) -> bool:
    named = not question.document_ids or hit.passage.document_id in question.document_ids
    return named and AnswerMatcher(question.answers)(hit.passage.text)


def test_each_weight_has_the_mean_reciprocal_rank_of_the_hybrid_retriever_with_it(
    tmp_path: Path, tiny_model: Path
) -> None:
    documents = [
        Document(f"{river} {thing}", river, f"The {thing} at the {river} was built in {1700 + 10 * i + j} of stone.")
        for i, river in enumerate(RIVERS)
        for j, thing in enumerate(THINGS)
    ]
    opendpr.add(tmp_path / "c", documents, str(tiny_model))
    questions = [
        Question(f"{i}", f"When was the {thing} near the {river} made?", (f"{1700 + 10 * i + j}",), "string", ids)
        for i, river in enumerate(RIVERS)
        for j, thing in enumerate(THINGS[:2])
        for ids in ((), (f"{river} {thing}",))
    ]
    with open_collection(tmp_path / "c") as collection:
        live, encoder = LiveSnapshot(collection), BertEncoder(Model(tiny_model), RuntimeSettings("openvino", "fp32"))
        weight, ranks = fit_lambda(live, encoder, questions)
        assert ranks[weight] == max(ranks.values())
        assert len(ranks) == 12
        for tried, reached in ranks.items():
            lists = HybridRetriever(live, encoder, tried).retrieve([question.text for question in questions], 20)
            expected = 0.0
            for question, hits in zip(questions, lists, strict=True):
                right = [rank for rank, hit in enumerate(hits, start=1) if is_right(question, hit)]
                expected += 1 / right[0] / len(questions) if right else 0.0
            assert reached == pytest.approx(expected, abs=1e-3), tried
