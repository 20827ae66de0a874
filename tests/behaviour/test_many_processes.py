"""Several processes on one collection: nothing that was acknowledged is lost, readers see whole documents."""

from __future__ import annotations

import multiprocessing
import random
import time
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from opendpr.collection import open_collection, open_writer
from opendpr.collection.verify import verify_store
from opendpr.errors import BusyError
from opendpr.maintenance.add import AddSettings, BatchSizes, add_documents
from opendpr.maintenance.remove import remove
from opendpr.model.directory import find_model
from opendpr.model.encoder import BertEncoder
from opendpr.model.runtime import RuntimeSettings
from opendpr.search.bm25 import verify_bm25
from opendpr.search.live import LiveSnapshot
from opendpr.search.retrievers import Bm25Retriever
from opendpr.text.splitting import Splitter
from opendpr.types import Document, Passage

WRITERS = READERS = 4
WAIT_SECONDS = 240
PASSAGES = 6
"""In each document; every word of them names the generation."""
DIM = 32
SETTINGS = AddSettings(sizes=BatchSizes(passages=2))
"""So that there are moments between two transactions of a document."""
SPAWN = multiprocessing.get_context("spawn")


def document(writer: int, number: int, generation: int) -> Document:
    word = f"generation{generation}"
    return Document(f"w{writer}d{number}", "", " ".join([word] * 10 * PASSAGES), {"generation": generation})


def write(directory: Path, model: Path, writer: int, commits: int, acknowledged: Queue[Any]) -> None:
    """Add, replace and remove documents of its own, and tell of each change once it is made."""
    generator = random.Random(writer)
    encoder = BertEncoder(find_model(str(model)), RuntimeSettings(precision="fp32"))
    for generation in range(1, commits + 1):
        number = generator.randrange(4)
        with open_writer(directory, wait_seconds=WAIT_SECONDS) as opened:
            if generator.random() < 0.15:
                remove(opened, [f"w{writer}d{number}"])
                generation = 0
            else:
                add_documents(opened, [document(writer, number, generation)], encoder, settings=SETTINGS)
        acknowledged.put((f"w{writer}d{number}", generation))
        time.sleep(generator.uniform(0, 0.1))  # the lock is not a queue: who asks again at once is mostly the next


def read(directory: Path, reader: int, stop: Event, results: Queue[Any]) -> None:
    """Read in every way until asked to stop; report how often, and what was not whole."""
    searches, wrong = 0, []
    while not stop.is_set():
        with open_collection(directory) as opened:
            [hits] = LiveSnapshot(opened).search(
                "dense", lambda state: state.hits(state.dense.search(np.ones((1, DIM), np.float32), 10_000), [{}])
            )
            wrong += not_whole([hit.passage for hit in hits])
            [hits] = Bm25Retriever(LiveSnapshot(opened)).retrieve(["always"], 10_000)
            wrong += [hit.passage.document_id for hit in hits if hit.passage.document_id != "always"]
            for summary in list(opened.summaries())[:: 1 + reader]:
                if opened.has_document(summary.id):
                    text = opened.document(summary.id).text if reader % 2 else ""
                    wrong += [summary.id] if len(set(text.split())) > 1 else []
        searches += 1
    results.put((searches, wrong))


def not_whole(passages: list[Passage]) -> list[str]:
    """Documents found twice or in two generations. A new one may still lack passages, a replaced one is old or new."""
    texts: dict[str, list[str]] = {}
    for passage in passages:
        texts.setdefault(passage.document_id, []).append(passage.text.split()[0])
    return [id for id, words in texts.items() if len(words) > PASSAGES or len(set(words)) > 1]


def intrude(directory: Path, stop: Event, results: Queue[Any]) -> None:
    """Try to write without waiting; tell how often that was refused."""
    refused = 0
    while not stop.is_set():
        try:
            with open_writer(directory):
                pass
        except BusyError as error:
            refused += error.exit_code == 7
        time.sleep(0.2)
    results.put(refused)


def work_together(directory: Path, model: Path, commits: int) -> None:
    encoder = BertEncoder(find_model(str(model)), RuntimeSettings(precision="fp32"))
    with open_writer(directory, Splitter(words=10)) as writer:
        add_documents(writer, [Document("always", "", " ".join(["always"] * 10 * PASSAGES))], encoder)
    acknowledged, results, refusals, stop = SPAWN.Queue(), SPAWN.Queue(), SPAWN.Queue(), SPAWN.Event()
    writers = [
        SPAWN.Process(target=write, args=(directory, model, number, commits, acknowledged), daemon=True)
        for number in range(WRITERS)
    ]
    others = [
        SPAWN.Process(target=read, args=(directory, number, stop, results), daemon=True) for number in range(READERS)
    ]
    others.append(SPAWN.Process(target=intrude, args=(directory, stop, refusals), daemon=True))
    for process in (*writers, *others):
        process.start()
    changes = [acknowledged.get(timeout=WAIT_SECONDS) for _ in range(WRITERS * commits)]
    stop.set()
    reports = [results.get(timeout=WAIT_SECONDS) for _ in range(READERS)]
    assert refusals.get(timeout=WAIT_SECONDS) > 0
    for process in (*writers, *others):
        process.join(WAIT_SECONDS)
        assert process.exitcode == 0
    assert [wrong for _, wrong in reports] == [[]] * READERS
    assert all(searches for searches, _ in reports)
    expected = {id: generation for id, generation in dict(changes).items() if generation}
    with open_collection(directory) as opened:
        left = {summary.id: opened.document(summary.id) for summary in opened.summaries() if summary.id != "always"}
        assert {id: one.metadata["generation"] for id, one in left.items()} == expected
        assert {id: set(one.text.split()) for id, one in left.items()} == {
            id: {f"generation{generation}"} for id, generation in expected.items()
        }
        assert opened.counts()["to_encode"] == 0
        assert opened.version().version >= WRITERS * commits
        assert verify_store(opened) == verify_bm25(opened) == []


@pytest.mark.parametrize("commits", [pytest.param(3), pytest.param(50, marks=pytest.mark.slow)])
def test_four_writers_and_four_readers_lose_nothing_and_see_whole_documents(tmp_path, tiny_model, commits):
    work_together(tmp_path / "notes", tiny_model, commits)
