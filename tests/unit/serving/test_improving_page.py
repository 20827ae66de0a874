"""What the page says of an improvement, and whether a service makes one."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

from opendpr.iteration import OnStage
from opendpr.model.runtime import RuntimeSettings
from opendpr.search.settings import EngineSettings
from opendpr.serving.improvement_records import DifferenceRecord, ImprovementRecord, ImprovementsRecord
from opendpr.serving.page.improving import ImprovingPages, verdict_of
from opendpr.serving.page.jobs import STAGE_HEADINGS, progress
from opendpr.serving.records import JobRecord
from opendpr.serving.rendering import render
from opendpr.serving.service import Service
from opendpr.serving.settings import Settings
from served import START_SECONDS
from ships import make_improved

DONE = ImprovementRecord(
    "1",
    "done",
    "notes-improved",
    apart=31,
    is_better=True,
    exact_match=DifferenceRecord(0.129, 0.032, 0.258),
    confidence_error=DifferenceRecord(-0.031, -0.058, -0.006),
)
SAME = DifferenceRecord(0.0, -0.0324, 0.0324)


def test_a_verdict_says_what_the_intervals_show() -> None:
    better = verdict_of(DONE)
    assert better.heading == "The new model is better"
    assert better.sentences == [
        "Both models were asked the 31 questions kept apart. The new one answers more of them exactly rightly: "
        "+12.9 percentage points (95 % interval +3.2 to +25.8).",
        "Its confidence is closer to the truth: the squared error changes by "
        "\N{MINUS SIGN}0.031 (95 % interval \N{MINUS SIGN}0.058 to \N{MINUS SIGN}0.006).",
    ]
    surer = verdict_of(replace(DONE, exact_match=SAME))
    assert surer.heading == "The new model knows better when it is right"
    assert "is not shown to answer more or fewer" in surer.sentences[0]
    unreadable = DifferenceRecord(2e-4, 1e-4, 3e-4)
    stay = verdict_of(replace(DONE, is_better=False, exact_match=SAME, confidence_error=unreadable))
    assert stay.heading == "The new model is not shown to be better"
    assert "is not shown to be closer to the truth or farther" in stay.sentences[1], "no difference that can be read"
    worse = verdict_of(replace(DONE, is_better=False, exact_match=DifferenceRecord(-0.2, -0.3, -0.1)))
    assert worse.heading == "The new model is worse"
    assert "answers fewer of them exactly rightly: \N{MINUS SIGN}20.0 percentage" in worse.sentences[0]
    assert verdict_of(replace(DONE, is_applied=True)).heading == "The new model is in use"


def test_an_improvement_is_described_as_it_goes_on() -> None:
    job = JobRecord("1", "improve")
    states = [
        (replace(job), "Waiting for other changes", 0),
        (replace(job, state="running"), "Getting ready", 0),
        (replace(job, state="running", stage="mining", stage_total=9), STAGE_HEADINGS["mining"], 9),
        (replace(job, state="done"), "The improvement is done.", 1),
        (replace(job, state="failed"), "The improvement stopped", 0),
        (replace(job, kind="apply", state="done"), "Answers come from the new model now.", 1),
        (replace(job, kind="undo", state="failed"), "The change failed", 0),
    ]
    for state, heading, total in states:
        shown = progress(state)
        assert (shown.heading, shown.total) == (heading, total)
        assert shown.headings == ({} if shown.is_over else STAGE_HEADINGS)


def test_a_job_that_ends_while_a_page_is_made_of_it_is_shown_as_it_was() -> None:
    job = JobRecord("1", "undo", "running")
    shown = progress(job)
    job.state = "done"
    assert (shown.is_over, shown.heading) == (False, "Getting ready")


def test_a_page_that_was_begun_before_a_job_ended_waits_for_its_end(tmp_path: Path, tiny_model: Path) -> None:
    """Otherwise it could say that a model is in use, and offer to switch to it."""
    collection = make_improved(tmp_path, tiny_model)
    service = Service(Settings(collection, writable=True, runtime=RuntimeSettings(precision="fp32")))
    may_end = threading.Event()
    assert service.jobs

    def wait(record: JobRecord, show: OnStage) -> None:
        may_end.wait(START_SECONDS)

    job = service.jobs.run("apply", wait)

    async def page() -> str:
        making = asyncio.create_task(ImprovingPages(service).show({"job": job.id}, may_write=True))
        await asyncio.sleep(0)
        may_end.set()
        while job.state in ("waiting", "running"):
            await asyncio.sleep(0.01)
        return (await making).body.decode()

    assert f'data-events="/v1/jobs/{job.id}/events"' in asyncio.run(page())
    service.close()


def test_a_service_that_would_not_answer_with_a_new_model_makes_none(tmp_path: Path) -> None:
    writing = Settings(tmp_path / "notes", writable=True)
    assert writing.improving_refusal == ""
    assert "'opendpr improve notes'" in replace(writing, writable=False).improving_refusal
    assert "started with --model" in replace(writing, model="other").improving_refusal
    assert "started with --index" in replace(writing, engine=EngineSettings("milvus://x")).improving_refusal


def test_where_another_model_is_in_use_than_was_compared_with_an_improvement_can_be_made_of_it() -> None:
    status = ImprovementsRecord(61, 30, 61, 30, 31, {}, "", DONE, is_judged_since=False, job=None)

    def page(latest: ImprovementRecord) -> str:
        shown: dict[str, Any] = {"status": status, "latest": latest, "verdict": verdict_of(latest), "changes": []}
        return render("improvements.html.jinja", progress=None, is_lost=False, is_busy=False, may_write=True, **shown)

    assert "cannot be switched to" in page(DONE) and "Make a better model" in page(DONE)
    for latest in (replace(DONE, can_apply=True), replace(DONE, is_applied=True), replace(DONE, is_better=False)):
        assert "Nothing was judged since" in page(latest) and "Make a better model" not in page(latest)
