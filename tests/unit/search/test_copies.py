"""The same text twice counts once."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import opendpr
from opendpr.search.copies import without_copies
from opendpr.types import Document, Hit, Passage


def hits(*texts: str) -> list[Hit]:
    return [Hit(Passage(n, f"d{n}", "", text, 0), 100.0 - n) for n, text in enumerate(texts)]


def test_copies_take_one_place_and_are_listed() -> None:
    repeated = hits("a", "b", "a\n", "c", "b", "d")
    (kept,) = without_copies(lambda questions, depth: [repeated[:depth]], ["?"], 3)
    assert [(hit.passage.text, [copy.document_id for copy in hit.copies]) for hit in kept] == [
        ("a", ["d2"]),
        ("b", ["d4"]),
        ("c", []),
    ]


def test_copies_may_differ_in_white_space_capitals_and_emphasis() -> None:
    repeated = hits("The fee is 90.", "The  fee\nis 90.", "THE FEE IS 90.", "The fee is **90**.", "The fee is -90.")
    (kept,) = without_copies(lambda questions, depth: [repeated[:depth]], ["?"], 5)
    assert [len(hit.copies) for hit in kept] == [3, 0]


def test_more_is_searched_for_only_where_copies_fill_the_places() -> None:
    lists = {"many": hits(*["a"] * 30, "b", "c"), "few": hits("a", "b", "c", "d")}
    calls: list[tuple[list[str], int]] = []

    def retrieve(questions: Sequence[str], depth: int) -> list[list[Hit]]:
        calls.append((list(questions), depth))
        return [lists[question][:depth] for question in questions]

    kept = without_copies(retrieve, ["few", "many"], 3)
    assert [[hit.passage.text for hit in row] for row in kept] == [["a", "b", "c"], ["a", "b", "c"]]
    assert len(kept[1][0].copies) == 29
    assert calls == [(["few", "many"], 3), (["many"], 12), (["many"], 48)]


def test_without_others_there_are_fewer() -> None:
    assert [len(row) for row in without_copies(lambda questions, depth: [hits("a", "a", "b")[:depth]], ["?"], 5)] == [2]


def test_thirty_copies_of_a_file_do_not_hide_another(tmp_path: Path) -> None:
    copies = [Document(f"report-{n}", "", "The harbour fee is 90 crowns.") for n in range(30)]
    opendpr.add(tmp_path / "c", [*copies, Document("other", "", "The harbour fee was doubled in May.")], vectors=False)
    distinct = opendpr.open(tmp_path / "c", retriever="bm25").search("harbour fee", 5)
    assert {hit.passage.document_id for hit in distinct} >= {"other"}
    assert sorted(len(hit.copies) for hit in distinct) == [0, 29]
