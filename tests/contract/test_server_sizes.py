"""What a plan for several machines says, against what PostgreSQL stores."""

from __future__ import annotations

import numpy as np
import pytest
from support.postgresql_server import postgresql_server

from opendpr.search.cluster_cost import SERVER_BYTES, cluster_estimate

ROWS, DIM = 2_000, 384


def test_tables_and_indexes_have_about_the_planned_size() -> None:
    with postgresql_server() as server:
        from psycopg import connect

        from opendpr.engines.addresses import parse_address
        from opendpr.engines.engine import Rows, VectorSet, set_name
        from opendpr.engines.postgresql import PostgresqlEngine

        vector_set = VectorSet("0" * 32, "f" * 64, DIM)
        address = parse_address(f"postgresql://postgres@{server.host}/postgres")
        engine = PostgresqlEngine(address, vector_set, writes=True, indexed_vectors=ROWS)
        vectors = np.random.default_rng(5).normal(size=(ROWS, DIM)).astype(np.float16)
        engine.prepare()
        engine.put(Rows(np.arange(1, ROWS + 1), vectors, [{}] * ROWS))
        engine.finish()
        engine.close()
        name = set_name(vector_set.collection_id, vector_set.fingerprint)
        with connect(server.url) as connection:
            sizes = connection.execute(
                "SELECT pg_relation_size(%s), pg_relation_size(%s), pg_relation_size(%s)",
                (name, f"{name}_pkey", f"{name}_hnsw"),
            ).fetchone()
    cost = cluster_estimate(ROWS, DIM, 1, encoded_passages=1.0)
    assert sizes is not None
    rows, numbers, index = sizes
    assert index == pytest.approx(cost.server_memory_bytes - SERVER_BYTES, rel=0.05)
    assert rows + numbers + index == pytest.approx(cost.server_disk_bytes, rel=0.1)  # some pages are made in advance
