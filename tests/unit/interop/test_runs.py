"""Runs of every system: ranks, scores, documents that occur twice."""

import json

import pytest

from foreign import refusal, write
from opendpr.errors import InputError
from opendpr.interop import Ranking, RunHit, best_of_documents, read_run, write_run

RANKING = Ranking(
    "q1",
    "who",
    ("x",),
    "dense",
    (
        RunHit("d#0", 2.5, "d", "T", "text x", True),
        RunHit("d#9", 2.0, "d", "T", "text", False),
        RunHit("e", 1.0, "e", "", "y"),
    ),
)


def test_runs_survive_the_forms_that_hold_them(tmp_path):
    assert write_run(tmp_path / "a.jsonl", [RANKING], "jsonl") == 1
    assert list(read_run(tmp_path / "a.jsonl")) == [RANKING]
    assert write_run(tmp_path / "a.json", [RANKING], "dpr") == 1
    (record,) = json.loads((tmp_path / "a.json").read_text())
    assert record["ctxs"][0] == {"id": "d#0", "title": "T", "text": "text x", "score": "2.5", "has_answer": True}
    (result,) = read_run(tmp_path / "a.json")
    assert (result.id, result.question, result.answers) == ("1", "who", ("x",))
    assert [(item.id, item.score, item.has_answer) for item in result.hits] == [
        ("d#0", 2.5, True),
        ("d#9", 2.0, False),
        ("e", 1.0, None),
    ]
    assert write_run(tmp_path / "a.trec", [RANKING], "trec") == 1
    assert (tmp_path / "a.trec").read_text() == ("q1 Q0 d#0 1 2.5 dense\nq1 Q0 d#9 2 2.0 dense\nq1 Q0 e 3 1.0 dense\n")
    assert [item.id for item in next(read_run(tmp_path / "a.trec")).hits] == ["d#0", "d#9", "e"]
    write_run(tmp_path / "a.run", [RANKING], "msmarco")
    assert (tmp_path / "a.run").read_text() == "q1\td#0\t1\nq1\td#9\t2\nq1\te\t3\n"
    assert [item.score for item in next(read_run(tmp_path / "a.run")).hits] == [1.0, 0.5, 1 / 3]


def test_a_document_counts_by_its_best_passage():
    assert [(item.id, item.score) for item in best_of_documents(RANKING).hits] == [("d", 2.5), ("e", 1.0)]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("1 Q0 d 1 2.5 t\n2 Q0 d 1 2.5 t\n1 Q0 e 2 1 t\n", ":3: question '1' was there before"),
        ("1 Q0 d 1 x t\n", ":1: expected 'score' to be a finite number, found 'x'"),
        ("1 Q0 d 1 nan t\n", ":1: expected 'score' to be a finite number"),
        ("1 d\n", ":1: expected 'question Q0 document rank score tag'"),
        ("1\td\tx\n", ":1: expected 'score' to be a finite number, found 'x'"),
        ("1 Q0 d 12.9 1 t\n", ":1: expected 'question Q0 document rank score tag'"),
        ("1 Q0 doc 7 1 12.9 t\n", ":1: expected 'question Q0 document rank score tag'"),
        ("1 Q0 my doc 7 1 12.9 t\n", ":1: expected 'question Q0 document rank score tag'"),
        ("1 doc 7 1\n", ":1: expected 'question Q0 document rank score tag'"),
        ("1\td\t1\t2.5\n1 e 2 1.5\n", ":2: expected 'question passage rank score'"),
        ("1\tQ0\t\t1\t12.9\tt\n", ":1: expected 'question Q0 document rank score tag'"),
        ("1 Q0 d 1 2.5 t\n1 Q0 d 2 1.5 t\n", ":2: 'd' is ranked twice for question '1'"),
        ("1\td\t1\n1\td\t2\n", ":2: 'd' is ranked twice"),
        ("1\td\t1\t2.5\n1\te\tx\t1.5\n", ":2: expected 'question passage rank score'"),
        ("1 Q0 d 1 1.5 t\n1 Q0 e 2 2.5 t\n", ":1: the scores of question '1' grow from the first rank to the last"),
        ("1\td\t3\n1\te\t2\n1\tf\t1\n", ":1: cannot tell whether the third column is a rank or a score"),
        ("1\td\t7\n", ":1: cannot tell whether the third column is a rank or a score"),
        ("1\td\t1\n1\te\t2\n2\td\t0.5\n2\te\t0.25\n", ":3: cannot tell whether the third column"),
        (
            '{"question": "who", "ctxs": [{"id": "1", "score": "2"}, {"id": "1", "score": "1"}]}',
            ":1: ctxs 2: '1' is ranked twice",
        ),
        ('{"question": "who", "ctxs": [{"id": "1", "score": "1"}, {"id": "2", "score": "2"}]}', ":1: the scores of"),
        ('{"question": "who"}\n', ":1: cannot tell what kind of runs these are, found only ['question']"),
        ('{"question": "who", "ctxs": [{"id": "1"}]}\n', ":1: ctxs 1: expected 'score', found none"),
        ('{"question": "who", "ctxs": [{"id": "1", "score": "inf"}]}\n', ":1: ctxs 1: expected 'score' to be a finite"),
        ('{"type": "question", "hits": {"ids": ["a"], "scores": []}}', ":1: 'hits' must be a list of objects"),
    ],
)
def test_what_is_no_run_is_refused_with_its_line(tmp_path, content, problem):
    assert refusal(read_run, tmp_path / "a", content).startswith(problem)


def test_a_trec_run_without_a_tag_and_with_more_columns_is_read(tmp_path):
    (result,) = read_run(write(tmp_path / "a", "1 Q0 d 2 2.5\n1 Q0 e 1 3.5 tag more columns\n"))
    assert [item.id for item in result.hits] == ["e", "d"]


@pytest.mark.parametrize(
    ("rankings", "format", "problem"),
    [
        ([RANKING, RANKING], "trec", "is there twice"),
        ([RANKING, RANKING], "msmarco", "is there twice"),
        ([Ranking("1", "who", (), "t", (RunHit("my file.txt", 1.0),))], "trec", "'my file.txt' cannot be written"),
        ([Ranking("1", "who", (), "t", (RunHit("a", 1.0),))], "dpr", "no text for passage 'a'"),
        ([Ranking("1", "", (), "t", ())], "dpr", "give --questions"),
        ([Ranking("1", "who", (), "t", (RunHit("a", 1e39),))], "trec", "beyond single precision"),
    ],
)
def test_a_run_that_a_form_cannot_hold_is_refused(tmp_path, rankings, format, problem):
    with pytest.raises(InputError, match=problem):
        write_run(tmp_path / "a", rankings, format)
    assert list(tmp_path.iterdir()) == []


def ids_and_scores(path, **options):
    (ranking,) = read_run(path, **options)
    return [(hit.id, hit.score) for hit in ranking.hits]


def test_a_document_that_is_ranked_twice_is_refused_or_kept_once(cases):
    with pytest.raises(InputError, match=r"document-twice\.trec:2: 'FBIS4-1' is ranked twice for question '301'"):
        list(read_run(cases / "document-twice.trec"))
    assert ids_and_scores(cases / "document-twice.trec", duplicates="best") == [("FBIS4-1", 12.9), ("FBIS4-2", 12.7)]


def test_ids_with_spaces_are_read_where_tabs_separate(cases):
    assert ids_and_scores(cases / "ids-with-spaces.trec") == [("doc 7", 12.9), ("doc 8", 11.9)]


def test_pyserinis_results_are_read_under_the_questions_ids(cases):
    (ranking,) = read_run(cases / "pyserini-dpr.json")
    assert (ranking.id, ranking.question, ranking.answers) == ("0", "what is document two", ("contents",))
    assert ranking.hits[0] == RunHit("doc2", 15.2, None, "Two", "here are the contents", True)


@pytest.mark.parametrize(
    ("content", "options", "expected"),
    [
        ("1\td\t1\n1\te\t2\n", {}, [("d", 1.0), ("e", 0.5)]),
        ("1\td\t0\n1\te\t1\n", {}, [("d", 1.0), ("e", 0.5)]),
        ("1 d 1\n1 e 2\n", {}, [("d", 1.0), ("e", 0.5)]),
        ("1\tmy d\t1\n1\te\t2\n", {}, [("my d", 1.0), ("e", 0.5)]),
        ("1\td\t0.5\n1\te\t1.5\n", {}, [("e", 1.5), ("d", 0.5)]),
        ("1\td\t-0.5\n1\te\t-1.5\n", {}, [("d", -0.5), ("e", -1.5)]),
        ("1\td\t3\n1\te\t2\n1\tf\t1\n", {"values": "score"}, [("d", 3.0), ("e", 2.0), ("f", 1.0)]),
        ("1\td\t3\n1\te\t2\n1\tf\t1\n", {"values": "rank"}, [("f", 1.0), ("e", 1 / 2), ("d", 1 / 3)]),
        ("1\td\t1\t21.5\n1\te\t2\t20.5\n", {}, [("d", 21.5), ("e", 20.5)]),
        ("1 Q0 d 1 1.5 t\n1 Q0 e 2 2.5 t\n", {"values": "rank"}, [("d", 1.0), ("e", 0.5)]),
        ("1 Q0 d 1 1.5 t\n1 Q0 e 2 2.5 t\n", {"values": "score"}, [("e", 2.5), ("d", 1.5)]),
        ("1 Q0 d 0 2.5 t\n1 Q0 e 1 2.5 t\n", {"values": "rank"}, [("d", 1.0), ("e", 0.5)]),
        (
            '[{"question": "who", "ctxs": [{"id": "d", "score": "1"}, {"id": "e", "score": "2"}]}]',
            {"values": "rank"},
            [("d", 1.0), ("e", 0.5)],
        ),
        ("1\td\t1\n1\te\t2\n1\td\t3\n", {"duplicates": "best"}, [("d", 1.0), ("e", 0.5)]),
    ],
)
def test_ranks_and_scores_are_told_apart_or_asked_for(tmp_path, content, options, expected):
    assert ids_and_scores(write(tmp_path / "a", content), **options) == expected


def test_answers_that_every_text_would_hold_are_left_out_of_runs_too(tmp_path, caplog):
    content = '{"question": "who", "answers": ["", "x"], "ctxs": [{"id": "d", "score": 1}]}'
    (ranking,) = read_run(write(tmp_path / "a", content))
    assert ranking.answers == ("x",)
    assert "dropped 1 answer found in every text: '' of question '1'" in caplog.text


def test_runs_of_colbert_and_pyserini_are_read_back(tmp_path):
    assert write_run(tmp_path / "a.tsv", [RANKING], "colbert") == 1
    assert (tmp_path / "a.tsv").read_text() == "q1\td#0\t1\t2.5\nq1\td#9\t2\t2.0\nq1\te\t3\t1.0\n"
    assert ids_and_scores(tmp_path / "a.tsv") == [("d#0", 2.5), ("d#9", 2.0), ("e", 1.0)]
    assert write_run(tmp_path / "a.json", [RANKING], "pyserini") == 1
    (result,) = read_run(tmp_path / "a.json")
    assert (result.id, result.question, result.answers) == ("q1", "who", ("x",))
    assert result.hits[0] == RunHit("d#0", 2.5, None, "T", "text x", True)


def test_a_question_that_is_ranked_for_twice_is_refused_with_its_place(tmp_path):
    line = '{"id": "1", "question": "who", "retriever": "dense", "hits": [{"id": "d", "score": 1}]}\n'
    assert refusal(read_run, tmp_path / "a.jsonl", line + line).startswith(
        ":2: question '1' was there before; take one of the two out"
    )
    assert len(list(read_run(write(tmp_path / "a.jsonl", line + line.replace("dense", "bm25"))))) == 2
