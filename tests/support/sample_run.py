"""Records of a run of an evaluation, as small as they can be."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from opendpr.evaluation.header import AnswerSettings, CollectionHeader, RunHeader, SetHeader
from opendpr.evaluation.records import AnswerJudgement, QuestionRecord, Ranked
from opendpr.types import Question


def run_header(**changes: Any) -> RunHeader:
    """The header of a run of BM25 over one question of a set `s`."""
    collection = CollectionHeader("towns", "c0", 1, "v1", documents=1, passages=1)
    header = RunHeader(
        "0.1.0", collection, {"s": SetHeader("s.jsonl", "5e", 1)}, ["bm25"], None, AnswerSettings(k=[1], read=[])
    )
    return replace(header, **changes)


def question_record(id: str = "1", **measures: float) -> QuestionRecord:
    """A question of the set `s`, for which BM25 found nothing."""
    judgement = AnswerJudgement(
        answer_rank=None,
        document_rank=None,
        answer_ranks=[],
        hits=Ranked([], []),
        read={},
        measures=measures,
        shown={},
        problem=None,
    )
    return QuestionRecord("s", "bm25", Question(id, "which?", ("Albi",)), judgement)
