"""A file that cannot be read is reported once, remembered, and read again when it has changed."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from conftest import Run

from opendpr.collection import open_collection
from opendpr.collection.files import unread_files
from opendpr.corpus import Corpus
from opendpr.maintenance.add import AddReport, AddSettings, add

WITHOUT_VECTORS = AddSettings(vectors=False)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    directory = tmp_path / "files"
    directory.mkdir()
    (directory / "notes.txt").write_text("The bell was cast in 1712.")
    (directory / "broken.docx").write_bytes(b"no archive")
    (directory / "empty.txt").write_text(" \n")
    return directory


def added(folder: Path) -> AddReport:
    return add(folder.parent / "collection", Corpus([folder]), WITHOUT_VECTORS)


def names(places: list) -> list[str]:
    return [Path(entry.place).name for entry in places]


def test_a_file_that_was_skipped_is_not_read_again_while_it_is_the_same(folder):
    first, second = added(folder), added(folder)
    assert (names(first.skipped), first.skipped_before) == (["broken.docx", "empty.txt"], [])
    assert (second.skipped, names(second.skipped_before)) == ([], ["broken.docx", "empty.txt"])
    with open_collection(folder.parent / "collection") as collection:
        reasons = {Path(entry.file.path).name: entry.reason for entry in unread_files(collection)}
    assert reasons["empty.txt"] == "no text"
    assert reasons["broken.docx"].startswith("damaged")


def test_a_file_that_has_changed_is_read_again_and_forgotten_once_it_is_a_document(folder):
    added(folder)
    (folder / "empty.txt").write_text("It weighs two tons.")
    (folder / "broken.docx").write_bytes(b"still no archive")
    report = added(folder)
    assert (names(report.skipped), report.skipped_before) == (["broken.docx"], [])
    assert report.documents == {"added": 1, "unchanged": 1}
    with open_collection(folder.parent / "collection") as collection:
        assert [Path(entry.file.path).name for entry in unread_files(collection)] == ["broken.docx"]


def test_a_document_whose_file_is_broken_now_stays_in_a_folder_in_sync(folder):
    (folder / "empty.txt").write_text("It weighs two tons.")
    added(folder)
    (folder / "empty.txt").write_text("")
    for _ in range(2):
        report = add(folder.parent / "collection", Corpus([folder]), AddSettings(vectors=False, sync=[folder]))
        assert report.documents["removed"] == 0


def test_the_command_says_it_once_and_info_says_why(run, folder):
    first, second = (run("add", folder.parent / "c", folder, "--no-vectors") for _ in range(2))
    assert (first.returncode, second.returncode) == (3, 3)
    assert f"skipped {folder / 'empty.txt'}: no text" in first.stderr
    assert "2 files skipped as before; 'opendpr info" in second.stderr
    assert "no text" not in second.stderr
    shown = run("info", folder.parent / "c").stdout
    assert "not read: 2 files\n" in shown
    assert f"  {folder / 'empty.txt'}: no text\n" in shown


def test_before_an_answer_from_a_folder_they_are_named_once_and_then_counted(run, folder):
    first, second = (run("list", folder) for _ in range(2))
    assert f"skipped {folder / 'empty.txt'}: no text" in first.stderr
    assert "empty.txt" not in second.stderr
    assert f"2 files skipped as before; 'opendpr info {folder}' shows why" in second.stderr


def test_what_lists_the_other_skipped_files_of_a_folder_has_them(run, folder):
    for name in "abcd":
        (folder / f"{name}.txt").write_text("")
    assert f"... and 3 files more; 'opendpr info {folder} --json' lists all\n" in run("list", folder).stderr
    unread = json.loads(run("info", folder, "--json").stdout)["unread"]
    assert sorted(Path(entry["path"]).name for entry in unread) == [
        *("a.txt", "b.txt", "broken.docx", "c.txt", "d.txt", "empty.txt")
    ]
    (folder / "rows.jsonl").write_text('{"id": "row", "text": "A row."}\n' + '{"id": 2}\n' * 3)
    (folder / "more.jsonl").write_text('{"id": "more", "text": "A row."}\n{"id": 2}\n')
    assert f"'opendpr add COLLECTION {folder} --no-vectors --json' lists all" in run("list", folder).stderr


def test_text_of_windows_is_counted_and_named_by_the_command(run, folder):
    (folder / "latin.txt").write_bytes("Café Linnéa opened in 1921.".encode("cp1252"))
    result = run("add", folder.parent / "c", folder, "--no-vectors")
    line = "read as Windows-1252, as they are not UTF-8: 1 document (Café in latin.txt); where a word is wrong, convert"
    assert line in result.stderr


def test_words_show_in_which_documents_of_any_kind_the_encoding_was_wrong(run, tmp_path):
    words, files = "The mayor of Győr opened it.", tmp_path / "files"
    files.mkdir()
    records = f'{{"text": "All of it is ASCII."}}\n{{"text": "{words}"}}\n'
    contents = {"a.txt": words, "b.html": f"<p>{words}</p>", "c.jsonl": records, "d.md": words}
    for name, content in contents.items():
        (files / name).write_bytes(content.encode("cp1250"))
    result = run("add", tmp_path / "c", files, "--no-vectors", "--json")
    report = json.loads(result.stdout)
    assert (report["western"], report["western_words"]) == (5, dict.fromkeys(["a.txt", "b.html", "c.jsonl:2"], "Gyõr"))


def test_an_id_can_be_given_as_the_list_shows_it(run, tmp_path):
    (tmp_path / "odd.jsonl").write_text(
        '{"id": "nl\\nx", "text": "Cast in 1712."}\n{"id": "b\\\\nx", "text": "Old."}\n'
    )
    add(tmp_path / "c", Corpus([tmp_path / "odd.jsonl"]), WITHOUT_VECTORS)
    assert run("show", tmp_path / "c", "nl\\nx").stdout == "Cast in 1712.\n"
    assert run("show", tmp_path / "c", "b\\nx").stdout == "Old.\n"
    assert run("remove", tmp_path / "c", "nl\\nx").returncode == 0


def test_a_filter_that_nothing_meets_shows_what_ids_and_paths_look_like(run, folder):
    add(folder.parent / "c", Corpus([folder]), WITHOUT_VECTORS)
    result = run("search", folder.parent / "c", "bell", "-r", "bm25", "--where", "path = 'notes.txt'")
    assert f"for instance id = 'notes.txt', path = '{folder / 'notes.txt'}'" in result.stderr


def test_a_name_that_is_not_utf_8_is_skipped_with_what_to_do_each_time(tmp_path: Path, run: Run) -> None:
    folder = tmp_path / "docs"
    folder.mkdir()
    (folder / "good.txt").write_text("the wall")
    with open(os.fsencode(folder) + b"/caf\xe9.txt", "w") as file:
        file.write("the café")
    for _ in range(2):
        done = run("add", tmp_path / "notes", folder, "--no-vectors")
        assert done.returncode == 3, done.stderr
        assert r"caf\udce9.txt: its path is not valid UTF-8; rename it" in done.stderr
    assert "good.txt" in run("list", tmp_path / "notes").stdout
