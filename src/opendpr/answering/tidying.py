"""Spans as people would mark them: what cannot answer anything is left out, and the others are cut at their ends."""

from __future__ import annotations

from collections.abc import Sequence

from opendpr.answering.defaults import to_default
from opendpr.answering.full_stops import without_full_stop
from opendpr.answering.marks import without_stray_marks
from opendpr.answering.placeholders import is_answer
from opendpr.answering.units import with_unit
from opendpr.types import Span


def tidied(spans: Sequence[Span], question: str = "") -> list[Span]:
    """The spans that can be answers, in the same order, as a person would cut them; all of them if none can.

    Args:
        question: a unit that it asks with is not repeated, and where it asks for a default, that is meant
    """
    cut = [without_stray_marks(to_default(span, question), question) for span in spans]
    usable = [span for span in cut if is_answer(span, question)] or cut
    return [without_full_stop(with_unit(span, question)) for span in usable]
