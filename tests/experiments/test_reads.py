"""What was read comes back from its file as it was."""

from __future__ import annotations

from pathlib import Path

from experiments.common.reads import load_cases, write_cases

from opendpr.answering.asked_question import AskedQuestion
from opendpr.fitting.cases import Case
from opendpr.types import Hit, Passage, Question, Span, WordCounts

HIT = Hit(
    Passage(7, "walls", "The walls", "built in 1888\nof stone", 100),
    2.5,
    {"bm25": 2.5, "dense": 0.5},
    copies=(Passage(9, "copy", "The walls", "built in 1888\nof stone", 0),),
    before="Wall | Built\n",
    after=" and wood",
    column_names=("Wall", "Built"),
)
CASE = Case(
    Question("q", "When?", ("1888",), document_ids=("walls",)),
    [Span(HIT, 109, 113, "1888", -0.5, -0.25), Span(HIT, 117, 122, "stone", -0.5, -3.0)],
    removed=False,
    asked_question=AskedQuestion("When?", WordCounts(9, {"when": 3})),
    set="squad",
)
UNREAD = Case(Question("r", "what"), [], removed=True, asked_question=AskedQuestion("what"), set="handbooks")


def test_reads_are_loaded_as_they_were_written(tmp_path: Path) -> None:
    write_cases(tmp_path / "reads.jsonl", [CASE, UNREAD])
    assert list(load_cases(tmp_path / "reads.jsonl")) == [CASE, UNREAD]
