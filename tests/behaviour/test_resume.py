"""A kill at any moment loses no data and at most one batch of work; the same command goes on."""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from conftest import SECONDS, contents, write_documents

from damaged_notes import problems
from opendpr.collection import open_collection
from opendpr.collection.database import DATABASE
from opendpr.collection.opening import LOCK_FILE
from opendpr.search.bm25 import BM25_DIRECTORY
from opendpr.search.live import LiveSnapshot
from opendpr.search.retrievers import Bm25Retriever
from opendpr.search.snapshot import load_snapshot

SETTINGS = ("--words", "20", "--precision", "fp32")
QUESTIONS = ["document7", "lo1 ri2 sum3", "document12 document30 con9", "nothing of this"]
VECTORS = np.random.default_rng(0).normal(size=(5, 32)).astype(np.float32)
"""What dense searches ask for."""
TOP = 100
CLOSE = 1e-3
"""How far a vector that was computed in another batch may lie."""
IN_A_ROW = 5
"""Kills of one collection before the command is let through."""

Start = Callable[..., "subprocess.Popen[str]"]
Texts = dict[str, set[str]]


@dataclass
class Job:
    """A command that is killed, what it begins with and what it ends with."""

    arguments: Callable[[Path], list[object]]
    """The command for a collection."""
    before: Path | None
    """None if the command makes the collection."""
    after: Path
    """The same, done by an undisturbed run."""
    cache: tuple[Path | None, ...] = ()
    """BM25 caches to begin with in turn, None for none at all; empty if it is the one of `before`."""
    seconds: float = 0.0
    """How long an undisturbed run holds the collection; 0 before there was one."""

    def begin(self, place: Path, number: int) -> Path:
        """What the command begins with, as a copy for one round."""
        directory = place / f"round {number}"
        if self.before:
            shutil.copytree(self.before, directory)
        if self.cache:
            shutil.rmtree(directory / BM25_DIRECTORY)
            if cache := self.cache[number % len(self.cache)]:
                shutil.copytree(cache, directory / BM25_DIRECTORY)
        return directory


class Killer:
    """Starts a job's command and kills it at a random moment of the time in which it holds the collection."""

    def __init__(self, start: Start, seed: int) -> None:
        self._start, self._generator = start, random.Random(seed)

    def undisturbed(self, job: Job, directory: Path) -> None:
        """One whole run."""
        process = self._start(*job.arguments(directory))
        wait_until(process, lambda: holds(process.pid, directory / LOCK_FILE))
        began = time.monotonic()
        wait_until(process, lambda: not holds(process.pid, directory / LOCK_FILE))
        job.seconds = max(job.seconds, time.monotonic() - began)
        _, errors = process.communicate(timeout=SECONDS)
        assert process.returncode == 0, errors

    def killed(self, job: Job, directory: Path) -> bool:
        """One run with a kill; False if it was over before."""
        process = self._start(*job.arguments(directory))
        wait_until(process, lambda: holds(process.pid, directory / LOCK_FILE))
        time.sleep(self._generator.uniform(0, job.seconds))
        process.kill()
        _, errors = process.communicate(timeout=SECONDS)
        assert process.returncode in (0, -signal.SIGKILL), errors
        return process.returncode != 0


def wait_until(process: subprocess.Popen[str], condition: Callable[[], bool]) -> None:
    while process.poll() is None and not condition():
        time.sleep(0.001)


def holds(process: int, path: Path) -> bool:
    """Whether a process has a file open."""
    try:
        return any(os.path.realpath(one) == str(path) for one in Path(f"/proc/{process}/fd").iterdir())
    except FileNotFoundError:  # it is over
        return False


# What a collection holds and finds


def digest(directory: Path) -> str:
    """SHA-256 of documents and passages, whatever their numbers."""
    rows = [[id, title, text, start] for (id, start), (title, text, _) in sorted(contents(directory).items())]
    return hashlib.sha256(json.dumps(rows).encode()).hexdigest()


def answers(directory: Path) -> list[dict[tuple[str, int], float]]:
    """The best passages for each of `VECTORS`, with their scores."""
    with open_collection(directory) as collection:
        snapshot = load_snapshot(collection, ["dense"])
        lists = snapshot.hits(snapshot.dense.search(VECTORS, TOP), [{}] * len(VECTORS))
    return [{(hit.passage.document_id, hit.passage.start): hit.score for hit in hits} for hits in lists]


def words_found(directory: Path) -> list[set[tuple[str, int]]]:
    with open_collection(directory) as collection:
        found = Bm25Retriever(LiveSnapshot(collection)).retrieve(QUESTIONS, 10_000)
    return [{(hit.passage.document_id, hit.passage.start) for hit in hits} for hits in found]


def served(directory: Path | None) -> Texts:
    """By document, the texts that a dense search over everything finds."""
    found: Texts = {}
    if directory is None:
        return found
    with open_collection(directory) as collection:
        if collection.encoder() is None:
            return found
        snapshot = load_snapshot(collection, ["dense"])
        [hits] = snapshot.hits(snapshot.dense.search(VECTORS[:1], 100_000), [{}])
    for hit in hits:
        texts = found.setdefault(hit.passage.document_id, set())
        assert hit.passage.text not in texts
        texts.add(hit.passage.text)
    return found


def fingerprint(directory: Path) -> str:
    with open_collection(directory) as collection:
        row = collection.encoder()
        return row.fingerprint if row else ""


def vectors(directory: Path) -> dict[tuple[str, int, str], np.ndarray]:
    """By document, start and text: of a document that is being replaced both forms can be there."""
    with open_collection(directory) as collection:
        passages = {p.number: (p.document_id, p.start, p.text) for p in collection.passages_after(0)}
        return {
            passages[number]: row
            for numbers, rows in (collection.vectors() if collection.encoder() else ())
            for number, row in zip(numbers.tolist(), rows, strict=True)
        }


def assert_vectors_of(directory: Path, expected: Path) -> None:
    """What both collections have a vector for has the same one."""
    ours, theirs = vectors(directory), vectors(expected)
    if both := sorted(ours.keys() & theirs.keys()):
        shared = [[own[key] for key in both] for own in (ours, theirs)]
        np.testing.assert_allclose(np.stack(shared[0]), np.stack(shared[1]), rtol=0, atol=CLOSE)


def assert_whole(directory: Path, job: Job, before: Texts, after: Texts) -> None:
    """After a kill: nothing is damaged, every document is served as it was or as it will be, by one model."""
    if not (directory / DATABASE).exists():
        assert job.before is None
        return
    assert problems(directory) == []
    found = served(directory)
    assert found.keys() <= before.keys() | after.keys()
    for id in before.keys() | after.keys():
        texts, old, new = (state.get(id, set()) for state in (found, before, after))
        assert texts in (old, new) or (not old and texts < new), id
    same = job.before and fingerprint(directory) == fingerprint(job.before)
    assert_vectors_of(directory, job.before if job.before and same else job.after)


def assert_equal(directory: Path, expected: Path) -> None:
    """Two collections hold the same and find the same, and neither has anything left over."""
    assert problems(directory) == []
    assert digest(directory) == digest(expected)
    assert_vectors_of(directory, expected)
    with open_collection(directory) as collection:
        assert collection.counts()["to_encode"] == 0
        assert len(collection.encoders()) == 1
    assert fingerprint(directory) == fingerprint(expected)
    for ours, theirs in zip(answers(directory), answers(expected), strict=True):
        assert len(ours) == len(theirs) == TOP
        last = min(theirs.values())
        for key in ours.keys() | theirs.keys():
            score = ours.get(key, last)  # equal scores may change places at the end of the list
            assert score == pytest.approx(theirs.get(key, last), abs=32 * CLOSE)
    assert words_found(directory) == words_found(expected)
    assert not list(directory.glob(f"{DATABASE}.new*"))


# The jobs


@pytest.fixture(scope="module")
def jobs(tmp_path_factory: pytest.TempPathFactory, tiny_model: Path, other_model: Path) -> dict[str, Job]:
    """What is killed. Half of the documents are from 1999, the others of now."""
    place = tmp_path_factory.mktemp("jobs")
    docs = [write_documents(place / f"docs {seed}", 26, seed=seed) for seed in (0, 1)]
    for path in sorted(docs[0].iterdir())[:13]:
        os.utime(path, (925_000_000, 925_000_000))
    old, new, removed, encoded = (place / name for name in ("old", "new", "removed", "encoded"))

    def add(folder: Path, collection: Path) -> list[object]:
        return ["add", collection, folder, "--model", tiny_model, *SETTINGS]

    def remove(collection: Path) -> list[object]:
        return ["remove", collection, "--where", "modified < '2000'"]

    def encode(collection: Path) -> list[object]:
        return ["encode", collection, "--model", other_model, "--precision", "fp32"]

    def only_index_words(collection: Path) -> list[object]:
        return ["remove", collection, "--where", "modified < '1900'"]

    return {
        "add": Job(lambda at: add(docs[0], at), None, old),
        "replace": Job(lambda at: add(docs[1], at), old, new),
        "remove": Job(remove, old, removed),
        "encode": Job(encode, old, encoded),
        "words": Job(only_index_words, new, new, (None, old / BM25_DIRECTORY)),
    }


def make(job: Job, jobs: dict[str, Job], killer: Killer) -> None:
    """What a job begins with and, by an undisturbed run, what it ends with."""
    for other in jobs.values():
        if other is not job and other.before != other.after and other.after in (job.before, job.after):
            make(other, jobs, killer)
    if not job.after.exists():
        if job.before:
            shutil.copytree(job.before, job.after)
        killer.undisturbed(job, job.after)


def rounds(kind: str, short: int, long: int) -> list[object]:
    return [pytest.param(kind, short, id=kind), pytest.param(kind, long, id=f"{kind} {long}", marks=pytest.mark.slow)]


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="needs /proc to see when a command begins its work")
@pytest.mark.parametrize(
    ("kind", "kills"),
    [
        *rounds("add", 5, 200),
        *rounds("replace", 5, 60),
        *rounds("remove", 5, 60),
        *rounds("encode", 5, 60),
        *rounds("words", 5, 60),
    ],
)
def test_what_is_killed_again_and_again_ends_like_an_undisturbed_run(start, tmp_path, jobs, kind, kills):
    seed = 1
    print(f"seed {seed}")
    job, killer, number = jobs[kind], Killer(start, seed), 0
    make(job, jobs, killer)
    before, after = served(job.before), served(job.after)
    while kills > 0:
        directory = job.begin(tmp_path, number)
        for _ in range(min(IN_A_ROW, kills) if job.seconds else 0):
            if not killer.killed(job, directory):
                break
            kills -= 1
            assert_whole(directory, job, before, after)
        killer.undisturbed(job, directory)
        assert_equal(directory, job.after)
        shutil.rmtree(directory)
        number += 1
