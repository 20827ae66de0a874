"""A collection that the tests search and ask."""

from __future__ import annotations

import pytest

import opendpr

DOCUMENTS = [
    opendpr.Document("pier.txt", "Pier", "The stone pier was built in 1874 by Marta Lindqvist.", {"year": 1931}),
    opendpr.Document("light.txt", "Light", "The lighthouse of Orvik shines since 1902.", {"year": 1911}),
    opendpr.Document("ferry.txt", "Ferry", "The ferry to Orvik was late again in May.", {"year": 1911, "by": "it's"}),
    opendpr.Document("two.pdf", "Two", "A dull page.\nThe harbour is closed in winter.", {"page_starts": [0, 13]}),
]


@pytest.fixture(scope="session")
def notes(tmp_path_factory: pytest.TempPathFactory) -> str:
    directory = tmp_path_factory.mktemp("notes") / "notes"
    opendpr.add(directory, DOCUMENTS)
    return str(directory)


@pytest.fixture(autouse=True)
def _no_language_model(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing here may ask for one."""
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
