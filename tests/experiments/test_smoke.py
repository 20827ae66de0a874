"""Every experiment runs, tiny: none can rot unseen."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
from experiments.common.catalogue import read_catalogue
from experiments.common.command import ROOT, Missing

pytestmark = pytest.mark.filterwarnings("default")  # those of other systems' packages are not ours

SCRIPTS = sorted(
    f"{folder}.{path.stem}"
    for folder in ("paper", "paper.systems", "peers", "speed")
    for path in (ROOT / "experiments" / folder.replace(".", "/")).glob("*.py")
    if "\ndef main(" in path.read_text(encoding="utf-8")
)


@pytest.fixture(scope="session")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder whose tiny model, data and collections all scripts share."""
    return tmp_path_factory.mktemp("experiments")


@pytest.fixture(autouse=True)
def few_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Child processes take one thread each, and import the experiments from anywhere."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(str(ROOT / folder) for folder in ("", "src")))


SLOW = {"speed.cluster", "speed.cluster_encode"}
"""They start servers and kill them."""


@pytest.mark.parametrize(
    "script", [pytest.param(name, marks=pytest.mark.slow) if name in SLOW else name for name in SCRIPTS]
)
def test_a_script_reports_figures_in_its_tiny_run(script: str, work: Path, tmp_path: Path) -> None:
    report = tmp_path / "figures.json"
    try:
        import_module(f"experiments.{script}").main(["--smoke", "--work", str(work), "--figures", str(report)])
    except Missing as missing:
        pytest.skip(missing.reason)
    figures = json.loads(report.read_text(encoding="utf-8"))["figures"]
    assert figures
    assert all(set(figure) == {"value", "unit", "low", "high"} for figure in figures.values())


def test_a_script_runs_as_a_module_and_its_last_line_is_json(work: Path) -> None:
    command = [sys.executable, "-m", "experiments.paper.reader", "--smoke", "--work", str(work)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, encoding="utf-8", check=True)
    assert {"EM", "F1"} <= set(json.loads(done.stdout.splitlines()[-1])["figures"])


def test_every_script_of_the_list_is_there_and_every_script_has_figures_in_the_list() -> None:
    listed = {figure_set.script for figure_set in read_catalogue().sets.values()}
    assert listed <= set(SCRIPTS)
    unlisted = {
        "paper.fit",  # makes a model
        "speed.approximate",  # its ranges are in prose
        "speed.psgs",  # measured beside other work, like the next
        "speed.stages",
    }
    assert set(SCRIPTS) - listed == unlisted
