"""`opendpr train encoder` as processes: several as one, and Ctrl-C."""

from __future__ import annotations

import json
import signal
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import SECONDS

from opendpr.model.directory import Model

SETTINGS = 'batch_size = 6\nlearning_rate = 0.003\nprecision = "fp32"\ndevice = "cpu"\nepochs = 3\ndropout = 0.0\n'


@pytest.fixture
def command(tmp_path: Path, tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[object]]:
    """The command for a model of this name, with more settings."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    examples = tmp_path / "examples.jsonl"
    ships = ["heron", "gull", "falcon", "swan", "raven", "petrel"]
    with examples.open("w") as file:
        for number in range(24):
            right, wrong = ({"title": "", "text": f"{ships[n % 6]} {n}: skarn {71 * n}."} for n in (number, number + 1))
            record = {"question": f"How long is {ships[number % 6]} {number}?", "positives": [right]}
            file.write(json.dumps({**record, "hard_negatives": [wrong]}) + "\n")

    def command(name: str, settings: str = SETTINGS) -> list[object]:
        toml = tmp_path / f"{name}.toml"
        toml.write_text(settings)
        output = tmp_path / name
        return ["train", "encoder", examples, "--dev", examples, "--base", tiny_model, "--settings", toml, "-o", output]

    return command


def test_two_processes_write_the_model_that_one_writes(
    tmp_path: Path, run: Any, start: Any, environment: dict[str, str], command: Callable[..., list[object]]
) -> None:
    done = run(*command("one"), env={**environment, "OMP_NUM_THREADS": "1"})
    assert done.returncode == 0, done.stderr
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    shared = {**environment, "OMP_NUM_THREADS": "1", "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    both = [start(*command("two"), env={**shared, "RANK": str(rank), "LOCAL_RANK": str(rank)}) for rank in range(2)]
    messages = [process.communicate(timeout=SECONDS)[1] for process in both]
    assert [process.returncode for process in both] == [0, 0], messages
    assert "best after step" in messages[0]
    assert not messages[1], "only the first speaks"
    alone, together = (Model(tmp_path / name) for name in ("one", "two"))
    records = [json.loads((model.directory / "training.json").read_text()) for model in (alone, together)]
    assert [record["best_step"] for record in records] == [records[0]["best_step"]] * 2
    for first, second in zip(*(record["validations"] for record in records), strict=True):
        assert first == pytest.approx(second, rel=1e-4)
    for name, value in alone.load_weights("question").items():
        if name.endswith("key.bias"):  # has no effect, so its gradient is rounding, which Adam makes large
            continue
        np.testing.assert_allclose(together.load_weights("question")[name], value, atol=1e-3, err_msg=name)


def test_a_second_training_is_refused_ctrl_c_leaves_with_130_and_the_same_command_goes_on(
    tmp_path: Path, run: Any, start: Any, command: Callable[..., list[object]]
) -> None:
    wanted = command("m", SETTINGS + "checkpoint_seconds = 1e-9\nvalidations = 1\n")
    training = start(*wanted, "--epochs", "500")
    checkpoints, deadline = tmp_path / "m" / "checkpoints", time.monotonic() + SECONDS
    while not list(checkpoints.glob("step-*/progress.json")):
        assert time.monotonic() < deadline
        assert training.poll() is None, training.stderr.read()
        time.sleep(0.01)
    second = run(*wanted, "--epochs", "500")
    assert second.returncode == 7
    assert f"another process trains {tmp_path / 'm'}; wait for it" in second.stderr
    training.send_signal(signal.SIGINT)
    _, errors = training.communicate(timeout=SECONDS)
    assert training.returncode == 130, errors
    assert "interrupted; what was done is kept" in errors
    assert "Traceback" not in errors
    assert not (tmp_path / "m" / "config.json").exists()
    (left,) = checkpoints.glob("step-*")
    step = int(left.name.removeprefix("step-"))
    again = start(*wanted, "--epochs", "500")
    while (left in checkpoints.iterdir() or not list(checkpoints.glob("step-*"))) and again.poll() is None:
        time.sleep(0.01)
    again.send_signal(signal.SIGINT)
    _, errors = again.communicate(timeout=SECONDS)
    assert again.returncode == 130, errors
    assert f"going on from step {step:,} of" in errors
    (later,) = checkpoints.glob("step-*/progress.json")
    progress = json.loads(later.read_text())
    assert progress["step"] > step
    assert len(progress["losses"]) == progress["step"]
