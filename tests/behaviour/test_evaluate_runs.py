"""`opendpr evaluate --run`: runs of other systems give the tables, comparisons and reports that our own give."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from conftest import Run

import opendpr
from opendpr.errors import InputError, UsageError
from opendpr.evaluation.foreign import ForeignTask, evaluate_runs
from opendpr.evaluation.judges import AnswerJudge, DocumentJudge
from opendpr.evaluation.run import read_question_records, read_run
from opendpr.evaluation.task import Task, evaluate
from opendpr.types import Document

RIVERS = {"Tarn": "Albi", "Lot": "Cahors", "Orne": "Caen", "Vire": "Saint-Lô"}
PADDING = " ".join(f"filler{number}" for number in range(120))
DPR = [
    {
        "question": "Which town is on the river Tarn",
        "answers": ["Albi"],
        "ctxs": [
            {"id": "wiki:1", "title": "Lot", "text": "Cahors lies on the Lot.", "score": "9.5", "has_answer": True},
            {"id": "wiki:2", "title": "Tarn", "text": "Albi lies on the Tarn.", "score": "8.5", "has_answer": False},
        ],
    },
    {
        "question": "Which town is on the river Lot",
        "answers": ["Cahors"],
        "ctxs": [{"id": "wiki:1", "title": "Lot", "text": "Cahors lies on the Lot.", "score": "7", "has_answer": True}],
    },
]


@pytest.fixture(scope="module")
def towns(tmp_path_factory: pytest.TempPathFactory, tiny_model: Path) -> Path:
    """A collection whose documents are two passages each: a sentence on a river, and words without meaning.

    Their texts differ: of copies a run names one.
    """
    directory = tmp_path_factory.mktemp("towns") / "towns"
    documents = [
        Document(river, f"The {river}", f"The river {river} runs through the town of {town}. {PADDING} {river}")
        for river, town in RIVERS.items()
    ]
    opendpr.add(directory, documents, str(tiny_model))
    return directory


@pytest.fixture
def questions(tmp_path: Path) -> Path:
    path = tmp_path / "rivers.jsonl"
    records = [
        {"id": river, "question": f"Which town is on the river {river}?", "answers": [town], "document_id": river}
        for river, town in RIVERS.items()
    ]
    records.append({"id": "none", "question": "Which town is on the river Rhine?", "answers": ["Cologne"]})
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    return path


def measures(path: Path) -> dict[str, dict[str, float]]:
    return {record.question.id: dict(record.judgement.measures) for record in read_question_records(path)}


def write_trec(path: Path, *lines: str) -> Path:
    path.write_text("".join(f"{line}\n" for line in lines))
    return path


@pytest.mark.parametrize("format", ["trec", "msmarco", "colbert", "dpr", "pyserini"])
def test_our_own_run_counts_the_same_once_it_went_through_a_form_of_another_system(
    towns: Path, questions: Path, tmp_path: Path, run: Run, format: str
) -> None:
    ours, theirs, judged = tmp_path / "ours.jsonl", tmp_path / "theirs", tmp_path / "judged.jsonl"
    evaluate(towns, Task([questions], ("bm25",)), AnswerJudge(ks=(1, 3)), output=ours)
    done = run("export", "run", ours, "--format", format, "--collection", towns, "-o", theirs)
    assert done.returncode == 0, done.stderr
    evaluate_runs(ForeignTask([theirs], questions, towns), AnswerJudge(ks=(1, 3)), judged)
    expected = measures(ours)
    if format in ("dpr", "pyserini"):  # these have no ids of documents; the passages' are in their place
        expected = {id: {k: v for k, v in result.items() if "answer" in k} for id, result in expected.items()}
    for id, result in measures(judged).items():
        assert expected[id].items() <= result.items()
    compared = run("evaluate", "--compare", ours, judged, "--json")
    assert compared.returncode == 0, compared.stderr
    pairs = json.loads(compared.stdout)["sets"]["rivers"]["differences"]
    assert {(pair["a"], pair["b"]) for pair in pairs} == {("ours:bm25", "judged:theirs")}
    assert all(pair["mean"] == 0 for pair in pairs if pair["measure"].startswith("answer"))


def test_several_runs_are_compared_in_one_table_and_one_report(
    towns: Path, questions: Path, tmp_path: Path, run: Run
) -> None:
    good = write_trec(tmp_path / "good.trec", *(f"{river} Q0 {river} 1 2.5 t" for river in RIVERS))
    bad = write_trec(tmp_path / "bad.trec", *(f"{river} Q0 Tarn 1 2.5 t" for river in RIVERS))
    output = tmp_path / "both.jsonl"
    arguments = ("evaluate", "--run", good, "--run", bad, questions, "--collection", towns, "-k", 1, "-o", output)
    done = run(*arguments)
    assert done.returncode == 0, done.stderr
    assert "good.trec: no ranking for 1 of 5 questions, which count as not found, first 'none'" in done.stderr
    row = next(line for line in done.stdout.splitlines() if line.startswith("answer@1"))
    assert "80.0 (" in row
    assert "20.0 (" in row
    assert "good - bad" in done.stdout
    assert run(*arguments).stdout == done.stdout  # a complete run is shown again
    reported = run("report", output, "-o", tmp_path / "report.html")
    assert reported.returncode == 0, reported.stderr
    page = (tmp_path / "report.html").read_text()
    assert "good.trec" in page
    assert "by good, bad" in page


def test_results_with_their_texts_need_neither_collection_nor_questions(tmp_path: Path, run: Run) -> None:
    path = tmp_path / "results.json"
    path.write_text(json.dumps(DPR, indent=4))
    done = run("evaluate", "--run", path, "-k", 1, "-k", 2, "--json")
    assert done.returncode == 0, done.stderr
    result = {item["measure"]: item["mean"] for item in json.loads(done.stdout)["sets"]["results"]["figures"]}
    assert result == {"answer@1": 0.5, "answer@2": 1.0}  # by the texts, whatever `has_answer` says


def test_a_report_of_a_run_without_a_collection_shows_its_texts(tmp_path: Path, run: Run) -> None:
    path = tmp_path / "results.json"
    path.write_text(json.dumps(DPR))
    evaluate_runs(ForeignTask([path]), AnswerJudge(ks=(1, 2)), tmp_path / "run.jsonl")
    done = run("report", tmp_path / "run.jsonl", "-o", tmp_path / "report.html")
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "report.html").read_text()
    assert "lies on the Tarn" in page
    assert "results.json" in page


def test_results_without_ids_belong_to_the_questions_of_the_same_words(tmp_path: Path) -> None:
    path, questions = tmp_path / "results.json", tmp_path / "mine.jsonl"
    path.write_text(json.dumps(DPR))
    questions.write_text(
        '{"id": "2", "question": "Which town is on the river Tarn?", "answers": ["Albi"]}\n'
        '{"id": "1", "question": "which town is on the river  Lot?", "answers": ["Cahors"]}\n'
    )
    evaluate_runs(ForeignTask([path], questions), AnswerJudge(ks=(1,)), tmp_path / "run.jsonl")
    assert measures(tmp_path / "run.jsonl") == {"2": {"answer@1": 0.0}, "1": {"answer@1": 1.0}}


def test_a_document_that_is_ranked_is_judged_by_its_whole_text(towns: Path, tmp_path: Path) -> None:
    (tmp_path / "q.jsonl").write_text('{"id": "1", "question": "Where?", "answers": ["filler119"]}\n')
    runs = {"document": "1 Q0 Lot 1 2.5 t", "passage": "1 Q0 Lot#0 1 2.5 t"}
    for name, line in runs.items():
        path = write_trec(tmp_path / name, line)
        evaluate_runs(ForeignTask([path], tmp_path / "q.jsonl", towns), AnswerJudge(ks=(1,)), tmp_path / f"{name}.out")
    assert measures(tmp_path / "document.out") == {"1": {"answer@1": 1.0}}
    assert measures(tmp_path / "passage.out") == {"1": {"answer@1": 0.0}}


def test_runs_are_judged_by_judgements_of_documents_as_trec_eval_does(towns: Path, tmp_path: Path, run: Run) -> None:
    qrels = write_trec(tmp_path / "qrels", "1 0 Lot 1", "1 0 Vire 1", "2 0 Tarn 1")
    ranked = write_trec(
        tmp_path / "bm25.trec", "1 Q0 Tarn#0 1 9.5 t", "1 Q0 Lot#0 2 8.5 t", "1 Q0 Lot 3 8 t", "1 Q0 Vire 4 7 t"
    )
    done = run("evaluate", "--run", ranked, "--qrels", qrels, "--collection", towns, "--json")
    assert done.returncode == 0, done.stderr
    result = {item["measure"]: item["mean"] for item in json.loads(done.stdout)["sets"]["bm25"]["figures"]}
    assert result["AP"] == pytest.approx((1 / 2 + 2 / 3) / 2)  # of documents: the second passage of one is passed over
    assert result["RR"] == 0.5


def test_a_judged_question_that_a_run_lacks_counts_as_not_found(tmp_path: Path) -> None:
    (tmp_path / "q.jsonl").write_text('{"id": "1", "question": "a?"}\n{"id": "2", "question": "b?"}\n')
    ranked = write_trec(tmp_path / "t.trec", "1 Q0 d 1 1.5 t")
    judge = DocumentJudge({"1": {"d": 1}, "2": {"d": 1}}, "qrels")
    evaluate_runs(ForeignTask([ranked], tmp_path / "q.jsonl"), judge, tmp_path / "run.jsonl")
    result = measures(tmp_path / "run.jsonl")
    assert (result["1"]["AP"], result["2"]["AP"]) == (1.0, 0.0)


def test_a_run_of_several_systems_is_judged_system_by_system(towns: Path, questions: Path, tmp_path: Path) -> None:
    ours, judged = tmp_path / "ours.jsonl", tmp_path / "judged.jsonl"
    evaluate(towns, Task([questions], ("bm25", "dense")), AnswerJudge(ks=(1, 3)), output=ours)
    evaluate_runs(ForeignTask([ours], questions, towns), AnswerJudge(ks=(1, 3)), judged)
    expected, result = read_run(ours).measured["rivers"], read_run(judged).measured["rivers"]
    assert result == {f"ours:{system}": counted for system, counted in expected.items()}


@pytest.mark.parametrize(
    ("lines", "problem"),
    [
        (["Tarn Q0 Tarn 1 2.5 t", "Tarn Q0 Tarn 2 1.5 t"], r"t:2: 'Tarn' is ranked twice for question 'Tarn'.*best"),
        (
            ["Tarn Q0 my file 1 2.5 t"],
            "t:1: expected 'question Q0 .*separate the columns by tabs",
        ),
        (["Tarn Tarn 4", "Tarn Lot 3"], "t:1: cannot tell whether the third column is a rank or a score"),
        (["Tarn Q0 Tarn 1 1.5 t", "Tarn Q0 Lot 2 2.5 t"], "t:1: the scores of question 'Tarn' grow"),
        (["Tarn Q0 nowhere 1 1.5 t"], "has no passage 'nowhere'"),
        (["7 Q0 Tarn 1 1.5 t"], "ranks for none of the questions of rivers; .* found '7' and 'Tarn'"),
        (
            ["Tarn Q0 Tarn 1 1.5 t", "Lot Q0 Lot 1 1.5 t", "Tarn Q0 Lot 2 1.5 t"],
            "t:3: question 'Tarn' was there before",
        ),
    ],
)
def test_a_run_that_cannot_be_judged_is_refused_with_its_place(
    towns: Path, questions: Path, tmp_path: Path, lines: list[str], problem: str
) -> None:
    task = ForeignTask([write_trec(tmp_path / "t", *lines)], questions, towns)
    with pytest.raises(InputError, match=problem):
        evaluate_runs(task, AnswerJudge(ks=(1,)), tmp_path / "run.jsonl")


def test_distances_and_documents_ranked_twice_are_judged_where_options_say_how(
    towns: Path, questions: Path, tmp_path: Path
) -> None:
    twice = write_trec(
        tmp_path / "t", "Tarn\tQ0\tTarn\t1\t1.5\tt", "Tarn\tQ0\tTarn\t2\t2.5\tt", "Tarn\tQ0\tLot\t3\t3\tt"
    )
    task = ForeignTask([twice], questions, towns, values="rank", duplicates="best")
    evaluate_runs(task, AnswerJudge(ks=(1,)), tmp_path / "run.jsonl")
    assert measures(tmp_path / "run.jsonl")["Tarn"] == {"answer@1": 1.0, "document@1": 1.0}


def test_texts_that_are_nowhere_are_asked_for(questions: Path, tmp_path: Path) -> None:
    ranked = write_trec(tmp_path / "t", "Tarn Q0 Tarn 1 1.5 t")
    with pytest.raises(InputError, match=r"no text for passage 'Tarn'.* --collection"):
        evaluate_runs(ForeignTask([ranked], questions), AnswerJudge(), tmp_path / "run.jsonl")


def test_two_runs_of_one_name_are_refused(questions: Path, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    runs = [write_trec(folder / "t.trec", "Tarn Q0 Tarn 1 1.5 t") for folder in (tmp_path, tmp_path / "other")]
    with pytest.raises(UsageError, match="two of the runs are called 't'"):
        evaluate_runs(ForeignTask(runs, questions), AnswerJudge(), tmp_path / "run.jsonl")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--run", "t", "q", "q"), "--run takes one file of questions"),
        (("--run", "t", "q", "--reader"), "--run takes one file of questions"),
        (("--collection", "c", "c", "q"), "give --run too"),
        ((), "nothing to evaluate was named"),
    ],
)
def test_options_that_do_not_belong_together_are_refused(
    tmp_path: Path, run: Run, arguments: tuple, message: str
) -> None:
    done = run("evaluate", *arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert message in done.stderr


def test_predictions_of_kilt_are_judged_by_pages(tmp_path: Path, run: Run) -> None:
    pages = [{"wikipedia_id": "31", "title": "Lot"}, {"wikipedia_id": "30", "title": "Albi"}]
    predicted = {"id": "5a", "output": [{"answer": "Lot", "provenance": pages}]}
    (tmp_path / "predictions.jsonl").write_text(json.dumps(predicted) + "\n")
    gold = {"id": "5a", "input": "Which river?", "output": [{"answer": "Tarn", "provenance": pages[1:]}]}
    (tmp_path / "gold.jsonl").write_text(json.dumps(gold) + "\n")
    qrels = write_trec(tmp_path / "qrels", "5a 0 30 1")
    done = run("evaluate", "--run", "predictions.jsonl", "gold.jsonl", "--qrels", qrels, "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    figures = {figure["measure"]: figure["mean"] for figure in json.loads(done.stdout)["sets"]["gold"]["figures"]}
    assert figures["RR"] == 0.5
