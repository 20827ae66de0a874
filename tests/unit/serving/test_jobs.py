"""Jobs of the service: what becomes of one that fails, and of those after it."""

from __future__ import annotations

import io
import logging
import os
import tempfile
import threading
import time
from pathlib import Path

import pytest

from opendpr.collection import open_collection
from opendpr.iteration import OnStage
from opendpr.model.runtime import RuntimeSettings
from opendpr.serving.jobs import Jobs
from opendpr.serving.records import JobRecord
from opendpr.serving.uploads import UPLOAD_PREFIX, Upload
from opendpr.storage.temporary import UNLOCKED_SECONDS
from opendpr.training.interruption import Interruption
from opendpr.types import Document
from served import START_SECONDS, make_rivers

BROKEN = Document("broken", "Broken", None)  # type: ignore[arg-type]  # what no caller is allowed to give
WHOLE = Document("whole", "Whole", "The river Aude runs through Limoux.")


def test_a_job_that_ends_unexpectedly_has_failed_and_the_next_one_runs(
    tmp_path: Path, tiny_model: Path, caplog: pytest.LogCaptureFixture
) -> None:
    directory = make_rivers(tmp_path / "rivers", tiny_model)
    jobs = Jobs(directory, None, RuntimeSettings(precision="fp32"))
    with caplog.at_level(logging.ERROR):
        first, second = jobs.put([BROKEN]), jobs.put([WHOLE])
        jobs.close()
    assert first.state == "failed"
    assert first.error
    assert "which its log describes" in first.error
    assert any(record.exc_info and record.exc_info[2] for record in caplog.records)
    assert second.state in ("done", "waiting")  # the service may end before all is encoded, not before it is stored
    with open_collection(directory) as collection:
        assert collection.has_document("whole")
        assert not collection.has_document("broken")


def test_uploads_that_a_killed_service_left_are_cleared_away(
    tmp_path: Path, tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    left = tmp_path / f"{UPLOAD_PREFIX}left"
    left.mkdir()
    (left / "big.pdf").write_bytes(b"x")
    long_ago = time.time() - 2 * UNLOCKED_SECONDS
    os.utime(left, (long_ago, long_ago))
    waiting = Upload([("a.txt", io.BytesIO(b"text"))])
    Jobs(make_rivers(tmp_path / "rivers", tiny_model), None, RuntimeSettings(precision="fp32")).close()
    assert not left.exists()
    assert waiting._directory.path.exists()
    waiting.close()


def test_work_ends_with_the_service_at_its_next_step_and_says_that_it_can_go_on(
    tmp_path: Path, tiny_model: Path
) -> None:
    jobs = Jobs(make_rivers(tmp_path / "rivers", tiny_model), None, RuntimeSettings(precision="fp32"))
    begun = threading.Event()
    steps: list[str] = []

    def work(record: JobRecord, show: OnStage) -> None:
        while True:
            steps.append(record.stage)
            show("searching", len(steps), 0)
            begun.set()

    record = jobs.run("improve", work)
    assert begun.wait(START_SECONDS)
    waiting = jobs.run("apply", work, improvement="1")
    jobs.close()
    assert (record.state, record.stage, record.error) == (
        "failed",
        "searching",
        "the service ended; start it again, and it goes on where it was",
    )
    assert (waiting.state, waiting.improvement, steps[0]) == ("failed", "1", "")


def test_a_training_within_work_ends_by_itself_so_that_it_can_save(tmp_path: Path, tiny_model: Path) -> None:
    jobs = Jobs(make_rivers(tmp_path / "rivers", tiny_model), None, RuntimeSettings(precision="fp32"))
    begun, saved = threading.Event(), list[bool]()

    def train(record: JobRecord, show: OnStage) -> None:
        with Interruption() as interruption:
            begun.set()
            while not interruption.requested:
                time.sleep(0.01)
                show("training the reader", 1, 2)
            saved.append(True)
            raise KeyboardInterrupt

    job = jobs.run("improve", train)
    assert begun.wait(START_SECONDS)
    jobs.close()
    assert saved == [True]
    assert job.state == "failed"
    assert "it goes on where it was" in job.error
