"""What a set promises wherever its members are: in this process, or behind a wire as on another machine."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from conftest import write_documents

import opendpr
from opendpr.answering.pipeline import Answerer
from opendpr.collection import Collection, open_collection, open_writer
from opendpr.collection.backup import write_backup
from opendpr.collection.listing import Listing, count_documents, list_documents, shared_values
from opendpr.collection.lookup import outlines, pieces, sample_outlines
from opendpr.collection.members import Request
from opendpr.collection.selection import matching, metadata_keys
from opendpr.collection.set_manifest import member_name, member_of, read_manifest
from opendpr.collection.where import compile_where
from opendpr.errors import BusyError, StateError
from opendpr.maintenance.divide import divide
from opendpr.search.opened_member import OpenedMember
from opendpr.search.stored import RemovedError
from wired import open_wired

DOCUMENTS, WORDS, MEMBERS = 24, 350, 3
QUESTIONS = ("lo1 ri2", "sum3 ama4 con9 document7", "dol5")
FILTER = "path like '%1%'"
OPENED: dict[str, Callable[[Path], Collection]] = {"here": open_collection, "there": open_wired}
IDS = ["003.txt", "007.txt", "no such.txt"]
READINGS: dict[str, Callable[[Collection], object]] = {
    "counts": lambda notes: notes.counts(),
    "passages": lambda notes: notes.passages([1, 5, 9, 10_000]),
    "passage ids": lambda notes: notes.passage_ids(list(notes.passages([1, 2, 30]).values())),
    "document": lambda notes: notes.document("013.txt"),
    "has document": lambda notes: [notes.has_document(id) for id in IDS],
    "encoder": lambda notes: notes.require_encoder().fingerprint,
    "outlines": lambda notes: outlines(notes, IDS),
    "pieces": lambda notes: sorted(pieces(notes, IDS)),
    "sample": lambda notes: len(sample_outlines(notes, 5)),
    "matching": lambda notes: matching(notes, compile_where(FILTER)).tolist(),
    "keys": metadata_keys,
    "list": lambda notes: list_documents(notes, Listing("1"), limit=7, after="002.txt", skip=1),
    "count": lambda notes: count_documents(notes, Listing("1")),
    "shared": shared_values,
}
"""What a service reads, which is the same of one collection and of each form of the set."""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, tiny_model: Path) -> Path:
    """A folder with a collection, and the set that it was divided into."""
    folder = tmp_path_factory.mktemp("members")
    documents = write_documents(folder / "docs", DOCUMENTS, WORDS)
    opendpr.add(folder / "wiki", documents, model=str(tiny_model))
    with open_writer(folder / "wiki") as writer:
        divide(writer, folder / "wiki-set", MEMBERS)
    return folder


@pytest.fixture
def both(made: Path, tmp_path: Path) -> Path:
    """The same, to be changed."""
    for name in ("wiki", "wiki-set"):
        shutil.copytree(made / name, tmp_path / name)
    return tmp_path


@pytest.fixture(params=OPENED)
def open_set(request: pytest.FixtureRequest) -> Callable[[Path], Collection]:
    return OPENED[request.param]


def found(answerer: Answerer, where: str | None = None) -> list[object]:
    """Lists and scores of all retrievers, to the last bit."""
    return [
        [(hit.passage, hit.score, hit.parts) for hit in hits]
        for kind in ("dense", "bm25", "hybrid")
        for hits in answerer.retrieve(QUESTIONS, 15, where, retriever=kind)
    ]


def found_in(opened: Collection, where: str | None = None) -> list[object]:
    with opened:
        return found(Answerer(opened), where)


@pytest.mark.parametrize("where", [None, FILTER, "path = 'nowhere'"])
def test_lists_and_scores_are_those_of_one_collection(
    made: Path, open_set: Callable[[Path], Collection], where: str | None
) -> None:
    assert found_in(open_set(made / "wiki-set"), where) == found_in(open_collection(made / "wiki"), where)


@pytest.mark.parametrize("reading", READINGS)
def test_what_is_read_is_that_of_one_collection(
    made: Path, open_set: Callable[[Path], Collection], reading: str
) -> None:
    read = READINGS[reading]
    with open_collection(made / "wiki") as one, open_set(made / "wiki-set") as several:
        assert read(several) == read(one)


def test_answers_and_words_around_passages_are_those_of_one_collection(
    made: Path, open_set: Callable[[Path], Collection]
) -> None:
    asked = []
    for opened in (open_collection(made / "wiki"), open_set(made / "wiki-set")):
        with opened:
            asked.append([outcome.answers for outcome in Answerer(opened).ask(list(QUESTIONS))])
    assert asked[0] == asked[1]


def test_an_unknown_document_is_refused_with_one_like_it(made: Path, open_set: Callable[[Path], Collection]) -> None:
    with open_set(made / "wiki-set") as several, pytest.raises(opendpr.InputError, match=r"did you mean '023\.txt'"):
        several.document("03.txt")


def test_changes_are_taken_up(both: Path, open_set: Callable[[Path], Collection], other_model: Path) -> None:
    one, several = both / "wiki", both / "wiki-set"
    with open_collection(one) as plain, open_set(several) as opened:
        before, after = Answerer(plain), Answerer(opened)
        assert found(after) == found(before)
        more = write_documents(both / "more", 5, WORDS, seed=5)
        for collection in (one, several):
            opendpr.add(collection, more)
            with opendpr.open(collection) as notes:
                notes.remove(["004.txt"])
                notes.optimize()  # statistics forget it
        assert found(after) == found(before)
        assert after.version > 0
        assert not after.collection.has_document("004.txt")


def test_a_copy_in_the_place_of_a_member_is_taken_up(both: Path, open_set: Callable[[Path], Collection]) -> None:
    member = both / "wiki-set" / member_name(1)
    with open_set(both / "wiki-set") as opened:
        answerer = Answerer(opened)
        before = found(answerer)
        with open_collection(member) as own:
            write_backup(own, both / "copy")
        shutil.rmtree(member)
        shutil.copytree(both / "copy", member)
        assert found(answerer) == before


@pytest.fixture
def member(both: Path) -> tuple[Path, str]:
    """The directory and the id of a member."""
    manifest = read_manifest(both / "wiki-set")
    return both / "wiki-set" / member_name(0), manifest.members[0]


def test_another_collection_in_the_place_of_a_member_is_refused_by_its_id(member: tuple[Path, str]) -> None:
    directory, id = member
    with pytest.raises(StateError, match=f"{directory} is another collection"):
        OpenedMember(directory, "0" * 32)
    opened = OpenedMember(directory, id)
    shutil.rmtree(directory)
    shutil.copytree(directory.with_name(member_name(1)), directory)
    with pytest.raises(StateError, match=f"{directory} is another collection"):
        opened.run(Request("collection", None, Collection.version, (), {}))


def test_a_member_that_is_gone_is_missing_until_it_is_back(member: tuple[Path, str], tmp_path: Path) -> None:
    directory, id = member
    opened = OpenedMember(directory, id)
    version = Request("collection", None, Collection.version, (), {})
    before = opened.run(version)
    directory.rename(tmp_path / "away")
    with pytest.raises(BusyError, match=f"{directory}/collection.db is gone"):
        opened.run(version)
    (tmp_path / "away").rename(directory)
    assert opened.run(version) == before


@pytest.fixture
def changed(member: tuple[Path, str]) -> Iterator[Callable[[], None]]:
    """Removes a document of the member each time."""
    directory, _ = member
    several = directory.parent
    ids = iter([id for id in (f"{number:03}.txt" for number in range(DOCUMENTS)) if member_of(id, MEMBERS) == 0])

    def change() -> None:
        with opendpr.open(several) as notes:
            notes.remove([next(ids)])

    yield change


def test_the_state_asked_for_is_searched_as_long_as_it_is_loaded_and_no_other(
    member: tuple[Path, str], changed: Callable[[], None]
) -> None:
    opened = OpenedMember(*member)

    def length(version: object) -> object:
        return opened.run(Request("vectors", version, len, (), {}))

    def newest() -> object:
        return opened.run(Request("collection", None, Collection.version, (), {}))

    first = newest()
    whole = length(first)
    changed()
    assert length(first) == whole
    second = newest()
    assert length(second) < whole
    with pytest.raises(RemovedError):
        length(first)
