"""The rankings in a run of an evaluation, for each system."""

import json

import pytest

from foreign import write
from opendpr.errors import InputError
from opendpr.evaluation.rankings import read_rankings
from opendpr.interop import Ranking, RunHit


def test_a_run_of_an_evaluation_is_read_for_each_system(tmp_path):
    lines = [
        {
            "type": "run",
            "format": 1,
            "sets": {"nq": {"questions": 1}, "ir": {"questions": 1}},
            "systems": ["bm25", "dense"],
        },
        {
            "type": "question",
            "set": "nq",
            "question": "7",
            "system": "bm25",
            "text": "who",
            "answers": ["x"],
            "hits": {"ids": ["a", "b#0"], "scores": [2.5, 1.0]},
            "answer_ranks": [2],
            "measures": {},
        },
        {
            "type": "question",
            "set": "ir",
            "question": "8",
            "system": "dense",
            "text": "what",
            "answers": [],
            "documents": {"ids": ["a"], "scores": [3]},
            "measures": {},
        },
        {"type": "scan", "absent": {}},
    ]
    first, second = read_rankings(write(tmp_path / "a.jsonl", "".join(json.dumps(line) + "\n" for line in lines)))
    assert first == Ranking(
        "7", "who", ("x",), "bm25", (RunHit("a", 2.5, has_answer=False), RunHit("b#0", 1.0, has_answer=True)), "nq"
    )
    assert second == Ranking("8", "what", (), "dense", (RunHit("a", 3.0, "a"),), "ir")


def test_a_record_without_scores_is_refused(tmp_path):
    lines = [
        {"type": "run", "format": 1, "sets": {"nq": {"questions": 1}}, "systems": ["bm25"]},
        {
            "type": "question",
            "set": "nq",
            "question": "7",
            "system": "bm25",
            "measures": {},
            "hits": {"ids": ["a"], "scores": []},
        },
    ]
    path = write(tmp_path / "a.jsonl", "".join(json.dumps(line) + "\n" for line in lines))
    with pytest.raises(InputError, match="question '7': expected ids and as many scores"):
        list(read_rankings(path))


def test_runs_of_other_systems_are_read_as_they_are(tmp_path):
    (ranking,) = read_rankings(write(tmp_path / "a.trec", "1 Q0 d 1 2.5 bm25\n"))
    assert ranking == Ranking("1", "", (), "bm25", (RunHit("d", 2.5),))
