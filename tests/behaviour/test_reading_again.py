"""Unchanged files that are read again: by a version that reads otherwise, and those with rows that are no records."""

from __future__ import annotations

from pathlib import Path

from opendpr.collection import open_collection, open_writer
from opendpr.corpus import Corpus
from opendpr.maintenance.add import AddReport, AddSettings, add

ROWS = "id,text\n1,The bell was cast in 1712.\n2\n3,x,y\n,z\n5,\n"


def added(folder: Path) -> AddReport:
    return add(folder.parent / "collection", Corpus([folder]), AddSettings(vectors=False))


def titles(folder: Path) -> list[str]:
    with open_collection(folder.parent / "collection") as collection:
        return [passage.title for passage in collection.passages_after(0)]


def age(collection: Path) -> None:
    """Make a collection what an older version left: other readings, and paths of headings with another sign."""
    with open_writer(collection) as writer:
        for change in (
            "files SET how = 'older'",
            "unread_files SET how = 'older', reason = 'not known then'",
            "passage_titles SET title = replace(title, ' > ', ' / ')",
        ):
            writer.change(f"UPDATE {change}", [()])


def test_a_collection_of_an_older_version_reads_unchanged_files_again_and_renews_their_titles(tmp_path):
    folder = tmp_path / "files"
    folder.mkdir()
    (folder / "guide.md").write_text("# Guide\n\n## Ports\n\nThe default port is 8080.\n")
    (folder / "notes.txt").write_text("The bell was cast in 1712.")
    (folder / "empty.txt").write_text(" ")
    added(folder)
    expected = titles(folder)
    assert "Guide > Ports" in expected
    age(folder.parent / "collection")
    assert "Guide / Ports" in titles(folder)
    report = added(folder)
    assert report.documents == {"replaced": 1, "unchanged": 1}
    assert [entry.reason for entry in report.skipped] == ["no text"]
    assert sorted(titles(folder)) == sorted(expected)
    again = added(folder)
    assert (again.documents, len(again.skipped_before)) == ({"unchanged": 2}, 1)


def test_bad_rows_are_reported_each_time_with_their_lines_their_number_and_the_reasons(run, tmp_path):
    (tmp_path / "rows.csv").write_text(ROWS)
    (tmp_path / "rows.jsonl").write_text('{"text": "It weighs two tons."}\n{bad\n')
    for _ in range(2):
        result = run("add", tmp_path / "c", tmp_path / "rows.csv", tmp_path / "rows.jsonl", "--no-vectors")
        assert result.returncode == 3
        assert f"skipped 4 rows of {tmp_path / 'rows.csv'}, as {tmp_path / 'rows.csv'}:3: expected 2" in result.stderr
        assert f"skipped {tmp_path / 'rows.jsonl'}:2: not valid JSON" in result.stderr


def test_files_without_a_record_are_reported(run, tmp_path):
    folder = tmp_path / "files"
    folder.mkdir()
    for name, content in {"a.jsonl": "\n\n", "b.csv": "id,text\n", "c.txt": "The bell."}.items():
        (folder / name).write_text(content)
    first, second = added(folder), added(folder)
    assert [(Path(entry.place).name, entry.reason) for entry in first.skipped] == [
        ("a.jsonl", "no records"),
        ("b.csv", "no records"),
    ]
    assert len(second.skipped_before) == 2
