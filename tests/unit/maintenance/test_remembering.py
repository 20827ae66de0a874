"""Files that are as they were are not read again, and a file known by another id is moved, not doubled."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from opendpr.collection import open_collection, open_writer
from opendpr.corpus import Corpus
from opendpr.maintenance.add import AddReport, add_documents

OLD = 1_600_000_000


def write(path: Path, text: str, seconds: int = OLD) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    os.utime(path, (seconds, seconds))
    return path


class CountingCorpus(Corpus):
    """A corpus that counts the files it opens."""

    opened = 0

    def _read(self, *arguments, **named):
        self.opened += 1
        return super()._read(*arguments, **named)


def added(directory: Path, *paths: Path, **options) -> tuple[AddReport, int]:
    corpus = CountingCorpus(paths, **options)
    with open_writer(directory) as writer:
        report = add_documents(writer, corpus, None)
    return report, corpus.opened


@pytest.fixture
def docs(tmp_path):
    for name in ("a.txt", "below/b.txt", "c.md"):
        write(tmp_path / "docs" / name, f"the words of {name}")
    assert added(tmp_path / "notes", tmp_path / "docs")[1] == 3
    return tmp_path / "docs"


def ids(directory: Path) -> list[str]:
    with open_collection(directory) as collection:
        return [summary.id for summary in collection.summaries()]


def test_unchanged_files_are_not_read_again(docs, tmp_path):
    report, opened = added(tmp_path / "notes", docs)
    assert (dict(report.documents), opened) == ({"unchanged": 3}, 0)
    assert added(tmp_path / "notes", docs, metadata={"year": 2020})[1] == 3


def test_a_file_of_another_time_is_known_by_its_content_and_its_time_is_noted(docs, tmp_path):
    os.utime(docs / "a.txt", (OLD + 5, OLD + 5))
    assert added(tmp_path / "notes", docs)[1] == 0
    with open_collection(tmp_path / "notes") as collection:
        assert collection.document("a.txt").metadata["modified"] == "2020-09-13T12:26:45+00:00"


def test_a_changed_file_is_read_again_though_its_size_is_the_same(docs, tmp_path):
    write(docs / "a.txt", "the WORDS of a.txt", OLD + 9)
    report, opened = added(tmp_path / "notes", docs)
    assert (dict(report.documents), opened) == ({"replaced": 1, "unchanged": 2}, 1)


def test_a_document_that_was_removed_is_read_again(docs, tmp_path):
    with open_writer(tmp_path / "notes") as writer:
        writer.remove_documents(["a.txt"])
    assert added(tmp_path / "notes", docs)[1] == 1
    assert ids(tmp_path / "notes") == ["a.txt", "below/b.txt", "c.md"]


def test_a_file_known_by_another_id_is_moved_with_its_passages(docs, tmp_path):
    report, opened = added(tmp_path / "notes", tmp_path / "docs" / "below")
    assert (opened, [tuple(moved) for moved in report.moved]) == (0, [("below/b.txt", "b.txt")])
    assert ids(tmp_path / "notes") == ["a.txt", "b.txt", "c.md"]


def test_a_changed_file_known_by_another_id_is_moved_too(docs, tmp_path):
    write(docs / "below" / "b.txt", "other words", OLD + 9)
    report, opened = added(tmp_path / "notes", docs / "below")
    assert (opened, [tuple(moved) for moved in report.moved]) == (1, [("below/b.txt", "b.txt")])
    assert ids(tmp_path / "notes") == ["a.txt", "b.txt", "c.md"]
