"""Arguments in the wrong order, or of the wrong kind: what they were is recognised, and the right command is said."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from conftest import Run

import opendpr
from opendpr.errors import InputError, UsageError

QUESTION = "Who built the pier of Orvik?"


@pytest.fixture
def place(rivers: Path, tmp_path: Path) -> Path:
    """A folder with a collection `notes`, a file of questions `q.jsonl`, one of lines `q.txt` and a folder `docs`."""
    (tmp_path / "notes").symlink_to(rivers)
    record = {"question": QUESTION, "answers": ["Marta Lindqvist"]}
    (tmp_path / "q.jsonl").write_text(json.dumps(record) + "\n")
    (tmp_path / "q.txt").write_text(f"{QUESTION}\n")
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "a.txt").write_text("The pier was built in 1888.")
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("evaluate", "q.jsonl", "notes"), "opendpr evaluate notes q.jsonl"),
        (("evaluate", "q.jsonl", "docs"), "opendpr evaluate docs q.jsonl"),
        (("evaluate", "q.jsonl", "docs/a.txt"), "opendpr evaluate docs/a.txt q.jsonl"),
        (("evaluate", "notes", "docs"), "docs is a folder, expected a file of questions: 'opendpr evaluate notes QU"),
        (("mine", "q.jsonl", "notes", "-o", "e.jsonl"), "opendpr mine notes q.jsonl -o e.jsonl"),
        (("train", "answering", "q.jsonl", "notes", "-o", "m"), "opendpr train answering notes q.jsonl"),
        (("train", "encoder", "notes", "-o", "m"), "'opendpr mine notes QUESTIONS -o examples.jsonl' makes one"),
        (("train", "reader", "notes", "-o", "m"), "then 'opendpr train reader examples.jsonl -o OUTPUT'"),
        (("ask", QUESTION, "notes"), f"opendpr ask notes '{QUESTION}'"),
        (("search", *QUESTION.split(), "notes"), "opendpr search notes Who built the pier of 'Orvik?'"),
        (("ask", "why " * 2_000, "notes"), "opendpr ask notes 'why"),
        (("ask", "q.jsonl", "notes"), "'q.jsonl' is a file and 'notes' a collection"),
        (("search", "notes", "q.jsonl"), "'opendpr evaluate notes q.jsonl'"),
        (("ask", "notes", "q.txt"), "'opendpr ask notes - < q.txt'"),
        (("ask", "notes", QUESTION, "Where is Caen?"), "'opendpr ask notes - < FILE'"),
        (
            ("search", "notes", "q.txt"),
            "give 'opendpr search notes QUESTION' again for each; 'opendpr ask notes - < q.txt'",
        ),
        (("search", "notes", "Who?", "Why?"), "give 'opendpr search notes QUESTION' again for each"),
        (("search", "notes", "Who?", "Why?"), "got 2 questions, 'Who?', 'Why?', and one can be asked at a time"),
    ],
    ids=lambda value: " ".join(value)[:40] if isinstance(value, tuple) else "",
)
def test_the_right_command_is_said(place: Path, arguments: tuple[str, ...], message: str, run: Run) -> None:
    done = run(*arguments, cwd=place)
    assert done.returncode == 2, done.stderr
    assert message in done.stderr
    assert done.stderr.count("\n") == 1
    assert not {path.name for path in place.iterdir()} - {"notes", "q.jsonl", "q.txt", "docs"}


@pytest.mark.parametrize(
    "arguments",
    [("notes", "who", "built", "the pier"), ("notes", "pier of Orvik"), ("notes", "docs"), ("notes", "q.txt?")],
    ids=" ".join,
)
def test_what_may_be_a_question_is_searched_for(place: Path, arguments: tuple[str, ...], run: Run) -> None:
    done = run("search", *arguments, "-r", "bm25", cwd=place)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("verb", "keywords"), [("evaluate", {}), ("mine", {}), ("fit_answering", {"output": "m"})], ids=["e", "m", "f"]
)
def test_python_says_the_right_call(
    place: Path, verb: str, keywords: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(place)
    with pytest.raises(UsageError, match=rf"the collection comes first: opendpr\.{verb}\('notes', 'q\.jsonl'\)"):
        getattr(opendpr, verb)("q.jsonl", ["notes"], **keywords)


def test_a_folder_where_a_file_is_expected_is_called_one(place: Path, run: Run) -> None:
    done = run("export", "questions", "docs", "--format", "dpr", "-o", "out", cwd=place)
    assert done.returncode == InputError.exit_code
    assert "docs is a directory, expected a file" in done.stderr
