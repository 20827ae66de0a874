"""Runs and judgements that we write are read by other people's evaluators, and mean there what they mean here."""

import json

import pytest

from opendpr.interop import Judgement, Ranking, RunHit, write_qrels, write_run

pytestmark = pytest.mark.golden

QRELS = [
    *(Judgement("q1", "a", 1), Judgement("q1", "c", 0)),
    *(Judgement("q2", "a", 2), Judgement("q2", "z", 0)),
    Judgement("q3", "a", 1),
]
RUN = [
    # equal scores: trec_eval puts c before b before a, whatever the file says
    Ranking("q1", "one", ("x",), "our system", (RunHit("a", 2.0), RunHit("b", 2.0), RunHit("c", 2.0))),
    # equal in single precision only
    Ranking("q2", "two", (), "our system", (RunHit("a", 1.00000001), RunHit("z", 1.0), RunHit("y", 0.5))),
    Ranking("q3", "three", (), "our system", (RunHit("y", -1.0), RunHit("a", -2.5))),
]


@pytest.fixture
def files(tmp_path):
    write_run(tmp_path / "run", RUN, "trec")
    write_qrels(tmp_path / "qrels", QRELS, "trec")
    return tmp_path


def test_the_ranks_in_a_trec_run_are_those_that_trec_eval_makes_of_the_scores(files):
    evaluator = pytest.importorskip("pytrec_eval")
    with (files / "run").open() as run, (files / "qrels").open() as qrels:
        measured = evaluator.RelevanceEvaluator(evaluator.parse_qrel(qrels), {"recip_rank"}).evaluate(
            evaluator.parse_run(run)
        )
    ranks = {}
    for line in (files / "run").read_text().splitlines():
        question, _, document, rank, _, tag = line.split()
        ranks[question, document] = int(rank)
        assert tag == "our-system"
    assert {question: measures["recip_rank"] for question, measures in measured.items()} == {
        "q1": pytest.approx(1 / 3),
        "q2": 0.5,
        "q3": 0.5,
    }
    assert [ranks["q1", each] for each in "abc"] == [3, 2, 1]
    assert [ranks["q2", each] for each in "zay"] == [1, 2, 3]


def test_ir_measures_reads_run_and_judgements(files):
    measures = pytest.importorskip("ir_measures")
    found = measures.calc_aggregate(
        [measures.RR, measures.R @ 2, measures.P @ 1],
        measures.read_trec_qrels(str(files / "qrels")),
        measures.read_trec_run(str(files / "run")),
    )
    assert found[measures.RR] == pytest.approx((1 / 3 + 1 / 2 + 1 / 2) / 3)
    assert found[measures.R @ 2] == pytest.approx(2 / 3)
    assert found[measures.P @ 1] == 0


@pytest.mark.filterwarnings("ignore")  # of numba
@pytest.mark.slow
def test_ranx_reads_run_and_judgements(files):
    ranx = pytest.importorskip("ranx")
    found = ranx.evaluate(
        ranx.Qrels.from_file(str(files / "qrels"), kind="trec"),
        ranx.Run.from_file(str(files / "run"), kind="trec"),
        ["recall@3", "hits@1"],
    )
    assert found["recall@3"] == pytest.approx(1.0)


def test_dpr_results_have_every_field_that_evaluators_of_them_read(tmp_path):
    """The loop of DPR's and Pyserini's evaluators: accuracy from `ctxs` in order and `has_answer`, score a string."""
    found = (RunHit("wiki:2", 80.5, "2", "T", "x", False), RunHit("wiki:1", 79.25, "1", "T", "y", True))
    write_run(tmp_path / "results.json", [Ranking("1", "who", ("y",), "dense", found)], "dpr")
    hits = [0, 0]
    for sample in json.loads((tmp_path / "results.json").read_text()):
        assert set(sample) == {"question", "answers", "ctxs"}
        for rank, context in enumerate(sample["ctxs"]):
            assert set(context) == {"id", "title", "text", "score", "has_answer"}
            assert float(context["score"]) == found[rank].score
            assert isinstance(context["score"], str)
            if context["has_answer"]:
                hits = [value + (k >= rank) for k, value in enumerate(hits)]
    assert hits == [0, 1]
