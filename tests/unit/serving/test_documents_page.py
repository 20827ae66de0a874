"""The list of the documents: labels to choose from, and how far a change is."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace

import pytest

from opendpr.collection.filters import Comparison, parse_where
from opendpr.collection.listing import SharedValue
from opendpr.serving.events import job_events
from opendpr.serving.page.documents import ListForm, chip_groups, filter_of
from opendpr.serving.page.jobs import progress
from opendpr.serving.records import JobRecord, SkippedRecord


@pytest.mark.parametrize(
    "shared",
    [
        SharedValue("source", "it's a \\ 'manual'", 1),
        SharedValue('the "name" of it', "x", 1),
        SharedValue("and", "x", 1),
        SharedValue("größe", 1.5e-7, 1),
        SharedValue("year", -12, 1),
        SharedValue("draft", True, 1),
    ],
)
def test_a_label_is_a_filter_that_finds_it(shared: SharedValue) -> None:
    assert parse_where(filter_of(shared)) == Comparison(shared.key, "=", shared.value)


def test_labels_are_offered_where_they_part_the_documents() -> None:
    values = [
        SharedValue("", ".md", 6),
        SharedValue("", ".pdf", 4),
        SharedValue("source", "manual", 7),
        SharedValue("language", "en", 10),
        SharedValue("modified", "2020-01-01", 5),
        *(SharedValue("author", f"author {number}", 1) for number in range(9)),
    ]
    groups = chip_groups(ListForm(), values, documents=10)
    assert [(group.name, [(chip.text, chip.documents) for chip in group.chips]) for group in groups] == [
        ("kind", [("md", 6), ("pdf", 4)]),
        ("source", [("manual", 7)]),
    ]
    assert groups[0].chips[0].link == "/documents?filter=id+like+%27%25.md%27"
    many = chip_groups(ListForm(), values, documents=1_000_000)
    assert many[0].chips[0].documents is None


def test_a_chosen_label_can_be_taken_away_even_where_it_is_not_offered() -> None:
    form = ListForm("pier", ("year > 1900", "source = 'manual'"), page=3)
    groups = chip_groups(form, [SharedValue("source", "manual", 7), SharedValue("source", "letter", 3)], documents=10)
    (other,) = groups[0].chips
    assert (other.text, other.is_chosen) == ("year > 1900", True)
    assert other.link == "/documents?words=pier&filter=source+%3D+%27manual%27"
    assert [chip.is_chosen for chip in groups[1].chips] == [True, False]
    assert form.where == "(year > 1900) and (source = 'manual')"


def test_a_change_is_described_as_it_goes_on() -> None:
    job = JobRecord("1", "put", files=3)
    states = [
        (replace(job), "Waiting for other changes", 0),
        (replace(job, state="running", files_read=1), "Reading 3 files", 3),
        (replace(job, state="running", files_read=3, passages_to_encode=9), "Preparing passages for search", 9),
        (replace(job, kind="remove", state="running", files=0), "Removing", 0),
        (replace(job, state="done", documents={"added": 1, "relabelled": 2}), None, 1),
        (replace(job, state="done", skipped=[SkippedRecord("a", "b")]), "1 skipped.", 1),
        (replace(job, state="done"), "Nothing to do.", 1),
        (replace(job, state="failed"), "The change failed", 0),
    ]
    for state, heading, total in states:
        shown = progress(state)
        assert shown.heading == (heading or "1 document added, 2 documents given new labels.")
        assert shown.total == total
        assert shown.is_over == (state.state in ("done", "failed"))


def test_events_end_with_the_job_or_with_the_service() -> None:
    async def events(job: JobRecord, endings: list[bool]) -> list[str]:
        return [event.decode() async for event in job_events(job, lambda: endings.pop(0))]

    (done,) = asyncio.run(events(JobRecord("1", "put", "done"), [False]))
    assert json.loads(done.removeprefix("data: "))["state"] == "done"
    assert len(asyncio.run(events(JobRecord("1", "put"), [False, False, True]))) == 1
