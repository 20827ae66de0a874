"""How far a job is, in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from opendpr.serving.records import JobKind, JobRecord
from opendpr.wording import counted

CHANGE_WORDS: Mapping[str, str] = {"relabelled": "given new labels", "unchanged": "there already"}
"""What the page calls a change of documents; others as the API does."""
STAGE_HEADINGS: Mapping[str, str] = {
    "judging before": "Asking the present model the questions kept apart",
    "mining": "Looking for passages to train on",
    "training the encoder": "Training the encoder",
    "training the reader": "Training the reader",
    "encoding": "Preparing passages for search",
    "searching": "Weighing similarity against shared words",
    "reading": "Reading, to see when to be sure",
    "judging after": "Asking the new model the questions kept apart",
}
"""What the page says while an improvement is at a stage."""
DONE_HEADINGS: Mapping[JobKind, str] = {
    "improve": "The improvement is done.",
    "apply": "Answers come from the new model now.",
    "undo": "Answers come from the model before again.",
}
"""What is said of a job that changes no documents."""


@dataclass(frozen=True)
class JobProgress:
    """How far a job is."""

    job: JobRecord
    heading: str
    done: int
    total: int
    """0 where it is not known yet."""
    headings: Mapping[str, str] = field(default_factory=dict)
    """What its stages are called."""

    @property
    def is_over(self) -> bool:
        return self.job.state in ("done", "failed")


def progress(job: JobRecord) -> JobProgress:
    """How far a job is now, which does not change while a page is made of it."""
    job = replace(job)
    if job.state == "failed":
        return JobProgress(job, "The improvement stopped" if job.kind == "improve" else "The change failed", 0, 0)
    if job.state == "done":
        return JobProgress(job, DONE_HEADINGS.get(job.kind) or _documents_done(job), 1, 1)
    if job.kind in DONE_HEADINGS:
        if job.state == "waiting":
            return JobProgress(job, "Waiting for other changes", 0, 0, STAGE_HEADINGS)
        heading = STAGE_HEADINGS.get(job.stage, "Getting ready")
        return JobProgress(job, heading, job.stage_done, job.stage_total, STAGE_HEADINGS)
    if job.state == "waiting":
        return JobProgress(job, "Waiting for other changes", 0, 0)
    if job.files_read < job.files:
        return JobProgress(job, f"Reading {counted(job.files, 'file')}", job.files_read, job.files)
    if job.kind == "remove":
        return JobProgress(job, "Removing", 0, 0)
    return JobProgress(job, "Preparing passages for search", job.passages_encoded, job.passages_to_encode)


def _documents_done(job: JobRecord) -> str:
    """What came of a change of documents, as a sentence."""
    changes = [f"{counted(count, 'document')} {CHANGE_WORDS.get(change, change)}" for change, count in _counts(job)]
    skipped = [f"{len(job.skipped):,} skipped"] if job.skipped else []
    return f"{', '.join([*changes, *skipped]) or 'Nothing to do'}."


def _counts(job: JobRecord) -> Iterable[tuple[str, int]]:
    return sorted((change, count) for change, count in job.documents.items() if count)
