"""What the reading of a corpus yields: each thing once, in the order in which it is found."""

import os
from pathlib import Path

from corpora import read_corpus
from opendpr.corpus import Corpus, Skipped
from opendpr.corpus.events import FileRead, Ignored, SkippedBefore, Unchanged, event_batches
from opendpr.corpus.known import KnownFile
from opendpr.types import Document


class History:
    """A history of files that were read once."""

    def __init__(self, files_read: list[FileRead]) -> None:
        self.files = [file for file, problem in files_read if not problem]
        self.problems = {file.path: problem for file, problem in files_read if problem}

    def known_files(self, path: str) -> list[KnownFile]:
        return [file for file in self.files if file.path == path]

    def known_problem(self, path: str, status: object, how: str) -> str | None:
        return self.problems.get(path)

    def repeated_lines(self, folder: str) -> list[str]:
        return []


def folder_of_each_kind(folder: Path) -> Path:
    for name, text in {"a.txt": "words", "b.txt": " ", "c.png": "", "d.html": "<p>page"}.items():
        (folder / name).write_text(text)
        os.utime(folder / name, (1_000_000_000, 1_000_000_000))  # long settled, however slow the machine is
    return folder


def test_a_file_is_to_be_remembered_right_after_what_was_found_in_it(tmp_path):
    events = list(Corpus([folder_of_each_kind(tmp_path)]).events())
    kinds = [Document, FileRead, Skipped, FileRead, Ignored, Document, FileRead]
    assert [type(event) for event in events] == kinds
    read = {event.file.id: event.problem for event in events if isinstance(event, FileRead)}
    (reason,) = (event.reason for event in events if isinstance(event, Skipped))
    assert read == {"a.txt": "", "b.txt": reason, "d.html": ""}


def test_what_is_remembered_of_files_is_not_read_again(tmp_path):
    corpus = Corpus([folder_of_each_kind(tmp_path)])
    first = read_corpus(corpus)
    events = list(corpus.events(History(first.files_read)))
    assert [type(event) for event in events] == [Unchanged, SkippedBefore, Ignored, Unchanged]
    assert [event.skipped for event in events if isinstance(event, SkippedBefore)] == first.skipped
    assert read_corpus(corpus) == first


def test_a_batch_ends_with_its_last_document(tmp_path):
    batches = list(event_batches(Corpus([folder_of_each_kind(tmp_path)]).events(), 1))
    assert [[document.id for document in batch.documents] for batch in batches] == [["a.txt"], ["d.html"], []]
    assert [[file.file.id for file in batch.files_read] for batch in batches] == [[], ["a.txt", "b.txt"], ["d.html"]]
