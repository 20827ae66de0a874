"""`make figures`: ok, differs, failed, skipped; what is finished is not run again."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from experiments.common.catalogue import FigureSet, Stored
from experiments.common.command import ROOT
from experiments.figures import Runner, main, short_sets

STORED = {"EM": Stored(Decimal("68.2")), "rate": Stored(Decimal("9"))}
SAMPLE = FigureSet("sample", "sample_experiment", "quality", "here", date(2026, 1, 1), STORED, needs=("value.txt",))


@pytest.fixture
def runner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Runner:
    """A runner whose only script is `sample_experiment`."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(str(ROOT / folder) for folder in ("", "src", "tests/support")))
    return Runner(tmp_path, tmp_path, package="")


def give(runner: Runner, value: str) -> None:
    (runner.data / "value.txt").write_text(value, encoding="utf-8")


def runs(runner: Runner) -> int:
    path = runner.work / "runs.txt"
    return len(path.read_text(encoding="utf-8").splitlines()) if path.exists() else 0


def test_a_value_that_rounds_to_the_stored_one_is_ok_and_speed_is_not_compared(runner: Runner) -> None:
    give(runner, "68.24")
    assert runner.run(SAMPLE).word == "ok"


def test_another_value_differs_and_is_named_beside_the_stored_one(runner: Runner) -> None:
    give(runner, "67.9")
    outcome = runner.run(SAMPLE)
    assert (outcome.word, outcome.details) == ("differs", ("EM is 67.9, stored is 68.2",))


def test_a_finished_set_is_not_run_again(runner: Runner) -> None:
    give(runner, "68.2")
    assert [runner.run(SAMPLE).word for _ in range(2)] == ["ok", "ok"]
    assert runs(runner) == 1


def test_a_script_that_fails_leaves_no_result(runner: Runner) -> None:
    give(runner, "no number")
    outcome = runner.run(SAMPLE)
    assert outcome.word == "failed"
    assert "could not convert string to float" in outcome.details[0]
    assert runner.results.find(SAMPLE) is None


def test_a_script_that_misses_a_package_is_skipped_with_its_name(runner: Runner) -> None:
    give(runner, "missing")
    outcome = runner.run(SAMPLE)
    assert (outcome.word, outcome.details) == ("skipped", ("a package is not installed",))


def test_a_set_whose_data_is_not_here_is_skipped(runner: Runner) -> None:
    outcome = runner.run(SAMPLE)
    assert (outcome.word, outcome.details) == ("skipped", ("needs value.txt",))


def test_an_unknown_set_is_refused_with_the_nearest_name(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["reader-fp23"]) == 2
    assert "did you mean 'reader-fp32'" in capsys.readouterr().err


def test_short_sets_are_those_that_are_known_to_be_short_or_have_a_result(runner: Runner) -> None:
    short, long = replace(SAMPLE, name="short", minutes=Decimal(2)), replace(SAMPLE, name="long", minutes=Decimal(99))
    assert short_sets(runner, [SAMPLE, short, long], 15) == [short]
    give(runner, "68.2")
    runner.run(SAMPLE)
    assert short_sets(runner, [SAMPLE, short, long], 15) == [SAMPLE, short]
