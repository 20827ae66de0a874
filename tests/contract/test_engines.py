"""What every engine promises: lists and score bits of the exact search; nothing removed, nothing outside the filter."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from milvus_server import milvus_lite
from opendpr.collection import Collection, open_collection, open_writer
from opendpr.collection.backup import write_backup
from opendpr.collection.filters import parse_where
from opendpr.collection.selection import matching
from opendpr.collection.where import compile_where
from opendpr.engines.addresses import Address, parse_address
from opendpr.engines.engine import Engine, Rows, VectorSet
from opendpr.engines.opening import open_engine
from opendpr.errors import StateError
from opendpr.maintenance.engine_check import Differences, compare, note_recall
from opendpr.maintenance.push import push
from opendpr.search.engine_index import EngineIndex, engine_summary, vector_set
from opendpr.search.exact import ExactIndex
from opendpr.search.settings import EngineSettings
from opendpr.search.stored import RemovedError
from opendpr.text.splitting import Splitter
from opendpr.types import Document, Passage
from postgresql_server import PostgresqlServer, postgresql_server

DIM, COUNT, K = 24, 300, 12
FILTERS = [
    None,
    "year >= 2000",
    "year >= 2000 and source = 'manual'",
    "source is null or year = 1990",
    "not source = 'web'",
    "source not in ('web', 'x')",
    "mixed not in (3)",
    "mixed != 3",
    "mixed > 'b'",
    "draft = true",
    "draft >= false",
    "mixed < true",
    "title like 'THE %7'",
    "mixed like '1.5'",
    "big = 1e20",
    "huge > 1e300",
    "tags like '%red%'",
    "id in ('007', '130')",
    "id >= 290",
    "year > 3000",
    "nobody = 'knows'",
]


def document(number: int, generation: int = 0) -> Document:
    """A document of one passage."""
    mixed = [3, "c", 1.5, "1.5", None, True, "ça", 2.0][number % 8]
    metadata = {"year": 1990 + number % 30, "mixed": mixed, "draft": number % 3 == 0, "tags": ["red", number]}
    if number % 5:
        metadata["source"] = "manual" if number % 2 else "web"
    if number % 7 == 0:
        metadata |= {"big": 1e20, "huge": "1e999"}
    return Document(f"{number:03}", f"The title {number}", f"text {number} of {generation}", metadata)


def vectors_for(passages: list[Passage]) -> np.ndarray:
    """Always the same for the same text; every tenth is that of document 0, so that many are equally near."""
    rows = []
    for passage in passages:
        number = int(passage.document_id)
        rows.append(np.random.default_rng(0 if number % 10 == 0 else number).normal(size=DIM))
    return np.array(rows, np.float16).astype(np.float32)


def fill(directory: Path, documents: list[Document]) -> None:
    with open_writer(directory, Splitter(words=50)) as writer:
        row = writer.use_encoder("f" * 64, DIM, model="by hand", runtime="none")
        writer.put_documents(documents)
        for passages in writer.without_vector(row.encoder):
            writer.put_vectors(row, passages, vectors_for(passages))


@pytest.fixture(scope="session")
def two_servers() -> Iterator[list[PostgresqlServer]]:
    with postgresql_server() as first, postgresql_server() as second:
        yield [first, second]


@pytest.fixture(scope="session")
def milvus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The server that OPENDPR_TEST_MILVUS names, else a small one that is started here."""
    if server := os.environ.get("OPENDPR_TEST_MILVUS"):
        yield server
        return
    with milvus_lite(tmp_path_factory.mktemp("milvus")) as address:
        yield address


@pytest.fixture(params=["one server", "two servers", pytest.param("milvus", marks=pytest.mark.slow)])
def address(request: pytest.FixtureRequest) -> str:
    if request.param == "milvus":
        return str(request.getfixturevalue("milvus"))
    servers = request.getfixturevalue("two_servers")
    used = servers if request.param == "two servers" else servers[:1]
    return f"postgresql://postgres@{'+'.join(server.host for server in used)}/postgres"


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    fill(tmp_path / "notes", [document(number) for number in range(COUNT)])
    return tmp_path / "notes"


def opened(collection: Collection, address: str) -> Engine:
    return open_engine(address, vector_set(collection, collection.require_encoder()), writes=True)


def pushed(directory: Path, address: str) -> None:
    with open_collection(directory) as collection:
        engine = opened(collection, address)
        push(collection, engine)
        engine.close()


def differences(directory: Path, address: str) -> Differences:
    with open_collection(directory) as collection:
        engine = opened(collection, address)
        comparison = compare(collection, engine)
        engine.close()
        return comparison


def assert_as_exact(collection: Collection, address: str, where: str | None, k: int = K, place: str = "") -> None:
    """Lists and scores of the engine are those of comparing every vector, to the last bit."""
    numbers, vectors = map(np.concatenate, zip(*collection.vectors(), strict=True))
    shown = ~np.isin(numbers, collection.hidden())
    numbers, vectors = numbers[shown], vectors[shown]
    allowed = None if where is None else matching(collection, compile_where(where))
    questions = np.random.default_rng(7).normal(size=(5, DIM)).astype(np.float32)
    questions[0] = np.random.default_rng(0).normal(size=DIM)
    expected = ExactIndex(numbers, vectors).search(questions, k, allowed)
    index = EngineIndex(collection, EngineSettings(address))
    nearest = index.search(questions, k, None if where is None else parse_where(where))
    np.testing.assert_array_equal(nearest.numbers, expected.numbers, err_msg=f"{where} {place}")
    assert nearest.scores.tobytes() == expected.scores.tobytes()


def test_lists_and_score_bits_are_those_of_the_exact_search(directory: Path, address: str) -> None:
    pushed(directory, address)
    with open_collection(directory) as collection:
        for where in FILTERS:
            assert_as_exact(collection, address, where)
        assert_as_exact(collection, address, None, k=COUNT + 20)


def test_what_changed_is_searched_before_and_after_it_is_pushed(directory: Path, address: str) -> None:
    """Replaced, removed, added, relabelled and renamed documents, and one whose new passages wait for vectors."""
    pushed(directory, address)
    with open_writer(directory) as writer:
        writer.remove_documents([f"{number:03}" for number in range(0, 40, 3)])
        relabelled = document(50)
        writer.put_documents([Document(relabelled.id, relabelled.title, relabelled.text, {"year": 2050})])
        writer.change("UPDATE documents SET id = ? WHERE id = ?", [("999", "060")])
    fill(directory, [document(number, generation=1) for number in range(100, 140)])
    fill(directory, [document(number) for number in range(COUNT, COUNT + 30)])
    with open_writer(directory) as writer:
        writer.put_documents([document(number, generation=2) for number in range(200, 210)])
    for place in ("before", "after"):
        with open_collection(directory) as collection:
            for where in (None, "year = 2050", "id = '999'", "id = '060'", "source = 'manual'", "year < 2000"):
                assert_as_exact(collection, address, where, place=place)
        pushed(directory, address)
        assert not differences(directory, address)


def test_a_search_never_shows_what_is_removed_while_it_is_pushed(directory: Path, two_servers: Any) -> None:
    address = two_servers[0].url
    pushed(directory, address)
    with open_writer(directory) as writer:
        writer.remove_documents(["010", "020"])
    with open_collection(directory) as collection:
        index = EngineIndex(collection, EngineSettings(address))
        with open_writer(directory) as writer:
            writer.remove_documents(["030"])
        with pytest.raises(RemovedError):  # and whoever searches reads again what there is
            index.search(np.ones((1, DIM), np.float32), K)
        removed = {11, 21, 31}
        again = EngineIndex(collection, EngineSettings(address), index.engine)
        assert not removed & set(again.search(np.ones((1, DIM), np.float32), COUNT).numbers[0].tolist())


def test_a_push_that_was_stopped_goes_on(directory: Path, address: str) -> None:
    """An engine that fails at some row: what it holds then is searched rightly, and the next push sends the rest."""
    with open_collection(directory) as collection:
        engine = opened(collection, address)
        with pytest.raises(Stopped):
            push(collection, Stopping(engine, rows=0))
        engine.close()
        assert_as_exact(collection, address, None)
    pushed(directory, address)
    fill(directory, [document(number, generation=1) for number in range(200)])
    with open_collection(directory) as collection:
        engine = opened(collection, address)
        with pytest.raises(Stopped):
            push(collection, Stopping(engine, rows=100))
        engine.close()
        assert_as_exact(collection, address, "year >= 2000")
        assert_as_exact(collection, address, None)
    pushed(directory, address)
    assert not differences(directory, address)


def test_what_another_state_or_another_order_of_servers_left_is_not_used(
    directory: Path, two_servers: list[PostgresqlServer], tmp_path: Path
) -> None:
    first, second = two_servers
    both = f"postgresql://postgres@{first.host}+{second.host}/postgres"
    with open_collection(directory) as collection:
        write_backup(collection, tmp_path / "backup")
    fill(directory, [document(number, generation=1) for number in range(5)])
    pushed(directory, both)
    ask = np.ones((1, DIM), np.float32)
    with open_collection(directory) as collection:
        with pytest.raises(StateError, match="holds share"):
            EngineIndex(collection, EngineSettings(f"postgresql://postgres@{second.host}+{first.host}/postgres"))
        with pytest.raises(StateError, match="holds share"):
            EngineIndex(collection, EngineSettings(first.url))
    with open_collection(tmp_path / "backup") as older, pytest.raises(StateError, match="another state"):
        EngineIndex(older, EngineSettings(both)).search(ask, K)
    pushed(tmp_path / "backup", both)
    with open_collection(tmp_path / "backup") as older:
        assert_as_exact(older, both, None)
    assert not differences(tmp_path / "backup", both)


def test_a_difference_is_found(directory: Path, two_servers: list[PostgresqlServer]) -> None:
    address = two_servers[0].url
    pushed(directory, address)
    with open_collection(directory) as collection:
        engine = opened(collection, address)
        engine.remove(np.array([7]))
        vectors = np.ones((2, DIM), np.float16)
        engine.put(Rows(np.array([9, 5_000]), vectors, [{}, {}]))
        engine.close()
    rows = differences(directory, address)
    assert (rows.missing, rows.extra, rows.different) == ([7], [5_000], [9])
    assert str(rows) == "1 missing (first 7), 1 too many (first 5000), 1 different (first 9)"


def test_recall_is_noted_with_the_vectors(directory: Path, address: str) -> None:
    pushed(directory, address)
    with open_collection(directory) as collection:
        engine = opened(collection, address)
        assert note_recall(collection, engine, ask=None) == {"20": 1.0, "100": 1.0}
        engine.close()
        assert engine_summary(collection, address)["recall"] == {"20": 1.0, "100": 1.0}


def test_passages_that_wait_for_the_last_vector_of_their_document_do_not_count_as_missed(
    directory: Path, address: str
) -> None:
    with open_writer(directory, Splitter(words=50)) as writer:
        row = writer.require_encoder()
        writer.put_documents([Document("007", "The title 7", "word " * 120)])
        first = next(iter(writer.without_vector(row.encoder)))[:1]
        writer.put_vectors(row, first, vectors_for(first))
    pushed(directory, address)
    with open_collection(directory) as collection:
        assert len(collection.hidden())
        engine = opened(collection, address)
        assert note_recall(collection, engine, ask=None) == {"20": 1.0, "100": 1.0}
        engine.close()


def test_a_change_during_a_measurement_of_recall_is_said(directory: Path, address: str) -> None:
    """Documents that are added while vectors are scanned, and another model while questions are made."""
    pushed(directory, address)

    def add(stage: str, done: int, total: int) -> None:
        if stage == "searching exactly":
            fill(directory, [document(COUNT)])

    def switch(numbers: np.ndarray) -> np.ndarray:
        with open_writer(directory) as writer:
            row = writer.begin_encoder("e" * 64, 2 * DIM, model="another", runtime="none")
            for passages in writer.without_vector(row.encoder):
                writer.put_vectors(row, passages, np.ones((len(passages), row.dim), np.float32))
            writer.switch_encoder(row, keep_old=False)
        return np.ones((len(numbers), DIM), np.float32)

    with open_collection(directory) as collection:
        engine = opened(collection, address)
        with pytest.raises(StateError, match="was changed while recall was measured"):
            note_recall(collection, engine, ask=None, on_progress=add)
        pushed(directory, address)
        with pytest.raises(StateError, match="was given another model meanwhile"):
            note_recall(collection, engine, ask=switch)
        engine.close()


def test_many_vectors_are_searched_by_an_index(directory: Path, address: str) -> None:
    """HNSW finds nearly the same, and filters that few passages meet still give as many as there are."""
    with open_collection(directory) as collection:
        vectors = vector_set(collection, collection.require_encoder())
        engine = indexing(parse_address(address), vectors)
        push(collection, engine)
        assert note_recall(collection, engine, ask=None)["20"] > 0.9
        engine.close()
        assert engine_summary(collection, address)["approximate"]
        index = EngineIndex(collection, EngineSettings(address))
        ask = np.random.default_rng(3).normal(size=(2, DIM)).astype(np.float32)
        for where in ("id in ('007', '130')", "year = 1990 and source is null"):
            allowed = matching(collection, compile_where(where))
            numbers = index.search(ask, K, parse_where(where)).numbers
            assert all(set(row[row >= 0]) == set(allowed) for row in numbers)


def indexing(address: Address, vectors: VectorSet) -> Engine:
    """An engine that builds an index for as few as a test has."""
    if address.kind == "milvus":
        from opendpr.engines.milvus import MilvusEngine  # which not every test run has

        return MilvusEngine(address, vectors, indexed_vectors=100)
    from opendpr.engines.postgresql import PostgresqlEngine

    return PostgresqlEngine(address, vectors, writes=True, indexed_vectors=100)


class Stopped(Exception):
    """A push came to its end too early."""


class Stopping:
    """An engine that stops a push once it has taken that many rows."""

    def __init__(self, engine: Engine, rows: int) -> None:
        self._engine, self._left = engine, rows

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)

    def put(self, rows: Rows) -> None:
        kept = min(self._left, len(rows.numbers))
        self._engine.put(Rows(rows.numbers[:kept], rows.vectors[:kept], rows.labels[:kept]))
        self._left -= kept
        if kept < len(rows.numbers):
            raise Stopped
