"""`opendpr evaluate`: figures, questions without answers, judged collections, what cannot be evaluated."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from conftest import Run

import opendpr
from opendpr.answering import open_answerer
from opendpr.collection import open_collection
from opendpr.errors import InputError, StateError, UsageError
from opendpr.evaluation.failures import FAILURE_KINDS, NOT_IN_COLLECTION
from opendpr.evaluation.judges import AnswerJudge, best_documents
from opendpr.evaluation.run import open_run, read_question_records, read_run
from opendpr.evaluation.summary import FailureCount, summary
from opendpr.evaluation.task import Task, evaluate, read_sets
from opendpr.text import has_answer
from opendpr.types import Question
from rivers import FP32, PADDING, RIVERS, add_towns, write_river_questions
from sample_run import question_record, run_header


@pytest.fixture(scope="module")
def towns(tmp_path_factory: pytest.TempPathFactory, tiny_model: Path) -> Path:
    return add_towns(tmp_path_factory.mktemp("towns") / "towns", tiny_model)


@pytest.fixture
def questions(tmp_path: Path) -> Path:
    return write_river_questions(tmp_path / "rivers.jsonl")


def means(result: dict, name: str) -> dict[tuple[str, str], float]:
    """System and measure -> mean, of what `--json` prints."""
    return {(figure["system"], figure["measure"]): figure["mean"] for figure in result["sets"][name]["figures"]}


def test_figures_are_what_the_hits_say(towns: Path, questions: Path, tmp_path: Path, run: Run) -> None:
    output = tmp_path / "run.jsonl"
    arguments = ("evaluate", towns, questions, "-r", "bm25", "-r", "hybrid", "-k", 1, "-k", 7, "-o", output, "--json")
    done = run(*arguments)
    assert done.returncode == 0, done.stderr
    assert "'[' is not a regular expression" in done.stderr
    found = json.loads(done.stdout)
    for system in ("bm25", "hybrid"):
        answerer = open_answerer(towns, retriever=system, runtime=FP32)
        records = [json.loads(line) for line in questions.read_text(encoding="utf-8").splitlines()]
        for k in (1, 7):
            hits = {record["id"]: answerer.search(record["question"], k) for record in records}
            answered = [
                any(has_answer(r["answers"], hit.passage.text, r.get("match", "string")) for hit in hits[r["id"]])
                for r in records
            ]
            gold = [any(h.passage.document_id == r["id"] for h in hits[r["id"]]) for r in records if "document_id" in r]
            assert means(found, "rivers")[system, f"answer@{k}"] == sum(answered) / 8
            assert means(found, "rivers")[system, f"document@{k}"] == sum(gold) / 6
    for judged in (record.judgement for record in read_question_records(output)):
        assert judged.answer_rank == next(iter(judged.answer_ranks), None)
        assert len(judged.hits.ids) == len(judged.hits.scores) <= 7
        assert judged.shown[1].id == judged.hits.ids[0]


def test_the_table_shows_intervals_and_differences(towns: Path, questions: Path, run: Run) -> None:
    done = run("evaluate", towns, questions, "-r", "bm25", "-r", "dense", "-k", 1)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].startswith("rivers: 8 questions")
    assert lines[1] == "answer over 8 questions; document over 6 questions"
    assert "bm25" in lines[3]
    assert any(line.startswith("answer@1") and " to " in line for line in lines)
    assert any(line.startswith("difference") and "answer@1" in line for line in lines)
    assert any(line.startswith("bm25 - dense") and " p " in line for line in lines)


def test_questions_without_answers_are_counted_and_what_was_done_with_them_is_said(
    towns: Path, tmp_path: Path, run: Run
) -> None:
    path, output = tmp_path / "mixed.jsonl", tmp_path / "run.jsonl"
    records = [
        {"id": "1", "question": "Which town is on the river Tarn?", "answers": ["Albi"]},
        {"id": "2", "question": "Which town is on the river Lot?", "document_id": "Lot", "answers": ["Cahors"]},
        {"id": "3", "question": "Who sold the river Lot?", "answers": []},
        {"id": "4", "question": "Who bought the river Orne?"},
    ]
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    done = run("evaluate", towns, path, "-r", "hybrid", "--reader", "--read", 2, "-o", output)
    assert done.returncode == 0, done.stderr
    heading, unjudged, *_ = done.stdout.splitlines()
    assert heading.startswith("mixed: 4 questions")
    assert unjudged == (
        "2 questions have no answers, documents or judgements to be judged by; they were asked, and are in no figure"
    )
    assert "answer, EM, F1 over 2 questions; document over 1 question" in done.stdout
    assert re.search(r"^without answers, yet given one +2 read\nhybrid +2 of 2$", done.stdout, re.MULTILINE)
    figures = summary([read_run(output)]).as_json()["sets"]["mixed"]
    assert figures["unjudged"] == 2
    assert figures["unjudged_answered"] == {"hybrid": {"2": 2}}


def test_questions_as_plain_lines_are_refused_with_what_is_expected(towns: Path, tmp_path: Path, run: Run) -> None:
    (tmp_path / "q.txt").write_text("Which town is on the river Tarn?\nWho built the wall?\n")
    for verb in ("evaluate", "mine"):
        output = ("-o", tmp_path / "examples.jsonl") if verb == "mine" else ()
        done = run(verb, towns, "q.txt", *output, cwd=tmp_path)
        assert done.returncode == 3
        assert 'one a line as {"question": "...", "answers": ["..."]}' in done.stderr
        assert "'opendpr ask COLLECTION - < q.txt' answers them" in done.stderr


def test_the_reader_is_measured_for_several_numbers_of_passages_and_its_failures_are_reported(
    towns: Path, questions: Path, tmp_path: Path
) -> None:
    output = tmp_path / "run.jsonl"
    task = Task([questions], ("hybrid",), runtime=FP32)
    evaluate(towns, task, AnswerJudge((1, 5), (2, 5)), output=output)
    answerer = open_answerer(towns, retriever="hybrid", runtime=FP32)
    judgements = {record.question: record.judgement for record in read_question_records(output)}
    for question, judged in judgements.items():
        for read in (2, 5):
            answer, alone = judged.read[read], answerer.ask(question.text, read).answers[0]
            assert answer.text == alone.text
            assert answer.confidence == pytest.approx(alone.confidence, rel=1e-4)
            assert answer.start == alone.spans[0].start
            shown = judged.shown[answer.rank]
            within = shown.text[answer.start - shown.start : answer.end - shown.start]
            assert within  # an answer begins in its passage, and may end beyond it
            assert answer.text.startswith(within)
            assert (answer.failure is None) == (answer.EM == 1)
            assert answer.failure in (None, *FAILURE_KINDS)
        if question.id == "regex":
            assert "F1@2" not in judged.measures
    failures = {question.id: judged.read[5].failure for question, judged in judgements.items()}
    assert failures["none"] == NOT_IN_COLLECTION
    assert all(failures[river] != NOT_IN_COLLECTION for river in RIVERS)
    run = read_run(output)
    assert run.failures["rivers"]["hybrid"][5][NOT_IN_COLLECTION] == ["none"]
    counts = summary([run]).sets["rivers"].failures["hybrid"][5]
    assert counts[NOT_IN_COLLECTION] == FailureCount(1, ["none"])
    wrong = sum(judged.read[5].EM == 0 for judged in judgements.values())
    assert sum(kind.count for kind in counts.values()) == wrong
    unfinished = tmp_path / "unfinished.jsonl"
    unfinished.write_bytes(b"".join(output.read_bytes().splitlines(keepends=True)[:-1]))
    with pytest.raises(StateError, match="not yet the last"):
        read_run(unfinished)


def test_overlapping_passages_are_read_as_if_alone(tmp_path: Path, tiny_model: Path, questions: Path, run: Run) -> None:
    (tmp_path / "docs").mkdir()
    for river, town in RIVERS.items():
        text = f"{PADDING} the river {river} runs through the town of {town}. {PADDING}"
        (tmp_path / "docs" / f"{river}.txt").write_text(text, encoding="utf-8")
    directory = tmp_path / "overlapping"
    done = run("add", directory, tmp_path / "docs", "--words", 20, "--overlap", 16, "--model", tiny_model)
    assert done.returncode == 0, done.stderr
    answerer = open_answerer(directory, retriever="bm25", runtime=FP32)
    asked = [question.text for question in read_sets([questions])["rivers"]]
    hits = answerer.retrieve(asked, 12)
    for question, by_depth in enumerate(AnswerJudge(read=(1, 4, 12))._read(answerer, asked, hits)):
        for n, spans in by_depth.items():
            (alone,) = answerer.read([asked[question]], [hits[question][:n]])
            places = [{(span.start, span.end, span.hit.passage.number) for span in read} for read in (spans, alone)]
            assert places[0] == places[1]


def test_a_run_is_exported_for_other_evaluators(towns: Path, questions: Path, tmp_path: Path, run: Run) -> None:
    output, results, trec = tmp_path / "run.jsonl", tmp_path / "results.json", tmp_path / "run.trec"
    evaluate(towns, Task([questions], ("bm25",), runtime=FP32), AnswerJudge((1, 7), (2,)), output=output)
    done = run("export", "run", output, "--format", "dpr", "--collection", towns, "-o", results)
    assert done.returncode == 0, done.stderr
    records = list(read_question_records(output))
    for record, result in zip(records, json.loads(results.read_text(encoding="utf-8")), strict=True):
        assert (result["question"], tuple(result["answers"])) == (record.question.text, record.question.answers)
        assert [context["id"] for context in result["ctxs"]] == record.judgement.hits.ids
        holding = [rank for rank, context in enumerate(result["ctxs"], start=1) if context["has_answer"]]
        assert holding == record.judgement.answer_ranks
        assert result["ctxs"][0]["text"] == record.judgement.shown[1].text
    done = run("export", "run", output, "--format", "trec", "--documents", "--collection", towns, "-o", trec)
    assert done.returncode == 0, done.stderr
    lines = [line.split() for line in trec.read_text(encoding="utf-8").splitlines()]
    for record in records:
        best: dict[str, float] = {}
        for id, score in zip(record.judgement.hits.ids, record.judgement.hits.scores, strict=True):
            best.setdefault(id.rpartition("#")[0] or id, score)
        assert {line[2]: float(line[4]) for line in lines if line[0] == record.question.id} == best


def test_a_documents_score_is_its_best_passages(towns: Path) -> None:
    answerer = open_answerer(towns, retriever="dense", runtime=FP32)
    (documents,) = best_documents(answerer, [Question("q", "the river Tarn")])
    (passages,) = answerer.retrieve(["the river Tarn"], 100, distinct=False)
    assert len(documents) == len(RIVERS) < len(passages)
    for id, score in documents.items():
        assert score == max(hit.score for hit in passages if hit.passage.document_id == id)
    assert list(documents.values()) == sorted(documents.values(), reverse=True)
    for text in ("filler7 filler8", "filler90 Lot", "of"):
        (ranked,) = best_documents(answerer, [Question("q", text)])
        for count in range(1, 7):
            (first,) = best_documents(answerer, [Question("q", text)], count)
            assert list(first.items()) == list(ranked.items())[:count]


def test_judged_questions_are_measured_by_documents(towns: Path, questions: Path, tmp_path: Path, run: Run) -> None:
    qrels = tmp_path / "qrels.txt"
    qrels.write_text("Tarn 0 Tarn 1\nLot 0 Tarn 1\nLot 0 nothing 1\nOrne 0 Orne 0\n")
    done = run("evaluate", towns, questions, "-r", "bm25", "--qrels", qrels, "--json")
    assert done.returncode == 0, done.stderr
    found = means(json.loads(done.stdout), "rivers")
    assert {measure for _, measure in found} == {"AP", "nDCG@10", "R@100", "R@1000", "RR"}
    asked = Question("Lot", "Which town is on the river Lot?")
    (documents,) = best_documents(open_answerer(towns, retriever="bm25"), [asked])
    order = sorted(documents, key=lambda id: (documents[id], id), reverse=True)  # as trec_eval breaks ties
    assert found["bm25", "RR"] == pytest.approx((1 + 1 / (order.index("Tarn") + 1) + 0) / 3)
    assert found["bm25", "R@100"] == pytest.approx((1 + 0.5 + 0) / 3)


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("--read", 5), 2, "give --reader too"),
        (("--qrels", "qrels.txt", "--reader"), 2, "leave out -k, --reader and --read"),
        (("--qrels", "bad.txt"), 3, "bad.txt:2: expected 'question 0 document relevance'"),
        (("--qrels", "qrels.txt"), 3, "no question of rivers has judgements"),
        (("--compare", "-k", 5), 2, "--compare takes runs"),
        (("--compare",), 3, "is not a run"),
    ],
)
def test_what_cannot_work_is_refused(
    towns: Path, questions: Path, tmp_path: Path, run: Run, arguments: tuple, code: int, message: str
) -> None:
    (tmp_path / "qrels.txt").write_text("other 0 Tarn 1\n")
    (tmp_path / "bad.txt").write_text("Tarn 0 Tarn 1\nTarn Tarn\n")
    paths = (questions, questions) if "--compare" in arguments else (towns, questions, "-r", "bm25")
    done = run("evaluate", *paths, *arguments, cwd=tmp_path)
    assert done.returncode == code, done.stderr
    assert message in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("", "holds no questions"),
        ('{"question": "who?"}\n', "has answers or gold documents"),
        ('{"id": "a", "question": "who?", "answers": ["x"]}\n' * 2, "'a' is there twice"),
        (json.dumps({"question": "who " * 2_000, "answers": ["x"]}), "at most 4,096"),
    ],
)
def test_questions_that_cannot_be_judged_are_refused(towns: Path, tmp_path: Path, lines: str, message: str) -> None:
    path = tmp_path / "questions.jsonl"
    path.write_text(lines)
    with pytest.raises(InputError, match=message):
        evaluate(towns, Task([path], ("bm25",)), AnswerJudge(), output=tmp_path / "run.jsonl")
    assert not (tmp_path / "run.jsonl").exists()


def test_no_questions_at_all_are_refused(towns: Path) -> None:
    with pytest.raises(InputError, match="no questions were given; give at least one"):
        opendpr.evaluate(towns, [])


def test_two_files_of_one_name_are_refused(towns: Path, questions: Path, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    second = tmp_path / "other" / questions.name
    second.write_bytes(questions.read_bytes())
    with pytest.raises(UsageError, match="two question files are called 'rivers'"):
        evaluate(towns, Task([questions, second], ("bm25",)), AnswerJudge(), output=tmp_path / "run.jsonl")


def test_words_that_are_not_unicode_survive_in_a_run(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    with open_run(path, run_header()) as run:
        run.write([question_record("\ud800")])
    with open_run(path, run_header()) as run:
        assert run.done == {("s", "\ud800", "bm25")}
    assert read_run(path).measured["s"]["bm25"] == {"\ud800": {}}


def test_a_collection_is_only_read(towns: Path, questions: Path, tmp_path: Path) -> None:
    with open_collection(towns) as collection:
        before = collection.version()
    evaluate(towns, Task([questions], ("bm25",)), AnswerJudge(), output=tmp_path / "run.jsonl")
    with open_collection(towns) as collection:
        assert collection.version() == before
