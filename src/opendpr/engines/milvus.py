"""Vectors in Milvus: compared one by one while they are few, by HNSW once they are many.

    opendpr_pushed              what is noted: one row for each vector set
    opendpr_<32 hex digits>     number, labels, vector of one vector set

Milvus divides and copies collections itself. It has no lock: two pushes of one collection are not kept apart.
"""

from __future__ import annotations

import time

import numpy as np

from opendpr.collection.filters import Where
from opendpr.collection.rows import Version
from opendpr.engines.addresses import Address
from opendpr.engines.engine import HNSW_FACTOR, INDEXED_VECTORS, Candidates, Noted, Rows, VectorSet, set_name
from opendpr.engines.milvus_where import PARTS, held_labels, milvus_expression
from opendpr.engines.pymilvus import REQUEST_SECONDS, CollectionSchema, DataType, MilvusClient, connect, our_errors
from opendpr.types import Numbers, Vectors

NOTES_COLLECTION = "opendpr_pushed"
"""Milvus's collection of what is noted about each vector set."""
HNSW_PARAMETERS = {"M": 16, "efConstruction": 200}
LEAST_HNSW_EFFORT = 200
"""Candidates that HNSW keeps while it searches, at least (Milvus's `ef`)."""
MOST_CANDIDATES = 16_384
"""Candidates that Milvus returns at most."""
SETTLED_SECONDS = 30.0
"""How long after a push a search waits until all of it can be found; later it can be without waiting."""


class MilvusEngine:
    """An `Engine`. It connects when it is first asked."""

    def __init__(self, address: Address, vectors: VectorSet, *, indexed_vectors: int = INDEXED_VECTORS) -> None:
        self.name, self._address, self._vectors = address.text, address, vectors
        self._indexed_vectors, self._table = indexed_vectors, set_name(vectors.collection_id, vectors.fingerprint)
        self._opened: MilvusClient | None = None
        self._last_noted: tuple[Noted | None, float] = (None, 0.0)

    @property
    def _client(self) -> MilvusClient:
        if self._opened is None:
            self._opened = connect(self._address)
        return self._opened

    def noted(self) -> Noted | None:
        with our_errors(self.name):
            if not self._client.has_collection(NOTES_COLLECTION, timeout=REQUEST_SECONDS):
                return None
            rows = self._client.query(
                NOTES_COLLECTION,
                filter=f'name == "{self._table}"',
                output_fields=["note"],
                consistency_level="Strong",
                timeout=REQUEST_SECONDS,
            )
        noted = None
        if rows:
            note = rows[0]["note"]
            version = Version(note["version"], note["commit_id"])
            noted = Noted(version, note["last_number"], note["recall"] or None, note["indexed"])
        if noted != self._last_noted[0]:
            self._last_noted = noted, time.monotonic()
        return noted

    def candidates(self, vectors: Vectors, k: int, where: Where | None, *, allow_partial: bool) -> Candidates:
        del allow_partial  # Milvus answers with all its parts, or not
        expression = "" if where is None else milvus_expression(where)
        before = self.noted()
        wanted = min(HNSW_FACTOR * k if before and before.indexed else k, MOST_CANDIDATES)
        numbers = np.full((len(vectors), wanted), -1, np.int64)
        if before is None or not len(vectors):
            return Candidates(numbers, before, ())
        settled = time.monotonic() - self._last_noted[1] > SETTLED_SECONDS
        with our_errors(self.name):
            lists = self._client.search(
                self._table,
                data=vectors.tolist(),
                filter=expression,
                limit=wanted,
                output_fields=["number"],
                search_params={"metric_type": "IP", "params": {"ef": max(wanted, LEAST_HNSW_EFFORT)}},
                consistency_level="Bounded" if settled else "Strong",
                timeout=REQUEST_SECONDS,
            )
        for row, hits in zip(numbers, lists, strict=True):
            row[: len(hits)] = [hit["number"] for hit in hits]
        return Candidates(numbers, self.noted(), ())

    def prepare(self) -> None:
        with our_errors(self.name):
            if not self._client.has_collection(NOTES_COLLECTION):
                self._make_notes()
            if not self._client.has_collection(self._table):
                self._make_table()

    def _make_notes(self) -> None:
        schema = self._client.create_schema(auto_id=False)
        schema.add_field("name", DataType.VARCHAR, is_primary=True, max_length=64)
        schema.add_field("collection_id", DataType.VARCHAR, max_length=64)
        schema.add_field("note", DataType.JSON)
        schema.add_field("unused", DataType.FLOAT_VECTOR, dim=2)  # Milvus holds nothing without a vector
        self._create(NOTES_COLLECTION, schema, "unused")

    def _make_table(self) -> None:
        schema = self._client.create_schema(auto_id=False)
        schema.add_field("number", DataType.INT64, is_primary=True)
        schema.add_field("labels", DataType.JSON)
        schema.add_field("vector", DataType.FLOAT_VECTOR, dim=self._vectors.dim)
        self._create(self._table, schema, "vector")

    def _create(self, table: str, schema: CollectionSchema, field: str) -> None:
        index = self._client.prepare_index_params()
        index.add_index(field, index_type="FLAT", metric_type="IP", params={})
        self._client.create_collection(table, schema=schema, index_params=index, consistency_level="Strong")

    def forget(self) -> None:
        with our_errors(self.name):
            self._client.delete(NOTES_COLLECTION, ids=[self._table])
            self._client.drop_collection(self._table)
            self._make_table()

    def remove(self, numbers: Numbers) -> None:
        with our_errors(self.name):
            for first in range(0, len(numbers), MOST_CANDIDATES):
                self._client.delete(self._table, ids=numbers[first : first + MOST_CANDIDATES].tolist())

    def put(self, rows: Rows) -> None:
        if not len(rows.numbers):
            return
        data = [
            {"number": number, "labels": held_labels(labels), "vector": vector}
            for number, labels, vector in zip(
                rows.numbers.tolist(), rows.labels, rows.vectors.astype(np.float32).tolist(), strict=True
            )
        ]
        with our_errors(self.name):
            self._client.upsert(self._table, data)

    def note(self, noted: Noted) -> None:
        note = {
            **noted.version._asdict(),
            "last_number": noted.last_number,
            "recall": dict(noted.recall or {}),
            "indexed": self._is_indexed(),
        }
        row = {"name": self._table, "collection_id": self._vectors.collection_id, "note": note, "unused": [0.0, 0.0]}
        with our_errors(self.name):
            self._client.upsert(NOTES_COLLECTION, [row])

    def _is_indexed(self) -> bool:
        with our_errors(self.name):
            return bool(self._client.describe_index(self._table, "vector")["index_type"] == "HNSW")

    def finish(self) -> None:
        noted = self.noted()
        with our_errors(self.name):
            self._client.flush(self._table)
            count = self._client.query(self._table, output_fields=["count(*)"], consistency_level="Strong")
            if count[0]["count(*)"] >= self._indexed_vectors and not self._is_indexed():
                self._build_index()
            others = self._client.query(
                NOTES_COLLECTION,
                filter=f'collection_id == "{self._vectors.collection_id}" and name != "{self._table}"',
                output_fields=["name"],
            )
            for other in others:
                self._client.delete(NOTES_COLLECTION, ids=[other["name"]])
                self._client.drop_collection(other["name"])
        if noted is not None:
            self.note(noted)

    def _build_index(self) -> None:
        """Replace the flat index; searches are refused while it is built."""
        self._client.release_collection(self._table)
        self._client.drop_index(self._table, "vector")
        index = self._client.prepare_index_params()
        index.add_index("vector", index_type="HNSW", metric_type="IP", params=HNSW_PARAMETERS)
        self._client.create_index(self._table, index)
        self._client.load_collection(self._table)

    def rows(self, after: int, until: int) -> Rows:
        with our_errors(self.name):
            rows = self._client.query(
                self._table,
                filter=f"number > {after} and number <= {until}",
                output_fields=["number", "labels", "vector"],
                consistency_level="Strong",
            )
        rows = sorted(rows, key=lambda row: int(row["number"]))
        vectors = np.array([row["vector"] for row in rows], np.float32).reshape(len(rows), self._vectors.dim)
        numbers = np.array([row["number"] for row in rows], dtype=np.int64)
        return Rows(numbers, vectors.astype(np.float16), [row["labels"][PARTS] for row in rows])

    def close(self) -> None:
        if self._opened is not None:
            self._opened.close()
            self._opened = None
