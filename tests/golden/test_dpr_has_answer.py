"""Whether a passage holds an answer is what the original DPR code says, save for the empty answer it finds anywhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from opendpr.storage.files import read_jsonl
from opendpr.text import AnswerMatcher, AnswerScan, has_answer

pytestmark = [pytest.mark.golden, pytest.mark.data]


@pytest.fixture
def verdicts(data: Path) -> list[dict]:
    records = [record for _, record in read_jsonl(data / "reference" / "dpr_has_answer.jsonl")]
    assert len(records) == 2_064
    usable = [record for record in records if record["answers"] != [""]]
    assert len(usable) == 2_063
    return usable


def test_every_verdict_is_that_of_dpr(verdicts: list[dict]) -> None:
    other = [v for v in verdicts if has_answer(v["answers"], v["passage"], v["match"]) != v["has_answer"]]
    assert other == []


def test_a_scan_of_a_collection_of_one_passage_says_the_same(verdicts: list[dict]) -> None:
    for verdict in verdicts:
        scan = AnswerScan({"question": AnswerMatcher(verdict["answers"], verdict["match"])})
        missing = scan.look_through([verdict["passage"]])
        assert bool(missing) is not verdict["has_answer"], verdict
