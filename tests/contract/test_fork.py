"""A collection belongs to the process that opened it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from opendpr.collection import open_collection, open_writer
from opendpr.errors import BusyError, OpendprError, StateError
from opendpr.maintenance.add import add_documents
from opendpr.maintenance.optimize import optimize
from opendpr.model.directory import find_model
from opendpr.model.encoder import BertEncoder
from opendpr.model.runtime import RuntimeSettings
from opendpr.search.live import LiveSnapshot
from opendpr.search.retrievers import make_retriever
from opendpr.search.settings import BuildSettings, ExactSettings, SearchSettings
from opendpr.search.snapshot import load_snapshot
from opendpr.search.stored import StoredIndex
from opendpr.text.splitting import Splitter
from opendpr.types import Document

LETTER = Document("letter", "A letter", "one two three")
pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork"),
    pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning"),
]


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    with open_writer(tmp_path / "notes") as writer:
        writer.put_documents([LETTER])
    return tmp_path / "notes"


def said_by_a_fork(work: Callable[[], object], seconds: float = 30) -> str:
    """What `work` returns or raises in a forked child, which must not hang."""
    ours, its = os.pipe()
    child = os.fork()
    if not child:
        try:
            said = str(work())
        except OpendprError as error:
            said = f"{type(error).__name__}: {error}"
        os.write(its, said.encode())
        os._exit(0)
    os.close(its)
    end = time.monotonic() + seconds
    while os.waitpid(child, os.WNOHANG) == (0, 0):
        if time.monotonic() > end:
            os.kill(child, 9)
            os.waitpid(child, 0)
            raise AssertionError("the child hangs")
        time.sleep(0.01)
    with os.fdopen(ours, "rb") as pipe:
        return pipe.read().decode()


def test_a_fork_of_a_reader_is_told_to_open_the_collection_itself(directory):
    with open_collection(directory) as collection:
        assert collection.has_document("letter")
        for work in (collection.version, lambda: list(collection.passages_after(0)), collection.counts):
            said = said_by_a_fork(work)
            assert said.startswith(StateError.__name__)
            assert f"{directory} was opened before this process was forked; open it again" in said
        assert said_by_a_fork(lambda: open_collection(directory).document("letter").text) == LETTER.text
        assert collection.has_document("letter")


def test_a_fork_of_a_process_that_searched_an_index_is_told_too(tmp_path):
    """FAISS would wait for its threads, which are not in the child."""
    questions = np.eye(32, dtype=np.float32)
    with open_writer(tmp_path / "notes", Splitter(unit="whole")) as writer:
        writer.put_documents([Document(str(n), "", "words") for n in range(600)])
        row = writer.use_encoder("by hand", 32, model="by hand", runtime="none")
        vectors = np.random.default_rng(0).standard_normal((600, 32), dtype=np.float32)
        writer.put_vectors(row, list(writer.passages_after(0)), vectors)
        optimize(writer, index="ivf", build=BuildSettings(recall=0.5))
    with open_collection(tmp_path / "notes") as collection:
        index = load_snapshot(collection, ["dense"]).dense
        assert isinstance(index, StoredIndex)
        assert (index.search(questions, 1).numbers > 0).all()
        assert "was forked; open it again" in said_by_a_fork(lambda: index.search(questions, 1))


@pytest.mark.parametrize("kind", ["dense", "hybrid"])
def test_a_fork_of_a_process_that_searched_many_vectors_is_told_too(tmp_path, tiny_model, kind):
    settings = SearchSettings(exact=ExactSettings(wide_vectors=10))
    encoder = BertEncoder(find_model(str(tiny_model)), RuntimeSettings(precision="fp32"))
    with open_writer(tmp_path / "notes") as writer:
        add_documents(writer, [Document(str(n), "", f"words {n}") for n in range(30)], encoder)
    with open_collection(tmp_path / "notes") as collection:
        retriever = make_retriever(kind, LiveSnapshot(collection, settings), encoder)
        assert len(retriever.retrieve(["words"] * 20, 5)) == 20
        assert "was forked; open it again" in said_by_a_fork(lambda: retriever.retrieve(["words"] * 20, 5))


def test_a_fork_of_a_writer_can_neither_write_nor_give_up_its_lock(directory):
    def leave() -> None:
        opening.__exit__(None, None, None)

    def write_too() -> None:
        with open_writer(directory):
            pass

    opening = open_writer(directory)
    writer = opening.__enter__()
    writer.put_documents([Document("second", "", "four five")])
    assert said_by_a_fork(lambda: writer.put_documents([LETTER])).startswith(StateError.__name__)
    assert said_by_a_fork(leave) == "None"
    assert said_by_a_fork(write_too).startswith(BusyError.__name__)
    writer.put_documents([Document("third", "", "six seven")])
    opening.__exit__(None, None, None)
    with open_collection(directory) as collection:
        assert [summary.id for summary in collection.summaries()] == ["letter", "second", "third"]
