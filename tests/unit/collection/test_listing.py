"""Documents found by words, by a filter, in pages; what they share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from opendpr.collection import Collection, open_collection, open_writer
from opendpr.collection.listing import Listing, SharedValue, count_documents, list_documents, shared_values
from opendpr.errors import UsageError
from opendpr.types import Document

DOCUMENTS = (
    Document("a.pdf", "Harbour of Orvik", "The pier.", {"source": "manual", "year": 1931, "draft": True}),
    Document("b/100%_sure.md", "Übersicht", "The lamp.", {"source": "manual", "year": 1902}),
    Document("b/1000 sure.md", "Keepers", "The keepers.", {"source": "letter", "tags": ["x"]}),
    Document("c", "", "No title."),
)


@pytest.fixture
def collection(tmp_path: Path) -> Iterator[Collection]:
    with open_writer(tmp_path / "notes") as writer:
        writer.put_documents(DOCUMENTS)
    with open_collection(tmp_path / "notes") as opened:
        yield opened


def ids(collection: Collection, words: str = "", where: str = "") -> list[str]:
    listing = Listing(words, where)
    listed = [summary.id for summary in list_documents(collection, listing, limit=100)]
    assert count_documents(collection, listing) == len(listed)
    return listed


def test_words_are_found_in_ids_and_titles_whatever_their_capitals(collection: Collection) -> None:
    assert ids(collection) == sorted(document.id for document in DOCUMENTS)
    assert ids(collection, "ORVIK") == ["a.pdf"]
    assert ids(collection, "übersicht") == ["b/100%_sure.md"]
    assert ids(collection, "b/ sure") == ["b/100%_sure.md", "b/1000 sure.md"]
    assert ids(collection, "100%_") == ["b/100%_sure.md"]
    assert ids(collection, "orvik keepers") == []
    assert ids(collection, "'; DROP TABLE documents --") == []


def test_words_and_a_filter_are_both_met(collection: Collection) -> None:
    assert ids(collection, "", "source = 'manual'") == ["a.pdf", "b/100%_sure.md"]
    assert ids(collection, "harbour", "source = 'manual' and year > 1900") == ["a.pdf"]
    assert ids(collection, "", "id like '%.md'") == ["b/100%_sure.md", "b/1000 sure.md"]
    with pytest.raises(UsageError, match="expected"):
        ids(collection, "", "year >")


def test_a_list_is_cut_into_pages(collection: Collection) -> None:
    every = ids(collection)
    pages = [list_documents(collection, Listing(), limit=2, skip=skip) for skip in (0, 2, 4)]
    assert [[summary.id for summary in page] for page in pages] == [every[:2], every[2:], []]
    after = list_documents(collection, Listing(), limit=2, after=every[1])
    assert [summary.id for summary in after] == every[2:]
    assert (after[1].passages, after[1].characters) == (1, len("No title."))


def test_values_that_documents_share_are_counted(collection: Collection) -> None:
    values = shared_values(collection)
    assert values[:2] == [SharedValue("", ".md", 2), SharedValue("source", "manual", 2)]
    assert SharedValue("draft", True, 1) in values
    assert SharedValue("year", 1931, 1) in values
    assert not [shared for shared in values if shared.key == "tags"]
