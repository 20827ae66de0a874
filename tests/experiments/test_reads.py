"""What was read comes back from its file as it was."""

from __future__ import annotations

from pathlib import Path

from experiments.paper.reads import Read, load_reads, write_reads

from opendpr.fitting.cases import Case
from opendpr.types import Hit, Passage, Question, Span

HIT = Hit(Passage(7, "walls", "The walls", "built in 1888\nof stone", 100), 2.5, {"bm25": 2.5, "dense": 0.5})
CASE = Case(
    Question("q", "When?", ("1888",), document_ids=("walls",)),
    [Span(HIT, 109, 113, "1888", -0.5, -0.25), Span(HIT, 117, 122, "stone", -0.5, -3.0)],
    removed=False,
)


def test_reads_are_loaded_as_they_were_written(tmp_path: Path) -> None:
    reads = [Read("squad", "", CASE), Read("handbooks", "informal", Case(Question("r", "what"), [], removed=True))]
    assert write_reads(tmp_path / "reads.jsonl", reads) == 2
    assert list(load_reads([tmp_path / "reads.jsonl", tmp_path / "reads.jsonl"])) == [*reads, *reads]
