"""Input that cannot work: a message, an exit code, and nothing lost."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import apsw
import pytest
from conftest import contents, write_documents

from opendpr.collection import open_collection
from opendpr.collection.database import DATABASE
from refusals import QUESTION, forbid, make_letters, refused, without_root_privileges

__all__ = ["forbid"]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, tiny_model: Path) -> Path:
    """The collection, made once."""
    return make_letters(tmp_path_factory.mktemp("made"), tiny_model)


@pytest.fixture
def notes(made: Path, tmp_path: Path) -> Path:
    """A copy of the collection for one test."""
    shutil.copytree(made, tmp_path / "notes")
    return tmp_path / "notes"


# Documents


def test_a_folder_without_documents_is_bad_input(run, tmp_path, tiny_model):
    (tmp_path / "empty").mkdir()
    refused(run("add", tmp_path / "new", tmp_path / "empty", "-m", tiny_model), 3, "found no documents in", "empty")
    refused(run("ask", tmp_path / "empty", QUESTION, "-m", tiny_model), 3, "found no documents in", ".txt .md .html")


def test_a_path_that_is_not_there_leaves_no_collection_behind(run, tmp_path, tiny_model):
    refused(run("add", tmp_path / "new", tmp_path / "nothing.txt", "-m", tiny_model), 3, "nothing.txt")
    assert not (tmp_path / "new").exists()


def test_a_first_add_that_finds_nothing_leaves_no_collection_behind(run, tmp_path, tiny_model):
    for folder, name, content in (("blank", "blank.txt", b" \n"), ("program", "program", b"\x7fELF\0")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / name).write_bytes(content)
        refused(run("add", "notes/new", folder, "-m", tiny_model, cwd=tmp_path), 3, "none")
        assert not (tmp_path / "notes" / "new").exists()
        refused(run("ask", folder, QUESTION, "-m", tiny_model, cwd=tmp_path), 3, "found no documents in")
        assert not list((tmp_path / "cache" / "opendpr" / "folders").iterdir())
    (tmp_path / "mine").mkdir()
    refused(run("add", "mine", "blank", "-m", tiny_model, cwd=tmp_path), 3, "blank.txt: no text")
    assert not list((tmp_path / "mine").iterdir())


def test_what_is_left_out_of_a_folder_is_reported_with_what_to_do(run, tmp_path, tiny_model):
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "README").write_text("Read me.")
    (tmp_path / "docs" / "README.Debian").write_text("Read me on Debian.")
    done = run("add", "notes", "docs", "-m", tiny_model, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "documents: 1 added" in done.stderr
    assert "notes: 1 document, 1 passage\n" in done.stderr
    message = "left out, of other kinds: .debian (1); a text file among them is read if it is named itself: "
    assert f"{message}'opendpr add notes docs FILE'" in done.stderr
    assert "documents: 1 added, 1 unchanged" in run("add", "notes", "docs", "docs/README.Debian", cwd=tmp_path).stderr


def test_passages_longer_than_the_encoder_takes_are_reported_with_what_to_do(run, tmp_path, tiny_model):
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "codes.txt").write_text(" ".join(f"xz{number}qkj" for number in range(100)))
    done = run("add", "notes", "docs", "-m", tiny_model, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    message = "1 passage longer than the encoder takes, their vectors miss the end; "
    assert f"{message}'opendpr add notes docs --words 60 --resplit' cuts all documents into shorter ones" in done.stderr
    done = run("ask", "docs", "xz", "-m", tiny_model, cwd=tmp_path)
    assert f"{message}'opendpr ask docs --words 60' cuts all" in done.stderr
    done = run("add", "notes", "docs", "--words", 36, "--resplit", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "longer than the encoder takes" not in done.stderr


@pytest.fixture
def bad_folder(tmp_path: Path, forbid: Callable[[Path, int], None]) -> Path:
    """One good document among everything that is none."""
    folder = tmp_path / "bad"
    (folder / "below").mkdir(parents=True)
    (folder / "good.txt").write_text("Good words are found.", encoding="utf-8")
    (folder / "secret.txt").write_text("nobody may read this", encoding="utf-8")
    forbid(folder / "secret.txt", 0)
    (folder / "binary.txt").write_bytes(b"\x7fELF\0\0\1\2\3" * 50)
    (folder / "latin.txt").write_bytes("Gr\xfc\xdfe aus Z\xfcrich".encode("latin-1"))
    (folder / "blank.txt").write_text(" \n\t\n", encoding="utf-8")
    (folder / "nothing.md").write_bytes(b"")
    (folder / "picture.png").write_bytes(b"\x89PNG")
    (folder / "dangling.txt").symlink_to("not there")
    (folder / "below" / "loop").symlink_to(folder)
    (folder / "broken.txt.gz").write_bytes(b"\x1f\x8b\x08\0\0\0\0\0cut")
    (folder / "lines.jsonl").write_text(
        '{"id": "twice", "text": "the first one stays"}\n'
        '{"id": "twice", "text": "the second one is refused"}\n'
        '{"id": "no text"}\nnot json\n{"id": "surrogate", "text": "\\ud800"}\n[1]\n',
        encoding="utf-8",
    )
    return folder


def test_what_cannot_become_a_document_is_named_and_the_rest_is_added(run, notes, bad_folder):
    before = contents(notes)
    result = run("add", notes, bad_folder, preexec_fn=without_root_privileges)
    refused(
        result,
        3,
        "3 added",
        "secret.txt: cannot be read: Permission denied",
        "binary.txt: binary file",
        "read as Windows-1252, as they are not UTF-8: 1 document",
        "blank.txt: no text",
        "nothing.md: no text",
        "dangling.txt: cannot be read",
        "broken.txt.gz: cannot be read",
        'lines.jsonl:2: id "twice" was already given by',
        "lines.jsonl:1; an id is there once",
        'lines.jsonl:3: expected "text"',
        "lines.jsonl:4: not valid JSON",
        "skipped 5 rows of",
        ".png (1)",
        "directory link (1)",
    )
    after = contents(notes)
    assert before.items() <= after.items()
    assert {key: after[key][1] for key in after.keys() - before.keys()} == {
        ("good.txt", 0): "Good words are found.",
        ("latin.txt", 0): "Grüße aus Zürich",
        ("twice", 0): "the first one stays",
    }


def test_a_line_of_a_megabyte_is_a_document_like_others(run, tmp_path, tiny_model):
    (tmp_path / "docs").mkdir()
    text = "x" * 1_000_000
    (tmp_path / "docs" / "long.txt").write_text(text, encoding="utf-8")
    (tmp_path / "docs" / "long.jsonl").write_text(f'{{"id": "long line", "text": "{text}"}}\n', encoding="utf-8")
    result = run("add", tmp_path / "notes", tmp_path / "docs", "-m", tiny_model, "--words", "1000")
    assert (result.returncode, "Traceback" in result.stderr) == (0, False)
    with open_collection(tmp_path / "notes") as collection:
        assert collection.document("long.txt").text == collection.document("long line").text == text


# Questions


@pytest.mark.parametrize("question", ["", "   ", "\n\t"])
def test_a_question_without_words_is_refused(run, notes, question):
    refused(run("ask", notes, question), 2, "the question is empty")
    refused(run("search", notes, question), 2, "the question is empty")


def test_a_question_of_5000_words_is_refused_or_cut_but_never_a_crash(run, notes):
    question = " ".join(["letter"] * 5_000)
    refused(run("ask", notes, question), 2, "the question has 34,999 characters, at most 4,096 are taken; shorten it")
    result = run("search", notes, question)
    assert (result.returncode, result.stderr) == (0, "") or result.returncode == 2
    assert "Traceback" not in result.stderr


def test_a_bad_question_among_others_is_reported_and_the_others_are_answered(run, notes):
    result = run("ask", notes, "-", input=f"{QUESTION}\n{'letter ' * 5_000}\n\n{QUESTION}\n")
    assert result.returncode == 0, result.stderr
    lines = result.stdout.splitlines()
    assert len(lines) == 3
    assert lines[0] == lines[2]
    assert '"error": "the question has' in lines[1]


# Collections and models


def test_a_directory_that_is_no_collection_is_refused(run, tmp_path, tiny_model):
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "holiday.jpg").write_bytes(b"...")
    for verb in (["search", QUESTION], ["info"], ["evaluate", os.devnull]):
        done = run(verb[0], tmp_path / "other", *verb[1:])
        refused(done, 3, "found no documents in", str(tmp_path / "other"))
    refused(run("info", "nowhere", cwd=tmp_path), 4, "does not exist", "'opendpr add nowhere FILE...'")
    write_documents(tmp_path / "docs", 1, 10)
    refused(run("add", tmp_path / "other", tmp_path / "docs", "-m", tiny_model), 4, "not a collection")
    for place in ("other/holiday.jpg", "other/holiday.jpg/notes"):
        refused(run("add", tmp_path / place, tmp_path / "docs", "-m", tiny_model), 4, "is a file")
    assert [path.name for path in (tmp_path / "other").iterdir()] == ["holiday.jpg"]
    refused(run("ask", tmp_path / "nowhere", QUESTION), 4, "does not exist")


def test_what_a_collection_taken_back_left_behind_is_not_foreign(run, tmp_path, tiny_model):
    left = tmp_path / "notes" / "collection.db-bm25"
    left.mkdir(parents=True)
    (left / "meta.json").write_text("{}")
    write_documents(tmp_path / "docs", 1, 10)
    assert run("add", tmp_path / "notes", tmp_path / "docs", "-m", tiny_model).returncode == 0


@pytest.mark.parametrize("verb", [["evaluate"], ["mine", "-o", "out.jsonl"], ["train", "answering"]])
def test_a_missing_collection_is_reported_before_a_missing_file_of_questions(run, verb, tmp_path):
    refused(run(*verb, "nowhere", "nothing.jsonl", cwd=tmp_path), 4, "nowhere is not a collection (it does not exist)")


def test_a_missing_folder_is_reported_before_an_empty_question(run, tmp_path):
    refused(run("ask", "nowhere", "", cwd=tmp_path), 4, "'nowhere' does not exist")


def test_evaluate_says_which_files_it_lacks(run, tmp_path):
    refused(run("evaluate", "--compare", "run.jsonl", cwd=tmp_path), 2, "two runs or more, got one, run.jsonl")
    refused(run("evaluate", "notes", cwd=tmp_path), 2, "no file of questions was given to evaluate notes with")


@pytest.mark.parametrize("verb", [["evaluate"], ["mine"]])
@pytest.mark.parametrize("place", ["nowhere/out.jsonl", "/proc/out.jsonl"])
def test_an_output_that_cannot_be_written_is_reported_by_the_name_that_was_given(run, notes, tmp_path, verb, place):
    (tmp_path / "q.jsonl").write_text('{"question": "Who wrote the letter?", "answers": ["Anna"]}\n')
    done = run(*verb, notes, "q.jsonl", "-r", "bm25", "-o", place, cwd=tmp_path)
    refused(done, 1, f"opendpr: {place}: No such file or directory; give a path whose directory is there")


@pytest.mark.parametrize("kind", ["encoder", "reader"])
def test_questions_without_passages_are_to_be_mined_first(run, tmp_path, kind):
    (tmp_path / "pairs.jsonl").write_text('{"question": "Who wrote the letter?", "answers": ["Anna"]}\n')
    done = run("train", kind, "pairs.jsonl", "-o", "model", cwd=tmp_path)
    refused(done, 3, "pairs.jsonl:1: cannot tell what kind of examples", "'opendpr mine COLLECTION FILE")
    assert not (tmp_path / "model").exists()


def test_a_filter_that_cannot_be_understood_is_refused_once_and_not_for_each_question(run, notes):
    refused(run("ask", notes, "-", "--where", "year = =", input="When?\nWho?\n"), 2, "in the filter 'year = ='")


def test_a_collection_of_a_newer_format_is_refused_and_left_alone(run, notes, tmp_path):
    connection = apsw.Connection(str(notes / DATABASE), vfs="cksmvfs")
    connection.execute("UPDATE settings SET value = '2' WHERE key = 'format'")
    connection.close()
    before = (notes / DATABASE).read_bytes()
    docs = write_documents(tmp_path / "docs", 1, 10)
    for arguments in (["ask", notes, QUESTION], ["info", notes], ["add", notes, docs]):
        refused(run(*arguments), 4, "collection of format 2", "reads format 1; install a newer opendpr")
    assert (notes / DATABASE).read_bytes() == before


def test_another_model_than_the_collections_is_refused_by_name(run, notes, other_model, tmp_path):
    before = contents(notes)
    docs = write_documents(tmp_path / "docs", 1, 10)
    for arguments in (["ask", notes, QUESTION], ["search", notes, QUESTION], ["add", notes, docs]):
        refused(run(*arguments, "-m", other_model), 4, "was encoded by", "tiny", "other", "cannot be compared")
    assert contents(notes) == before


def test_an_unknown_model_is_refused_and_leaves_no_collection_behind(run, tmp_path):
    docs = write_documents(tmp_path / "docs", 1, 10)
    for name in ("no-such-model", tmp_path / "no-such-model", docs):
        refused(run("add", tmp_path / "new", docs, "-m", name), 4, str(name))
    assert not (tmp_path / "new").exists()


def test_a_collection_whose_model_is_gone_says_which_one(run, notes, tmp_path, tiny_model):
    connection = apsw.Connection(str(notes / DATABASE), vfs="cksmvfs")
    connection.execute("UPDATE encoders SET model = '/gone/model'")
    connection.close()
    refused(run("ask", notes, QUESTION), 4, "/gone/model")
    assert run("ask", notes, QUESTION, "-m", tiny_model).returncode == 0
