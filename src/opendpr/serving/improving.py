"""Making a better model of what users said of answers, as a job of the service that writes."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

from opendpr.collection import open_collection
from opendpr.errors import InputError, OpendprError
from opendpr.improving.directory import questions_state
from opendpr.improving.readiness import readiness
from opendpr.improving.round import improve
from opendpr.improving.rounds import Round, rounds
from opendpr.improving.settings import LEAST_QUESTIONS
from opendpr.improving.switching import switch
from opendpr.iteration import OnStage
from opendpr.model.runtime import RuntimeSettings
from opendpr.serving.improvement_records import DifferenceRecord, ImprovementRecord, ImprovementsRecord
from opendpr.serving.jobs import WRITER_WAIT_SECONDS, Jobs, Work
from opendpr.serving.records import JobKind, JobRecord


class ConflictError(OpendprError):
    """The collection, or a job, is in a state in which that cannot be done."""


class Improvements:
    """The improvements of a served collection; its calls read documents and wait for the disk.

    Args:
        jobs: what does the work; None where the service does not write
        refusal: why none can be made here; empty if one can
    """

    def __init__(self, directory: Path, runtime: RuntimeSettings, jobs: Jobs | None, *, refusal: str = "") -> None:
        self._directory, self._runtime, self._jobs, self.refusal = directory, runtime, jobs, refusal
        self._lock = threading.Lock()
        self._job: JobRecord | None = None

    def status(self) -> ImprovementsRecord:
        """How many questions are judged, what is missing, and what the latest improvement came to.

        Raises:
            CorruptionError: a judgement or the state of a round is not what was written.
        """
        job = self.job  # first: what one that is over has changed is in what is read below
        with open_collection(self._directory) as collection:
            ready, begun = readiness(collection), rounds(self._directory, collection.id)
        usable, latest = ready.usable, begun[-1] if begun else None
        return ImprovementsRecord(
            judged=ready.judged,
            needed=LEAST_QUESTIONS,
            usable=len(usable.questions),
            learned=len(ready.parts.learned),
            apart=len(ready.parts.apart),
            left_out={reason: len(texts) for reason, texts in usable.left_out.items()},
            missing=self.refusal or ready.missing,
            latest=self._record(latest) if latest else None,
            is_judged_since=latest is None or questions_state(ready.parts) != latest.state["questions"],
            job=job.id if job else None,
        )

    @property
    def job(self) -> JobRecord | None:
        """The job that is on its way."""
        job = self._job
        return job if job is not None and _is_on_its_way(job) else None

    def get(self, id: str) -> ImprovementRecord:
        """An improvement.

        Raises:
            InputError: there is none of that id.
        """
        return self._record(self._round(id))

    def start(self) -> JobRecord:
        """Make a model of the judged questions, or go on where that was interrupted.

        Raises:
            ConflictError: an improvement is on its way, or too few questions are judged.
            FullError: too many jobs wait.
        """
        with open_collection(self._directory) as collection:
            missing = self.refusal or readiness(collection).missing
        if missing:
            raise ConflictError(missing)

        def work(record: JobRecord, show: OnStage) -> None:
            made = improve(self._directory, runtime=self._runtime, on_progress=show)
            with open_collection(self._directory) as collection:
                begun = rounds(self._directory, collection.id)
            record.improvement = next(own.id for own in begun if own.directory == made.model)

        return self._submit("improve", "", work)

    def apply(self, id: str) -> JobRecord:
        """Let the collection answer with the model of an improvement.

        Raises:
            InputError: there is none of that id.
            ConflictError: it is not finished, not shown to be better, or of another model than the one in use; or
                another improvement is on its way.
            FullError: too many jobs wait.
        """
        record = self.get(id)
        if not record.can_apply:
            raise ConflictError(f"improvement {id!r} cannot be applied: {self._objection(record)}")
        return self._submit("apply", id, self._switching(record.model, self._model_in_use()))

    def undo(self, id: str) -> JobRecord:
        """Let the collection answer with the model from before an improvement again; raises as `apply`."""
        record = self.get(id)
        if not record.is_applied:
            raise ConflictError(f"improvement {id!r} cannot be undone: the collection does not answer with its model")
        return self._submit("undo", id, self._switching(record.before, self._model_in_use()))

    def _switching(self, model: str, in_use: str) -> Work:
        """What gives the collection a model, in place of the one in use when that was asked for."""

        def work(record: JobRecord, show: OnStage) -> None:
            if (now := self._model_in_use()) != in_use:
                raise ConflictError(f"the collection was given another model, {now}, before this began; it keeps that")
            switch(
                self._directory,
                model,
                runtime=self._runtime,
                wait_seconds=WRITER_WAIT_SECONDS,
                on_progress=lambda done, total: show("encoding", done, total),
            )

        return work

    def _submit(self, kind: JobKind, id: str, work: Work) -> JobRecord:
        if self._jobs is None or self.refusal:
            raise ConflictError(self.refusal)
        with self._lock:
            if job := self.job:
                raise ConflictError(f"an improvement is on its way already, as job {job.id}; wait for it")
            self._job = self._jobs.run(kind, work, improvement=id)
            return self._job

    def _round(self, id: str) -> Round:
        with open_collection(self._directory) as collection:
            begun = rounds(self._directory, collection.id)
        own = {begun_round.id: begun_round for begun_round in begun}.get(id)
        if own is None:
            raise InputError(f"there is no improvement {id!r}; GET /v1/improvements shows the latest")
        return own

    def _record(self, own: Round) -> ImprovementRecord:
        result = own.result()
        model = str(own.directory.absolute())
        if result is None:
            is_at_work = self._is_making() or own.is_at_work()
            return ImprovementRecord(own.id, "running" if is_at_work else "interrupted", model)
        in_use = self._model_in_use()
        is_applied = Path(in_use).resolve() == own.directory.resolve()
        return ImprovementRecord(
            own.id,
            "done",
            model,
            before=result["before"],
            learned=result["questions"]["learned"],
            apart=result["questions"]["apart"],
            is_better=result["switch"],
            verdict=result["verdict"],
            exact_match=_difference(result["exact_match"]),
            confidence_error=_difference(result["confidence_error"]),
            changes=result["changes"],
            is_applied=is_applied,
            can_apply=result["switch"] and not is_applied and in_use == result["before"],
        )

    def _is_making(self) -> bool:
        """Whether a model is being made here, whose round may not hold its lock yet."""
        job = self._job
        return job is not None and job.kind == "improve" and job.state == "running"

    def _objection(self, record: ImprovementRecord) -> str:
        """Why an improvement cannot be applied."""
        if record.state != "done":
            return "it is not finished; start it again, and it goes on where it was interrupted"
        if record.is_applied:
            return "the collection answers with its model already"
        if not record.is_better:
            return f"it is not shown to be better ({record.verdict}); the collection answers as before"
        return f"it was compared with {record.before}, and the collection answers with {self._model_in_use()} now"

    def _model_in_use(self) -> str:
        with open_collection(self._directory) as collection:
            return collection.require_encoder().model


def _is_on_its_way(job: JobRecord) -> bool:
    return job.state in ("waiting", "running")


def _difference(values: dict[str, Any]) -> DifferenceRecord:
    return DifferenceRecord(values["mean"], values["low"], values["high"])
