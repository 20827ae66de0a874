"""`opendpr ask FOLDER`: an answer before all of the folder is encoded, and all of it later."""

from __future__ import annotations

import json
import pty
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import SECONDS

from opendpr.collection import open_collection, open_writer
from opendpr.maintenance.on_demand import AT_ONCE_PASSAGES, CANDIDATE_PASSAGES
from opendpr.model.batches import Network
from opendpr.model.runtime import load_network

COUNT = AT_ONCE_PASSAGES + CANDIDATE_PASSAGES + 100
QUESTION = "lo7 ri2 sum3"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """More documents than are encoded at once."""
    records = ({"id": f"d{n}", "text": f"lo{n % 10} ri{n % 7} sum{n % 5} number {n}"} for n in range(COUNT))
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "many.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
    return tmp_path / "docs"


def cached(tmp_path: Path) -> Path:
    (directory,) = (tmp_path / "cache" / "opendpr" / "folders").iterdir()
    return directory


def lacking(tmp_path: Path) -> int:
    with open_collection(cached(tmp_path)) as collection:
        return collection.counts()["to_encode"]


def test_a_folder_is_answered_from_the_candidates_and_encoded_on_request(
    run: Any, folder: Path, tmp_path: Path, tiny_model: Path
) -> None:
    first = run("ask", folder, QUESTION, "-m", tiny_model)
    assert first.returncode == 0, first.stderr
    assert f"answered from {CANDIDATE_PASSAGES:,} of {COUNT:,} passages" in first.stderr
    assert "--wait encodes the rest" in first.stderr
    assert lacking(tmp_path) == COUNT - CANDIDATE_PASSAGES
    record = json.loads(run("ask", folder, QUESTION, "-m", tiny_model, "--json").stdout)
    assert (record["passages_encoded"], record["passages"]) == (CANDIDATE_PASSAGES, COUNT)
    waited = run("ask", folder, QUESTION, "-m", tiny_model, "--wait")
    assert waited.returncode == 0, waited.stderr
    assert waited.stdout == first.stdout  # what is encoded after the answer does not change it
    assert lacking(tmp_path) == 0
    record = json.loads(run("ask", folder, QUESTION, "-m", tiny_model, "--json").stdout)
    assert "passages_encoded" not in record


@pytest.mark.parametrize("options", [[], ["--explain"]])
def test_the_reader_is_loaded_once(
    run: Any, folder: Path, tiny_model: Path, monkeypatch: pytest.MonkeyPatch, options: list[str]
) -> None:
    threads = []

    def load_and_note(*args: Any, **kwargs: Any) -> Network:
        threads.append(threading.current_thread())
        return load_network(*args, **kwargs)

    monkeypatch.setattr("opendpr.model.reader.load_network", load_and_note)
    done = run("ask", folder, QUESTION, "-m", tiny_model, *options)
    assert done.returncode == 0, done.stderr
    (thread,) = threads
    assert thread is not threading.main_thread()


def test_a_search_of_a_folder_ranks_the_candidates_first(
    run: Any, folder: Path, tmp_path: Path, tiny_model: Path
) -> None:
    done = run("search", folder, QUESTION, "-m", tiny_model)
    assert done.returncode == 0, done.stderr
    assert f"from {CANDIDATE_PASSAGES:,} of {COUNT:,} passages" in done.stderr
    assert lacking(tmp_path) == COUNT - CANDIDATE_PASSAGES
    assert run("search", folder, QUESTION, "-m", tiny_model, "--wait").stdout == done.stdout
    assert lacking(tmp_path) == 0


def test_many_questions_and_dense_search_wait_for_all_vectors(
    run: Any, folder: Path, tmp_path: Path, tiny_model: Path
) -> None:
    done = run("ask", folder, "-", "-m", tiny_model, input=f"{QUESTION}\n")
    assert done.returncode == 0, done.stderr
    assert lacking(tmp_path) == 0


def test_bm25_alone_needs_no_vectors(run: Any, folder: Path, tmp_path: Path, tiny_model: Path) -> None:
    done = run("ask", folder, QUESTION, "-m", tiny_model, "-r", "bm25")
    assert done.returncode == 0, done.stderr
    assert lacking(tmp_path) == COUNT


def test_a_folder_that_another_process_writes_is_answered_from_what_is_there(
    run: Any, folder: Path, tmp_path: Path, tiny_model: Path
) -> None:
    first = run("ask", folder, QUESTION, "-m", tiny_model)
    with open_writer(cached(tmp_path)):
        meanwhile = run("ask", folder, QUESTION, "-m", tiny_model)
    assert meanwhile.returncode == 0, meanwhile.stderr
    assert "being indexed by another process" in meanwhile.stderr
    assert meanwhile.stdout == first.stdout


@pytest.mark.skipif(sys.platform == "win32", reason="needs a terminal of POSIX")
def test_a_prompt_answers_and_encodes_the_rest_beside(
    start: Callable[..., Any], folder: Path, tmp_path: Path, tiny_model: Path
) -> None:
    controller, terminal = pty.openpty()
    with open(controller, "wb", buffering=0) as keyboard, open(terminal, "rb") as stdin:
        process = start("ask", folder, "-m", tiny_model, stdin=stdin)
        keyboard.write(f"{QUESTION}\n".encode())
        answer = process.stdout.readline()
        while lacking(tmp_path):
            assert process.poll() is None
        keyboard.write(b"\n")
        _, errors = process.communicate(timeout=SECONDS)
    assert "confidence" in answer or "no answer found" in answer
    assert process.returncode == 0, errors
