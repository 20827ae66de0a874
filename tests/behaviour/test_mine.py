"""Mining: which passages become positives and hard negatives, what is counted, what is refused."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from opendpr.collection import open_collection
from opendpr.search.live import LiveSnapshot
from opendpr.search.retrievers import make_retriever
from opendpr.text import has_answer
from opendpr.training.miner import Miner, MiningSettings
from opendpr.training.mining import mine as mine_examples
from opendpr.types import Hit, Question, Span

DOCUMENTS = {
    "paris": "Paris is the capital of France. The river Seine flows through Paris.",
    "seine": "The river Seine is 777 kilometres long. Its longest tributary is the Marne.",
    "rome": "Rome is the capital of Italy. The river Tiber flows through Rome.",
    "oslo": "Oslo is the capital of Norway.",
    "tiber": "The river Tiber flows through Rome and is 406 kilometres long.",
}
QUESTIONS = [
    {"id": "distant", "question": "Which river flows through Paris?", "answers": ["Seine"]},
    {"id": "given", "question": "How long is the river Tiber?", "answers": ["406"], "document_id": "tiber"},
    {"id": "regex", "question": "What is the capital of Norway?", "answers": ["os[kl]o"], "match": "regex"},
    {"id": "nowhere", "question": "Which river flows through Paris?", "answers": ["Danube"]},
    {"id": "absent", "question": "What is this?", "answers": ["x"], "document_id": "gone"},
]


@pytest.fixture
def collection(tmp_path: Path, run: Any, tiny_model: Path) -> Path:
    file = tmp_path / "documents.jsonl"
    records = ({"id": id, "title": id, "text": text} for id, text in DOCUMENTS.items())
    file.write_text("".join(json.dumps(record) + "\n" for record in records))
    assert run("add", tmp_path / "c", file, "--model", tiny_model).returncode == 0
    return tmp_path / "c"


def write(path: Path, questions: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(question) + "\n" for question in questions))
    return path


@pytest.fixture
def mine(collection: Path, tmp_path: Path, run: Any) -> Any:
    """Mines and returns the examples by id, and what was reported."""

    def mine(questions: list[dict[str, Any]], *options: str, code: int = 0) -> tuple[dict[str, Any], Any]:
        file, output = write(tmp_path / "q.jsonl", questions), tmp_path / "examples.jsonl"
        done = run("mine", collection, file, "-o", output, "--json", *options)
        assert done.returncode == code, done.stderr
        if code:
            return {}, done.stderr
        lines = map(json.loads, output.read_text().splitlines())
        return {line["id"]: line for line in lines}, json.loads(done.stdout)

    return mine


def texts(example: Any, kind: str) -> list[str]:
    return [passage["text"] for passage in example[kind]]


def test_positives_hold_an_answer_and_negatives_do_not(mine: Any, tmp_path: Path) -> None:
    examples, report = mine(QUESTIONS, "--left-out", str(tmp_path / "left.jsonl"))
    assert examples.keys() == {"distant", "given", "regex"}
    assert texts(examples["distant"], "positives") == [DOCUMENTS["paris"]]
    assert texts(examples["given"], "positives") == [DOCUMENTS["tiber"]]
    assert texts(examples["regex"], "positives") == [DOCUMENTS["oslo"]]
    for question in QUESTIONS[:3]:
        negatives = texts(examples[question["id"]], "hard_negatives")
        assert negatives
        assert not any(has_answer(question["answers"], text, question.get("match", "string")) for text in negatives)
    assert DOCUMENTS["seine"] not in texts(examples["distant"], "hard_negatives"), "it holds the answer"
    assert report["left_out"] == {
        "none of the passages found holds an answer": 1,
        "its document is not in the collection": 1,
    }
    assert report["dropped"]["it holds an answer"] >= 1
    left = [json.loads(line) for line in (tmp_path / "left.jsonl").read_text().splitlines()]
    assert [(question["id"], question["reason"][:3]) for question in left] == [("nowhere", "non"), ("absent", "its")]


def test_the_positive_is_the_best_that_bm25_finds_whatever_finds_the_negatives(mine: Any) -> None:
    for retrievers in (["-r", "dense"], ["-r", "bm25", "-r", "dense"], ["-r", "hybrid"]):
        examples, _ = mine(QUESTIONS[:3], *retrievers)
        assert texts(examples["distant"], "positives") == [DOCUMENTS["paris"]]
        assert len(set(texts(examples["distant"], "hard_negatives"))) == 3, "two of five hold the answer"


def test_numbers_and_margins_bound_what_is_kept(mine: Any) -> None:
    assert len(texts(mine(QUESTIONS[:2], "--negatives", "1")[0]["distant"], "hard_negatives")) == 1
    assert texts(mine(QUESTIONS[:3], "--negatives", "0")[0]["distant"], "hard_negatives") == []
    both = mine(QUESTIONS[:2], "--positives", "2")[0]["distant"]
    assert texts(both, "positives") == [DOCUMENTS["paris"], DOCUMENTS["seine"]]
    wide = texts(mine(QUESTIONS[:2])[0]["given"], "hard_negatives")
    narrow, report = mine(QUESTIONS[:2], "--margin", "0.6")
    assert len(texts(narrow["given"], "hard_negatives")) < len(wide)
    assert report["dropped"]["it scores too near the positive"] >= 1


def test_passages_keep_the_scores_of_the_search_that_found_them(mine: Any, collection: Path, run: Any) -> None:
    example = mine(QUESTIONS[:2])[0]["distant"]
    hits = run("search", collection, example["question"], "-r", "bm25", "-k", "9", "--json").stdout.splitlines()
    scores = {hit["text"]: hit["score"] for hit in map(json.loads, hits)}
    passages = [*example["positives"], *example["hard_negatives"]]
    assert {passage["text"]: passage["score"] for passage in passages}.items() <= scores.items()


def test_a_positive_further_down_than_asked_for_is_none(mine: Any) -> None:
    question = {"id": "far", "question": "Which river flows through Paris?", "answers": ["406"]}
    assert texts(mine([*QUESTIONS[:2], question])[0]["far"], "positives") == [DOCUMENTS["tiber"]]
    examples, report = mine([*QUESTIONS[:2], question], "--positive-depth", "1")
    assert examples.keys() == {"distant", "given"}
    assert report["left_out"] == {"none of the passages found holds an answer": 1}


def test_a_question_with_a_document_and_no_answers_takes_negatives_from_other_documents(mine: Any) -> None:
    questions = [
        {"id": "a", "question": "river through Rome", "document_id": "rome"},
        {"id": "b", "question": "capital of Norway", "document_id": "oslo"},
    ]
    examples, _ = mine(questions)
    assert texts(examples["a"], "positives") == [DOCUMENTS["rome"]]
    assert DOCUMENTS["rome"] not in texts(examples["a"], "hard_negatives")


class LikesRome:
    """A reader for which Rome's passage answers everything, the one of Oslo less, and the others least."""

    def read(self, questions: Sequence[str], hits: Sequence[Sequence[Hit]]) -> list[list[Span]]:
        liked = {DOCUMENTS["rome"]: 3.0, DOCUMENTS["oslo"]: 1.0}
        return [[Span(hit, 0, 1, "x", liked.get(hit.passage.text, 0.0), 0.0) for hit in own] for own in hits]


def test_negatives_that_the_reader_prefers_to_the_positive_are_dropped(collection: Path) -> None:
    both = [Question("a", "Which river flows through Paris?", ("Seine",)), Question("b", "Norway", ("Oslo",))]
    with open_collection(collection) as opened:
        bm25 = make_retriever("bm25", LiveSnapshot(opened))
        miner = Miner(opened, bm25, {"bm25": bm25}, settings=MiningSettings(), reader=LikesRome())
        examples = {example.question.id: example for example in miner.examples(both)}
    kept = [passage.text for passage in examples["a"].hard_negatives]
    assert DOCUMENTS["rome"] not in kept
    assert DOCUMENTS["oslo"] not in kept
    assert DOCUMENTS["tiber"] in kept
    assert miner.report.dropped["the reader prefers it to the positive"] >= 1


def test_denoising_takes_the_models_reader(mine: Any) -> None:
    all_, _ = mine(QUESTIONS[:3])
    few, report = mine(QUESTIONS[:3], "--denoise")
    count = sum(len(texts(example, "hard_negatives")) for example in all_.values())
    left = sum(len(texts(example, "hard_negatives")) for example in few.values())
    assert 0 < report["dropped"]["the reader prefers it to the positive"] == count - left


def test_a_document_gives_so_many_negatives_and_no_more(tmp_path: Path, run: Any, tiny_model: Path) -> None:
    long = " ".join(f"The river number {number} flows through a wide and quiet valley." for number in range(60))
    file = tmp_path / "documents.jsonl"
    records = [{"id": "long", "text": long}, {"id": "tiber", "text": DOCUMENTS["tiber"]}]
    file.write_text("".join(json.dumps(record) + "\n" for record in records))
    assert run("add", tmp_path / "c", file, "--model", tiny_model).returncode == 0
    questions = write(tmp_path / "q.jsonl", [{"question": "Which river flows through Rome?", "answers": ["Tiber"]}])
    counts = {}
    for most in ("0", "2"):
        done = run("mine", tmp_path / "c", questions, "-o", tmp_path / "e.jsonl", "--per-document", most, "--json")
        report = json.loads(done.stdout)
        counts[most] = report["hard_negatives"], report["dropped"].get("enough of its document", 0)
    assert counts["0"] == (5, 0)
    assert counts["2"][0] == 2
    assert counts["2"][1] >= 3


def test_a_passage_that_two_retrievers_find_is_dropped_once(mine: Any) -> None:
    _, report = mine(QUESTIONS[:1], "-r", "dense", "-r", "hybrid")
    assert report["dropped"] == {"it holds an answer": 1}


@pytest.mark.parametrize(
    ("questions", "message"),
    [
        (QUESTIONS[3:], "none of 2 questions became an example"),
        ([QUESTIONS[0], {**QUESTIONS[0], "id": "again"}], "the same positive passage"),
        ([{**QUESTIONS[0], "answers": []}], "neither answers nor a document"),
    ],
    ids=["nothing", "one positive", "no answers"],
)
def test_what_nothing_can_be_learned_from_is_refused(
    mine: Any, tmp_path: Path, questions: list[dict[str, Any]], message: str
) -> None:
    _, report = mine(questions, "--left-out", str(tmp_path / "left.jsonl"), code=3)
    assert message in report
    assert ("became an example" in report) == bool((tmp_path / "left.jsonl").read_text())
    assert not (tmp_path / "examples.jsonl").exists()


def test_mined_examples_train_an_encoder_from_the_command_line(
    mine: Any, collection: Path, tmp_path: Path, tiny_model: Path, run: Any
) -> None:
    mine(QUESTIONS[:3])
    examples, settings = tmp_path / "examples.jsonl", tmp_path / "settings.toml"
    settings.write_text("batch_size = 4\nepochs = 3\nlearning_rate = 0.01\n")
    command = ["train", "encoder", examples, "--dev", examples, "--pool", collection, "--base", tiny_model]
    done = run(*command, "-o", tmp_path / "m", "--settings", settings, "--epochs", "2", "--precision", "fp32")
    assert done.returncode == 0, done.stderr
    assert "wrote" in done.stderr
    assert "best after step" in done.stderr
    resolved = json.loads((tmp_path / "m" / "training.json").read_text())["settings"]
    assert (resolved["batch_size"], resolved["epochs"], resolved["learning_rate"]) == (4, 2, 0.01)
    assert run("encode", collection, "--model", tmp_path / "m").returncode == 0
    assert run("search", collection, "river", "-r", "dense").returncode == 0


def test_inverse_cloze_needs_no_questions(collection: Path, tmp_path: Path, tiny_model: Path, run: Any) -> None:
    command = ["train", "encoder", collection, "--objective", "inverse-cloze", "--base", tiny_model]
    done = run(*command, "-o", tmp_path / "m", "--epochs", "2", "--precision", "fp32")
    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / "m" / "training.json").read_text())["steps"] == 2


@pytest.mark.parametrize(
    ("text", "code", "message"),
    [
        ("batchsize = 4", 2, "did you mean 'batch_size'"),
        ('batch_size = "x"', 2, "batch_size must be a whole number, got 'x'"),
        ("epochs = inf", 2, "epochs must be a finite number, got inf"),
        ("batch_size = ", 3, "is not TOML"),
    ],
)
def test_settings_that_make_no_sense_are_refused(tmp_path: Path, run: Any, text: str, code: int, message: str) -> None:
    (tmp_path / "s.toml").write_text(text)
    (tmp_path / "examples.jsonl").touch()
    done = run("train", "encoder", tmp_path / "examples.jsonl", "-o", tmp_path / "m", "--settings", tmp_path / "s.toml")
    assert done.returncode == code
    assert message in done.stderr


def test_a_negative_with_the_text_of_a_positive_is_dropped_and_counted(
    tmp_path: Path, run: Any, tiny_model: Path
) -> None:
    same = [{"title": "", "text": "The same words."}]
    file = tmp_path / "e.jsonl"
    file.write_text(json.dumps({"question": "What?", "positives": same, "hard_negatives": same}) + "\n")
    done = run("train", "encoder", file, "-o", tmp_path / "m", "--base", tiny_model)
    assert done.returncode == 3
    assert "dropped 1 hard negative with the text of a positive passage" in done.stderr
    assert "no batch has a negative for any of its questions" in done.stderr


def test_a_twin_of_the_positive_in_another_document_is_no_negative(tmp_path: Path, run: Any) -> None:
    """A question that names its document but no answer: the copy elsewhere answers as well."""
    documents = {"a": "The bridge is old.", "b": "The bridge is old.", "c": "The bridge is new."}
    records = ({"id": id, "title": "", "text": text} for id, text in documents.items())
    (tmp_path / "d.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
    assert run("add", tmp_path / "c", tmp_path / "d.jsonl", "--no-vectors").returncode == 0
    questions = [Question("q", "How old is the bridge?", document_ids=("a",))]
    examples, report = mine_examples(tmp_path / "c", questions)
    assert [passage.text for passage in examples[0].hard_negatives] == [documents["c"]]
    assert report.dropped["it has the text of a positive"] == 1
