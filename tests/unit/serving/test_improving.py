"""Improvements of a served collection that something else changes meanwhile."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path

from opendpr.collection import open_collection
from opendpr.improving.switching import switch
from opendpr.iteration import OnStage
from opendpr.model.runtime import RuntimeSettings
from opendpr.serving.improving import Improvements
from opendpr.serving.jobs import Jobs
from opendpr.serving.records import JobRecord
from served import START_SECONDS
from ships import make_improved


def test_a_model_that_somebody_chose_while_a_switch_waited_stays(tmp_path: Path, tiny_model: Path) -> None:
    collection, other = make_improved(tmp_path, tiny_model), tmp_path / "chosen"
    shutil.copytree(tiny_model, other)
    jobs = Jobs(collection, None, RuntimeSettings(precision="fp32"))
    improvements = Improvements(collection, RuntimeSettings(precision="fp32"), jobs)
    may_end, all_done = threading.Event(), threading.Event()

    def wait(record: JobRecord, show: OnStage) -> None:
        may_end.wait()

    jobs.run("improve", wait)
    latest = improvements.status().latest
    assert latest is not None
    waiting = improvements.apply(latest.id)
    switch(collection, other)
    jobs.run("improve", lambda record, show: all_done.set())
    may_end.set()
    assert all_done.wait(START_SECONDS)
    jobs.close()
    assert waiting.state == "failed" and str(other) in (waiting.error or "")
    with open_collection(collection) as opened:
        assert opened.require_encoder().model == str(other)
