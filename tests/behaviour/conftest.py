"""What the tests of the service share."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from rivers import make_rivers
from served import Served, serving


@pytest.fixture(scope="session")
def serve_environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Environment of a service: a cache of its own, no token of whoever runs the tests."""
    cache = str(tmp_path_factory.mktemp("cache"))
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("OPENDPR_TOKEN")}
    return {**inherited, "XDG_CACHE_HOME": cache, "NO_COLOR": "1", "OPENDPR_PRECISION": "fp32"}


@pytest.fixture(scope="session")
def rivers(tmp_path_factory: pytest.TempPathFactory, tiny_model: Path) -> Path:
    """A small collection, that tests leave as it was."""
    return make_rivers(tmp_path_factory.mktemp("served") / "rivers", tiny_model)


@pytest.fixture(scope="session")
def served(rivers: Path, serve_environment: dict[str, str]) -> Iterator[Served]:
    """A service that may write."""
    with serving(rivers, "--writable", environment=serve_environment) as served:
        yield served
