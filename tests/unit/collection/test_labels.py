"""Labels are what SQLite compares, in a form that other stores can hold."""

from __future__ import annotations

import numpy as np

from opendpr.collection import open_writer
from opendpr.collection.labels import LARGEST_LABEL_NUMBER, as_text, exact_number, labels_of
from opendpr.collection.relabelling import note_relabelling, notes_relabelling, relabelled_since
from opendpr.types import Document


def test_labels_are_text_and_number_as_sqlite_has_them(tmp_path):
    metadata = {"n": 1e20, "text": "12.50", "true": True, "none": None, "list": [1, "a"], "nul": "a\0b", "inf": "inf"}
    with open_writer(tmp_path / "notes") as writer:
        writer.put_documents([Document("7", "T", "words", metadata)])
        (labels,) = labels_of(writer, np.array([1])).values()
    assert labels == {
        "id": {"text": "7", "number": 7, "written": True},
        "title": {"text": "T", "written": True},
        "n": {"text": "1.0e+20", "number": 10**20},
        "text": {"text": "12.50", "number": 12.5, "written": True},
        "true": {"text": "1", "number": 1},
        "list": {"text": '[1,"a"]', "written": True},
        "nul": {"text": "a\ufffdb", "written": True},
        "inf": {"text": "inf", "number": LARGEST_LABEL_NUMBER, "written": True},
    }


def test_numbers_and_constants_have_one_form():
    assert [exact_number(number) for number in (2.0, 2.5, -float("inf"), 3)] == [2, 2.5, -LARGEST_LABEL_NUMBER, 3]
    assert [as_text(value) for value in ("x", 2.0, 3, True)] == ["x", "2.0", "3", "1"]


def test_a_document_that_changes_its_labels_alone_is_noted_from_the_first_push_on(tmp_path):
    with open_writer(tmp_path / "notes") as writer:
        writer.put_documents([Document("a", "", "one two", {"n": 1}), Document("b", "", "three", {"n": 1})])
        assert not notes_relabelling(writer)
        note_relabelling(writer)
        before = writer.version().version
        writer.put_documents([Document("b", "", "three", {"n": 2})])
        assert relabelled_since(writer, before).tolist() == [2]
        after = writer.version().version
        writer.put_documents([Document("b", "", "three", {"n": 2})])
        assert relabelled_since(writer, after).tolist() == []
