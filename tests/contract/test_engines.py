"""What every engine promises: lists and score bits of the exact search; nothing removed, nothing outside the filter."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from opendpr.collection import Collection, open_collection, open_writer
from opendpr.collection.filters import parse_where
from opendpr.collection.selection import matching
from opendpr.collection.where import compile_where
from opendpr.engines.opening import open_engine
from opendpr.maintenance.push import push
from opendpr.search.engine_index import EngineIndex, IndexSettings, vector_set
from opendpr.search.exact import ExactIndex
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


@pytest.fixture(params=["one server", "two servers"])
def address(request: pytest.FixtureRequest, two_servers: list[PostgresqlServer]) -> str:
    used = two_servers if request.param == "two servers" else two_servers[:1]
    return f"postgresql://postgres@{'+'.join(server.host for server in used)}/postgres"


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    fill(tmp_path / "notes", [document(number) for number in range(COUNT)])
    return tmp_path / "notes"


def pushed(directory: Path, address: str) -> None:
    with open_collection(directory) as collection:
        engine = open_engine(address, vector_set(collection, collection.require_encoder()), writes=True)
        push(collection, engine)
        engine.close()


def assert_as_exact(collection: Collection, address: str, where: str | None, k: int = K) -> None:
    """Lists and scores of the engine are those of comparing every vector, to the last bit."""
    numbers, vectors = map(np.concatenate, zip(*collection.vectors(), strict=True))
    allowed = None if where is None else matching(collection, compile_where(where))
    questions = np.random.default_rng(7).normal(size=(5, DIM)).astype(np.float32)
    questions[0] = np.random.default_rng(0).normal(size=DIM)
    expected = ExactIndex(numbers, vectors).search(questions, k, allowed)
    index = EngineIndex(collection, IndexSettings(address))
    found = index.search(questions, k, None if where is None else parse_where(where))
    np.testing.assert_array_equal(found.numbers, expected.numbers)
    assert found.scores.tobytes() == expected.scores.tobytes()


def test_lists_and_score_bits_are_those_of_the_exact_search(directory: Path, address: str) -> None:
    pushed(directory, address)
    with open_collection(directory) as collection:
        for where in FILTERS:
            assert_as_exact(collection, address, where)
        assert_as_exact(collection, address, None, k=COUNT + 20)
