"""`add --sync` and `--resplit`: a collection kept in sync with a folder, and cut again."""

from __future__ import annotations

import json
import os

import pytest
from conftest import contents

from opendpr.collection import open_collection
from refusals import forbid, refused, without_root_privileges

__all__ = ["forbid"]


@pytest.fixture
def notes(run, tmp_path, tiny_model):
    """A collection of a folder `docs`, and of a document from elsewhere."""
    docs = tmp_path / "docs"
    (docs / "below").mkdir(parents=True)
    for name in ("a.txt", "b.txt", "below/c.txt"):
        (docs / name).write_text(f"the words of {name} " * 10)
    (docs / "lines.jsonl").write_text("".join(json.dumps({"id": f"l{n}", "text": f"line {n}"}) + "\n" for n in "123"))
    (tmp_path / "elsewhere.txt").write_text("not of that folder")
    arguments = [docs, tmp_path / "elsewhere.txt", "-m", tiny_model, "--words", "20"]
    assert run("add", tmp_path / "notes", *arguments).returncode == 0
    return tmp_path / "notes"


def ids(directory):
    with open_collection(directory) as collection:
        return {summary.id for summary in collection.summaries()}


EVERYTHING = {"a.txt", "b.txt", "below/c.txt", "l1", "l2", "l3", "elsewhere.txt"}


def sync(run, notes, *arguments, **keywords):
    return run("add", notes, "docs", "--sync", *arguments, cwd=notes.parent, **keywords)


def test_sync_removes_what_is_gone_from_the_folder_and_nothing_else(run, notes, tmp_path):
    (tmp_path / "docs" / "a.txt").unlink()
    (tmp_path / "docs" / "below" / "c.txt").unlink()
    (tmp_path / "docs" / "lines.jsonl").write_text('{"id": "l2", "text": "line 2"}\n')
    assert ids(notes) == EVERYTHING
    result = sync(run, notes)
    assert result.returncode == 0, result.stderr
    assert "4 removed" in result.stderr
    assert ids(notes) == {"b.txt", "l2", "elsewhere.txt"}
    assert run("search", notes, "a.txt", "--retriever", "bm25", "-k", 50).stdout.count("below") == 0
    assert run("verify", notes).returncode == 0


def test_an_empty_folder_may_be_a_disk_that_is_not_mounted_and_nothing_is_removed(run, notes, tmp_path):
    (tmp_path / "docs").rename(tmp_path / "unmounted")
    (tmp_path / "docs").mkdir()
    refused(sync(run, notes), 3, "docs holds no document", "mounted", "opendpr remove")
    (tmp_path / "docs" / "lost+found").mkdir()
    (tmp_path / "docs" / ".Trash").write_text("hidden")
    (tmp_path / "docs" / "picture.png").write_bytes(b"\0")
    refused(sync(run, notes), 3, "docs holds no document", "mounted", "opendpr remove")
    assert ids(notes) == EVERYTHING


def test_sync_keeps_documents_of_files_that_could_not_be_read(run, notes, tmp_path, forbid):
    (tmp_path / "docs" / "a.txt").write_text("changed, so that it has to be read")
    forbid(tmp_path / "docs" / "a.txt", 0)
    forbid(tmp_path / "docs" / "below", 0)
    (tmp_path / "docs" / "lines.jsonl").write_text('{"id": "l2", "text": "line 2"}\nnot json\n')
    (tmp_path / "docs" / "b.txt").unlink()
    result = sync(run, notes, preexec_fn=without_root_privileges)
    refused(result, 3, "a.txt: cannot be read", "below", "cannot be listed", "1 removed")
    assert ids(notes) == EVERYTHING - {"b.txt"}


def test_a_record_that_names_a_path_of_its_own_is_not_taken_for_a_file_of_the_folder(run, notes, tmp_path):
    (tmp_path / "other.jsonl").write_text('{"id": "own", "text": "a record", "path": "docs/nowhere.txt"}\n')
    assert run("add", notes, tmp_path / "other.jsonl").returncode == 0
    assert sync(run, notes).returncode == 0
    assert ids(notes) == EVERYTHING | {"own"}


def test_without_sync_nothing_is_removed_and_sync_without_a_folder_is_refused(run, notes, tmp_path):
    (tmp_path / "docs" / "a.txt").unlink()
    assert run("add", notes, tmp_path / "docs").returncode == 0
    refused(run("add", notes, tmp_path / "docs" / "b.txt", "--sync"), 2, "--sync needs a directory")
    assert ids(notes) == EVERYTHING


def test_a_change_of_metadata_alone_encodes_nothing(run, notes, tmp_path):
    before = contents(notes)
    os.utime(tmp_path / "docs" / "a.txt", (1, 1))
    result = run("add", notes, tmp_path / "docs", "--metadata", "colour=red", "--json")
    report = json.loads(result.stdout)
    assert report["encoded"] == 0
    assert report["documents"] == {"relabelled": 6}
    assert contents(notes) == before
    assert "a.txt" in run("search", notes, "words", "--where", "colour = 'red' and modified like '1970%'").stdout


def test_resplit_cuts_every_document_anew_and_keeps_the_texts(run, notes, tmp_path):
    with open_collection(notes) as collection:
        texts = {id: collection.document(id) for id in EVERYTHING}
    refused(run("add", notes, tmp_path / "docs", "--words", 7), 2, "--resplit")
    result = run("add", notes, tmp_path / "docs", "--words", 7, "--resplit")
    assert result.returncode == 0, result.stderr
    with open_collection(notes) as collection:
        assert {id: collection.document(id) for id in EVERYTHING} == texts
        assert all(len(passage.text.split()) <= 7 for passage in collection.passages_after(0))
        assert collection.counts()["to_encode"] == 0
    assert run("verify", notes).returncode == 0


def test_a_document_of_the_same_name_from_another_folder_is_told(run, notes, tmp_path):
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "a.txt").write_text("Something else altogether.")
    done = run("add", notes, tmp_path / "other")
    assert done.returncode == 0
    message = f"a.txt of {tmp_path / 'docs' / 'a.txt'} was replaced by that of {tmp_path / 'other' / 'a.txt'}"
    assert message in done.stderr
    again = run("add", notes, tmp_path / "other", "--json")
    assert '"taken": []' in again.stdout
