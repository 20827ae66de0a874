"""Documents out of paths: which files are read, under which ids, in which order."""

import gzip
import os
import socket
import tempfile
from pathlib import Path

import pytest

from corpora import ids, read, read_corpus, skipped_reason, write
from opendpr.corpus import Corpus, Skipped
from opendpr.corpus.unicode_forms import RECOGNISED_BYTES
from opendpr.corpus.walk import GITIGNORED_REASON, HIDDEN_REASON, LOCK_FILE_REASON, PACKAGES_REASON
from opendpr.errors import InputError
from opendpr.types import Document

ADVICE = "an id is there once: give files of the same name with the folder above both, records ids of their own"


# Paths


def test_all_missing_paths_are_named_before_anything_is_read(tmp_path):
    present = write(tmp_path / "here.txt", "x")
    with pytest.raises(InputError) as error:
        Corpus([tmp_path / "one.txt", present, tmp_path / "two.txt"])
    assert "one.txt (No such file or directory)" in str(error.value)
    assert "two.txt" in str(error.value)
    assert "here.txt" not in str(error.value)


def test_an_impossible_path_is_missing_too():
    with pytest.raises(InputError, match="null"):
        Corpus([Path("a\0b")])


def test_a_file_called_minus_is_not_standard_input(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "-", "in the file")
    assert [document.text for document in Corpus([Path("-")])] == ["in the file"]


def test_a_file_given_is_known_by_its_name_and_has_its_path_and_time_as_metadata(tmp_path):
    path = write(tmp_path / "deep" / "note.en.txt", "words")
    os.utime(path, (0, 1_700_000_000.9))
    metadata = {"path": str(path), "modified": "2023-11-14T22:13:20+00:00"}
    assert read(path)[0] == [Document("note.en.txt", "note.en", "words", metadata)]


@pytest.mark.skipif(not os.path.isdir("/dev/shm"), reason="needs a file system that keeps any time")
def test_a_file_of_a_time_that_no_calendar_has_is_read_without_it():
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        path = write(Path(folder) / "note.txt", "words")
        os.utime(path, (0, 1 << 40))
        assert path.stat().st_mtime == 1 << 40
        assert read(path)[0] == [Document("note.txt", "note", "words", {"path": str(path)})]


def test_metadata_given_goes_to_every_document_and_counts(tmp_path):
    write(tmp_path / "a.txt", "x")
    write(tmp_path / "b.jsonl", '{"id": "b", "text": "x", "source": "own", "year": 1}')
    documents = list(Corpus([tmp_path], metadata={"source": "manual"}))
    assert [document.metadata["source"] for document in documents] == ["manual", "manual"]
    assert documents[1].metadata == {"source": "manual", "year": 1, "path": str(tmp_path / "b.jsonl")}


def test_a_relative_path_is_kept_as_an_absolute_one(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "d" / "a.txt", "x")
    assert [document.metadata["path"] for document in Corpus([Path("d")])] == [str(tmp_path / "d" / "a.txt")]


def test_a_file_given_with_an_unknown_suffix_is_plain_text(tmp_path):
    path = write(tmp_path / "server.log", "# not a heading")
    assert [(document.title, document.text) for document in Corpus([path])] == [("server", "# not a heading")]


def test_nothing_given_gives_nothing():
    assert read()[0] == []


# Directories


def test_a_directory_is_walked_in_the_order_of_relative_paths(tmp_path):
    names = ["b.txt", "a/z.txt", "a-b.txt", "a.txt", "a/b/c.md", "B.txt", "é.txt"]
    for name in names:
        write(tmp_path / name, "x")
    assert ids(tmp_path) == sorted(names)


def test_what_nobody_wrote_for_readers_is_left_out_and_counted(tmp_path):
    names = (".hidden.txt", ".git/a.txt", "b/.c/d.txt", "seen.txt", "~$seen.docx", "node_modules/x/a.md")
    for name in (*names, "build/a.txt", "b/notes.tmp.txt"):
        write(tmp_path / name, "x")
    write(tmp_path / ".gitignore", "/build/\n*.tmp.txt\n")
    documents, events = read(tmp_path)
    assert [document.id for document in documents] == ["seen.txt"]
    assert not events.skipped
    assert events.ignored == {HIDDEN_REASON: 4, LOCK_FILE_REASON: 1, PACKAGES_REASON: 1, GITIGNORED_REASON: 2}
    everything = read_corpus(Corpus([tmp_path], all_files=True))
    assert {document.id for document in everything.documents} >= {".git/a.txt", "build/a.txt", "node_modules/x/a.md"}
    assert not everything.ignored


def test_a_file_found_by_two_paths_is_read_once(tmp_path):
    write(tmp_path / "d" / "a.txt", "x")
    documents, events = read(tmp_path, tmp_path / "d")
    assert [document.id for document in documents] == ["d/a.txt"]
    assert events.ignored == {"file given twice": 1}


def test_a_hidden_directory_given_itself_is_read(tmp_path):
    write(tmp_path / ".notes" / "a.txt", "x")
    assert ids(tmp_path / ".notes") == ["a.txt"]


def test_files_of_unknown_kinds_are_counted_and_no_problem(tmp_path):
    for name in ("a.png", "b/c.PNG", "drawing.odg.gz", "program", "a.txt"):
        write(tmp_path / name, b"\0")
    write(tmp_path / "a.txt", "x")
    write(tmp_path / "empty", "")
    documents, events = read(tmp_path)
    assert len(documents) == 1
    assert events.ignored == {".png": 2, ".odg.gz": 1, "": 2}
    assert not events.skipped


def test_files_without_a_suffix_that_begin_as_text_are_plain_text(tmp_path):
    write(tmp_path / "README", "Read me.")
    write(tmp_path / "NEWS.gz", gzip.compress(b"It is new."))
    write(tmp_path / "utf16", "Ünïcode".encode("utf-16"))
    write(tmp_path / "cut", "x" + "ü" * RECOGNISED_BYTES)
    write(tmp_path / "latin", "Grüße".encode("latin-1"))
    write(tmp_path / "late", "é".encode() + b"x" * RECOGNISED_BYTES + b"\xfc")
    documents, events = read(tmp_path)
    assert {document.id: (document.title, document.text) for document in documents if document.id != "cut"} == {
        "README": ("README", "Read me."),
        "NEWS.gz": ("NEWS", "It is new."),
        "utf16": ("utf16", "Ünïcode"),
    }
    assert len(documents) == 4
    assert events.ignored == {"": 1}
    assert [entry.place for entry in events.skipped] == [str(tmp_path / "late")]


def test_links_to_directories_are_counted_and_not_followed(tmp_path):
    write(tmp_path / "d" / "a.txt", "x")
    (tmp_path / "d" / "loop").symlink_to(tmp_path)
    documents, events = read(tmp_path)
    assert [document.id for document in documents] == ["d/a.txt"]
    assert events.ignored == {"directory link": 1}


def test_a_link_to_a_directory_given_itself_is_followed(tmp_path):
    write(tmp_path / "d" / "a.txt", "x")
    (tmp_path / "link").symlink_to(tmp_path / "d")
    assert ids(tmp_path / "link") == ["a.txt"]


def test_links_to_files_are_read_and_broken_ones_skipped(tmp_path):
    write(tmp_path / "d" / "a.txt", "x")
    (tmp_path / "d" / "b.txt").symlink_to("a.txt")
    (tmp_path / "d" / "broken.txt").symlink_to("nowhere")
    (tmp_path / "d" / "self.txt").symlink_to("self.txt")
    documents, events = read(tmp_path / "d")
    assert [document.id for document in documents] == ["a.txt", "b.txt"]
    assert [entry.reason for entry in events.skipped] == [
        "cannot be read: No such file or directory",
        "cannot be read: Too many levels of symbolic links",
    ]


def test_special_files_are_skipped_instead_of_blocking(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # the name of a socket must be short
    os.mkfifo("pipe.txt")
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind("socket")
        documents, events = read(Path("."), Path("pipe.txt"))
    assert documents == []
    assert [entry.place for entry in events.skipped] == ["pipe.txt", "socket", "pipe.txt"]
    assert all("named pipe, socket or device" in entry.reason for entry in events.skipped)


def test_a_very_deep_directory_is_walked(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = "/".join(["d"] * 1_500)
    for _ in range(3):
        os.makedirs("/".join(["d"] * 500))
        os.chdir("/".join(["d"] * 500))
    Path("a.txt").write_text("x")
    os.chdir(tmp_path)
    documents, events = read(Path("."))
    os.unlink(f"{path}/a.txt")
    os.removedirs(path)  # too deep for the clean-up of pytest
    assert documents == []
    assert events.skipped == [Skipped(f"{path}/a.txt", "the id has 3,005 characters; at most 1,000 are allowed")]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_what_may_not_be_read_is_skipped(tmp_path):
    write(tmp_path / "a.txt", "x").chmod(0)
    write(tmp_path / "d" / "b.txt", "x").parent.chmod(0)
    write(tmp_path / "e" / "c.txt", "x").parent.chmod(0o444)
    documents, events = read(tmp_path)
    (tmp_path / "d").chmod(0o755)
    (tmp_path / "e").chmod(0o755)
    assert documents == []
    assert events.skipped == [
        Skipped(str(tmp_path / "a.txt"), "cannot be read: Permission denied"),
        Skipped(str(tmp_path / "d"), "cannot be listed: Permission denied"),
        Skipped(str(tmp_path / "e" / "c.txt"), "cannot be read: Permission denied"),
    ]


def test_permission_denied_is_a_reason(tmp_path, monkeypatch):
    def refuse(path):
        raise PermissionError(13, "Permission denied", str(path))

    path = write(tmp_path / "a.txt", "x")
    monkeypatch.setattr("opendpr.corpus.corpus.open_binary", refuse)
    assert skipped_reason(path) == "cannot be read: Permission denied"


def test_a_file_name_that_is_not_unicode_is_skipped_with_a_place_that_can_be_shown(tmp_path):
    path = os.fsencode(tmp_path) + b"/caf\xe9.txt"
    try:
        with open(path, "wb") as file:
            file.write(b"x")
    except OSError:
        pytest.skip("this file system refuses such names")
    documents, events = read(tmp_path)
    assert documents == []
    assert events.skipped == [Skipped(f"{tmp_path}/caf\\udce9.txt", "its path is not valid UTF-8; rename it")]


# The same id twice


def test_the_second_of_two_equal_ids_is_skipped_and_names_the_first(tmp_path):
    first = write(tmp_path / "a.jsonl", '\n\n{"id": "x", "text": "one"}\n{"id": 1, "text": "one"}\n')
    second = write(tmp_path / "b.jsonl", '{"id": "x", "text": "two"}\n{"id": "1", "text": "two"}\n')
    documents, events = read(tmp_path)
    assert [document.text for document in documents] == ["one", "one"]
    assert events.skipped == [
        Skipped(f"{second}:1", f'id "x" was already given by {first}:3; {ADVICE}'),
        Skipped(f"{second}:2", f'id "1" was already given by {first}:4; {ADVICE}'),
    ]


def test_the_same_relative_path_in_two_directories_is_the_same_id(tmp_path):
    for name in ("one", "two"):
        write(tmp_path / name / "a.txt", name)
    documents, events = read(tmp_path / "one", tmp_path / "two")
    assert [document.text for document in documents] == ["one"]
    assert events.skipped[0].reason == f'id "a.txt" was already given by {tmp_path / "one" / "a.txt"}; {ADVICE}'


def test_an_id_that_was_skipped_is_still_free(tmp_path):
    path = write(tmp_path / "a.jsonl", '{"id": "x", "text": ""}\n{"id": "x", "text": "words"}\n')
    assert [document.text for document in Corpus([path])] == ["words"]


def test_a_second_iteration_starts_afresh(tmp_path):
    write(tmp_path / "a.txt", "x")
    write(tmp_path / "b.txt", "")
    write(tmp_path / "c.png", "")
    corpus = Corpus([tmp_path])
    events = read_corpus(corpus)
    assert read_corpus(corpus) == events
    assert len(events.skipped) == 1
    assert events.ignored == {".png": 1}
