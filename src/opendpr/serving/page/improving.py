"""The page on which a better model is made: how many questions are judged, how far it is, what came of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import NamedTuple
from urllib.parse import parse_qs

from opendpr.errors import InputError, UsageError
from opendpr.serving.improvement_records import DifferenceRecord, ImprovementRecord
from opendpr.serving.improving import Improvements
from opendpr.serving.page.jobs import JobProgress, progress
from opendpr.serving.page.page import Page, Query, page_of, sent_to
from opendpr.serving.records import JobRecord
from opendpr.serving.rendering import address, render
from opendpr.serving.service import Service

PART_NAMES = {
    "lambda": "What similarity counts beside shared words (λ)",
    "confidence": "How sure an answer is",
    "encoder": "What finds passages (the encoder)",
    "reader": "What marks answers (the reader)",
}
"""What the page calls the parts of a model."""
POINT_DIGITS, ERROR_DIGITS = 3, 3
"""Digits after the point of a share, of which tenths of a percentage point are shown, and of a squared error."""


class Verdict(NamedTuple):
    """What the questions kept apart say of a model, in words."""

    heading: str
    sentences: list[str]


class ImprovingPages:
    """The page, and what becomes of its forms."""

    def __init__(self, service: Service) -> None:
        self._service = service

    async def show(self, query: Query, *, may_write: bool) -> Page:
        """The page, with how far a job is that is on its way or that the address names.

        Raises:
            UsageError: the service keeps no judgements.
        """
        improvements = self._improvements()
        named, is_lost = self._named(query.get("job"))  # jobs are looked at before what they change
        job = improvements.job
        current = progress(job) if job else None
        info, status = await self._service.info(), await asyncio.to_thread(improvements.status)
        latest = status.latest
        return page_of(
            render(
                "improvements.html.jinja",
                collection=info.collection,
                improves=info.improvements,
                status=status,
                latest=latest,
                verdict=verdict_of(latest) if latest and latest.state == "done" else None,
                changes=[(PART_NAMES[part], words) for part, words in latest.changes.items()] if latest else [],
                progress=named or current,
                is_busy=current is not None and not current.is_over,
                is_lost=is_lost,
                is_refused=bool(improvements.refusal),
                may_write=may_write and info.improvements,
            )
        )

    async def start(self) -> Page:
        """Start an improvement; raises as `Improvements.start`."""
        return await self._accepted(self._improvements().start)

    async def apply(self, body: bytes) -> Page:
        """Let the collection answer with the model of an improvement; raises as `Improvements.apply`."""
        improvements, id = self._improvements(), _id_in(body)
        return await self._accepted(lambda: improvements.apply(id))

    async def undo(self, body: bytes) -> Page:
        """Let the collection answer with the model before it again; raises as `Improvements.undo`."""
        improvements, id = self._improvements(), _id_in(body)
        return await self._accepted(lambda: improvements.undo(id))

    async def _accepted(self, begin: Callable[[], JobRecord]) -> Page:
        """Send the browser to where it sees how far a job is."""
        job = await asyncio.to_thread(begin)
        return sent_to(address("/improvements", "#change", job=job.id))

    def _named(self, id: str | None) -> tuple[JobProgress | None, bool]:
        """How far the job of that id is, and whether there was one that nobody knows any more."""
        if not id:
            return None, False
        try:
            return progress(self._service.job(id)), False
        except InputError:
            return None, True

    def _improvements(self) -> Improvements:
        if self._service.improvements is None:
            raise UsageError("this service keeps no judgements to learn from; 'opendpr serve --writable' does")
        return self._service.improvements


def verdict_of(record: ImprovementRecord) -> Verdict:
    """What came of an improvement that is done."""
    gain, error = record.exact_match, record.confidence_error
    assert gain and error  # it is done
    answers = _worded(
        gain,
        POINT_DIGITS,
        more="answers more of them exactly rightly",
        less="answers fewer of them exactly rightly",
        neither="is not shown to answer more or fewer of them exactly rightly",
    )
    confidence = _worded(
        error,
        ERROR_DIGITS,
        more="is farther from the truth",
        less="is closer to the truth",
        neither="is not shown to be closer to the truth or farther from it",
    )
    mean, interval = _written(gain, POINT_DIGITS, 100)
    change, error_interval = _written(error, ERROR_DIGITS)
    return Verdict(
        _heading(record, gain),
        [
            f"Both models were asked the {record.apart:,} questions kept apart. The new one {answers}: "
            f"{mean} percentage points ({interval}).",
            f"Its confidence {confidence}: the squared error changes by {change} ({error_interval}).",
        ],
    )


def _heading(record: ImprovementRecord, gain: DifferenceRecord) -> str:
    if record.is_applied:
        return "The new model is in use"
    if record.is_better:
        return "The new model is better" if gain.low > 0 else "The new model knows better when it is right"
    return "The new model is worse" if gain.high < 0 else "The new model is not shown to be better"


def _worded(value: DifferenceRecord, digits: int, *, more: str, less: str, neither: str) -> str:
    """What an interval shows, as far as its digits are written."""
    if round(value.low, digits) > 0:
        return more
    return less if round(value.high, digits) < 0 else neither


def _written(value: DifferenceRecord, digits: int, factor: int = 1) -> tuple[str, str]:
    """A difference and its interval, as `+1.6` and `95 % interval −3.2 to +6.5`.

    Args:
        digits: after the point, before the factor
    """
    shown = digits - len(str(factor)) + 1
    mean, low, high = (
        f"{factor * number:+.{shown}f}".replace("-", "\N{MINUS SIGN}") for number in (value.mean, value.low, value.high)
    )
    return mean, f"95 % interval {low} to {high}"


def _id_in(body: bytes) -> str:
    return parse_qs(body.decode("utf-8", "replace")).get("id", [""])[0]
