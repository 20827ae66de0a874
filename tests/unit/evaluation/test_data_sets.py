"""Data sets of ir_datasets as the questions and judgements of an evaluation."""

from __future__ import annotations

from pathlib import Path

import pytest

from opendpr.evaluation.foreign import ForeignTask, evaluate_runs
from opendpr.evaluation.judges import document_judge
from opendpr.evaluation.run import read_question_records
from opendpr.evaluation.task import read_sets
from opendpr.interop import source_label, source_name, source_sha256
from opendpr.types import Question

ir_datasets = pytest.importorskip("ir_datasets")


@pytest.fixture
def rivers(tmp_path: Path) -> Path:
    """A data set of two queries and their judgements."""
    (tmp_path / "queries.tsv").write_text("q1\tWhere is Albi?\nq2\tWhere is Caen?\n")
    (tmp_path / "qrels").write_text("q1 0 d1 1\nq2 0 d2 1\n")
    dataset = ir_datasets.create_dataset(queries_tsv=str(tmp_path / "queries.tsv"), qrels_trec=str(tmp_path / "qrels"))
    name = f"local/{tmp_path.name}"
    ir_datasets.registry.register(name, dataset)
    return Path(f"irds:{name}")


def test_a_data_set_is_a_set_of_questions_with_a_name_and_a_digest(rivers: Path) -> None:
    name = str(rivers).removeprefix("irds:").replace("/", "-")
    assert read_sets([rivers]) == {
        name: [
            Question("q1", "Where is Albi?", document_ids=("d1",)),
            Question("q2", "Where is Caen?", document_ids=("d2",)),
        ]
    }
    assert source_name(rivers) == name
    assert source_label(rivers) == str(rivers)
    assert source_sha256(rivers) == source_sha256(rivers)
    assert len(source_sha256(rivers)) == 64


def test_a_run_is_judged_by_the_judgements_of_a_data_set(tmp_path: Path, rivers: Path) -> None:
    (tmp_path / "bm25.trec").write_text("q1 Q0 d2 1 2.5 t\nq1 Q0 d1 2 1.5 t\nq2 Q0 d2 1 2.5 t\n")
    task = ForeignTask([tmp_path / "bm25.trec"], rivers)
    evaluate_runs(task, document_judge(rivers), tmp_path / "run.jsonl")
    ranks = {r.question.id: dict(r.judgement.measures)["RR"] for r in read_question_records(tmp_path / "run.jsonl")}
    assert ranks == {"q1": 0.5, "q2": 1.0}
