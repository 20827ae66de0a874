"""Fixtures of the tests of other systems' files."""

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def cases() -> Path:
    """Small files on which other tools failed in silence."""
    return Path(__file__).parent / "cases"
