"""Exact match and F1 are those of the official SQuAD script, on the predictions of two published systems."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from opendpr.storage.lines import read_jsonl
from opendpr.text import exact_match, f1

pytestmark = [pytest.mark.golden, pytest.mark.data]


@pytest.mark.parametrize("system", ["bert_ensemble", "logistic_regression"])
def test_exact_match_and_f1_equal_the_official_figures(data: Path, system: str) -> None:
    folder = data / "reference"
    expected = json.loads((folder / "squad_expected.json").read_text(encoding="utf-8"))[system]
    predictions = json.loads((folder / f"squad_predictions_{system}.json").read_text(encoding="utf-8"))
    gold = [record for _, record in read_jsonl(folder / "squad_gold.jsonl")]
    assert len(gold) == expected["questions"]
    matches = sum(exact_match(predictions[record["id"]], record["answers"]) for record in gold)
    shared = sum(f1(predictions[record["id"]], record["answers"]) for record in gold)
    assert 100 * matches / len(gold) == pytest.approx(expected["exact_match"], abs=5e-5)
    assert 100 * shared / len(gold) == pytest.approx(expected["f1"], abs=5e-5)
