"""A kill at any moment loses no data and at most one batch of work; the same command goes on."""

from __future__ import annotations

import hashlib
import itertools
import json
import random
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import apsw
import numpy as np
import pytest
from conftest import contents, write_documents

from opendpr.collection import open_collection
from opendpr.collection.database import DATABASE
from opendpr.retriever import Bm25Retriever, Snapshot

KILLS = [pytest.param(6, id="6 kills"), pytest.param(25, id="25 kills", marks=pytest.mark.slow)]
SETTINGS = ("--words", "20", "--precision", "fp32")
QUESTIONS = ["document7", "lo1 ri2 sum3", "document12 document30 con9", "nothing of this"]


class Disturber:
    """Runs `opendpr add` and kills it at random moments of the life of an undisturbed run."""

    def __init__(self, start: Callable[..., subprocess.Popen[str]], model: Path, seed: int) -> None:
        self._start, self._model = start, model
        self._generator = random.Random(seed)
        self._life_seconds = 0.0

    def _add(self, collection: Path, docs: Path) -> subprocess.Popen[str]:
        return self._start("add", collection, docs, "--model", self._model, *SETTINGS)

    def undisturbed(self, collection: Path, docs: Path) -> None:
        """One whole run."""
        began = time.monotonic()
        process = self._add(collection, docs)
        _, errors = process.communicate()
        assert process.returncode == 0, errors
        self._life_seconds = max(self._life_seconds, time.monotonic() - began)

    def killed(self, collection: Path, docs: Path) -> bool:
        """One run with a kill; False if it was over before."""
        process = self._add(collection, docs)
        time.sleep(self._generator.uniform(0.2, 1.0) * self._life_seconds)
        process.kill()
        _, errors = process.communicate()
        assert process.returncode in (0, -signal.SIGKILL), errors
        return process.returncode != 0


def digest(directory: Path) -> str:
    """SHA-256 of documents and passages, whatever their numbers."""
    rows = [[id, title, text, start] for (id, start), (title, text, _) in sorted(contents(directory).items())]
    return hashlib.sha256(json.dumps(rows).encode()).hexdigest()


def assert_sound(directory: Path) -> None:
    """SQLite finds no fault, and every page has its checksum."""
    connection = apsw.Connection(str(directory / DATABASE), vfs="cksmvfs")
    try:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA checksum_verification").get == "1"
    finally:
        connection.close()


def assert_equal(directory: Path, expected: Path) -> None:
    """Two collections hold the same and find the same."""
    assert_sound(directory)
    assert digest(directory) == digest(expected)
    ours, theirs = contents(directory), contents(expected)
    for key, (_, _, vector) in theirs.items():
        assert vector is not None
        np.testing.assert_allclose(
            np.frombuffer(ours[key][2] or b"", "<f2"), np.frombuffer(vector, "<f2"), rtol=0, atol=1e-3
        )
    assert words_found(directory) == words_found(expected)
    assert not list(directory.glob(f"{DATABASE}.new*"))


def words_found(directory: Path) -> list[set[tuple[str, int]]]:
    with open_collection(directory) as collection:
        found = Bm25Retriever(Snapshot(collection)).retrieve(QUESTIONS, 10_000)
        assert collection.counts()["to_encode"] == 0
    return [{(hit.passage.document_id, hit.passage.start) for hit in hits} for hits in found]


def served(directory: Path) -> dict[str, set[str]]:
    """By document, the texts that a dense search over everything finds."""
    with open_collection(directory) as collection:
        snapshot = Snapshot(collection)
        [hits] = snapshot.hits(snapshot.dense.search(np.zeros((1, 32), np.float32), 100_000), [{}])
    found: dict[str, set[str]] = {}
    for hit in hits:
        texts = found.setdefault(hit.passage.document_id, set())
        assert hit.passage.text not in texts
        texts.add(hit.passage.text)
    return found


def texts(directory: Path) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for (id, _), (_, text, _) in contents(directory).items():
        found.setdefault(id, set()).add(text)
    return found


@pytest.mark.parametrize("kills", KILLS)
def test_an_add_that_is_killed_again_and_again_ends_like_an_undisturbed_one(start, tmp_path, tiny_model, kills):
    docs, expected = write_documents(tmp_path / "docs"), tmp_path / "expected"
    disturber = Disturber(start, tiny_model, seed=1)
    disturber.undisturbed(expected, docs)
    whole = {key: one[:2] for key, one in contents(expected).items()}
    assert len(whole) > 2_500
    for number in itertools.count():
        collection = tmp_path / f"round {number}"
        while kills > 0 and disturber.killed(collection, docs):
            kills -= 1
            if (collection / DATABASE).exists():
                assert_sound(collection)
                assert {key: one[:2] for key, one in contents(collection).items()}.items() <= whole.items()
        disturber.undisturbed(collection, docs)
        assert_equal(collection, expected)
        if kills == 0:
            break


@pytest.mark.parametrize("kills", KILLS)
def test_while_documents_are_replaced_the_old_or_the_new_one_is_served(start, tmp_path, tiny_model, kills):
    docs = [write_documents(tmp_path / f"generation {seed}", seed=seed) for seed in (0, 1)]
    expected = [tmp_path / f"expected {seed}" for seed in (0, 1)]
    disturber = Disturber(start, tiny_model, seed=2)
    for seed in (0, 1):
        disturber.undisturbed(expected[seed], docs[seed])
    wholes = [texts(directory) for directory in expected]
    changing = tmp_path / "changing"
    shutil.copytree(expected[0], changing)
    for number in itertools.count(1):
        old, new = (number - 1) % 2, number % 2
        while kills > 0 and disturber.killed(changing, docs[new]):
            kills -= 1
            assert_sound(changing)
            found = served(changing)
            assert found.keys() == wholes[new].keys()
            assert all(found[id] in (wholes[old][id], wholes[new][id]) for id in found)
        disturber.undisturbed(changing, docs[new])
        assert_equal(changing, expected[new])
        if kills == 0:
            break
