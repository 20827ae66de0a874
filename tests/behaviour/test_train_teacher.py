"""`opendpr train encoder --teacher` as people use it: a model with a record, and what is refused."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import SECONDS

from opendpr.model.directory import Model
from refusals import refused
from training_runs import without_reader

SETTINGS = 'batch_size = 8\nlearning_rate = 0.003\nprecision = "fp32"\ndevice = "cpu"\nepochs = 1\nhard_negatives = 2\n'
SHIPS = ["heron", "gull", "falcon", "swan", "raven", "petrel"]

pytestmark = pytest.mark.usefixtures("one_thread")


def write_examples(path: Path, negatives: int, count: int = 24) -> Path:
    """Questions about ships, each with its passage and passages about the ships after it."""
    with path.open("w", encoding="utf-8") as file:
        for number in range(count):
            texts = [{"title": "", "text": f"{SHIPS[n % 6]} {n}: skarn {71 * n}."} for n in range(number, number + 5)]
            record = {"question": f"How long is {SHIPS[number % 6]} {number}?", "positives": texts[:1]}
            file.write(json.dumps({**record, "hard_negatives": texts[1 : 1 + negatives]}) + "\n")
    return path


@pytest.fixture
def command(tmp_path: Path, tiny_model: Path, other_model: Path) -> Callable[..., list[object]]:
    """The command of a training with a teacher, with more arguments."""
    settings = tmp_path / "settings.toml"
    settings.write_text(SETTINGS)
    examples = write_examples(tmp_path / "examples.jsonl", 4)

    def command(*more: object, files: Path = examples, teacher: Path = other_model) -> list[object]:
        places = ["--base", tiny_model, "--settings", settings, "-o", tmp_path / "m"]
        return ["train", "encoder", files, *places, "--teacher", teacher, *more]

    return command


def test_a_teacher_makes_another_model_and_is_in_its_record(
    tmp_path: Path, run: Any, command: Callable[..., list[object]], other_model: Path
) -> None:
    done = run(*command("--teacher-share", "0.75"))
    assert done.returncode == 0, done.stderr
    assert "3 steps by this run" in done.stderr + done.stdout
    record = json.loads((tmp_path / "m" / "training.json").read_text())
    assert (record["teacher"]["name"], record["teacher"]["part"], record["teacher"]["share"]) == (
        "other",
        "reader",
        0.75,
    )
    assert record["settings"]["teacher"] == str(other_model)
    assert not (tmp_path / "m" / "checkpoints").exists()
    alone = run(*command("--teacher-share", "0", "-o", tmp_path / "alone"))
    assert alone.returncode == 0, alone.stderr
    assert Model(tmp_path / "alone").fingerprint != Model(tmp_path / "m").fingerprint


def test_the_teacher_can_stand_in_the_settings_file(
    tmp_path: Path, run: Any, command: Callable[..., list[object]], other_model: Path
) -> None:
    settings = tmp_path / "settings.toml"
    settings.write_text(SETTINGS + f'teacher = "{other_model}"\nteacher_share = 0.25\nteacher_temperature = 2\n')
    words = command()
    done = run(*words[: words.index("--teacher")])
    assert done.returncode == 0, done.stderr
    record = json.loads((tmp_path / "m" / "training.json").read_text())["teacher"]
    assert (record["share"], record["temperature"]) == (0.25, 2)


def test_what_cannot_teach_is_refused(
    tmp_path: Path, run: Any, command: Callable[..., list[object]], tiny_model: Path, other_model: Path
) -> None:
    bare = write_examples(tmp_path / "bare.jsonl", 0)
    refused(run(*command(files=bare)), 3, "none of 24 examples has a hard negative", "opendpr mine --negatives 8")
    plain = without_reader(other_model, tmp_path / "plain")
    refused(run(*command(teacher=plain)), 4, "has neither a reader nor a re-ranker", "opendpr train reader")
    refused(run(*command(teacher=tmp_path / "nowhere")), 4, "nowhere")
    refused(
        run(*command("--hard-negatives", "0")), 2, "hard_negatives is 0, but a teacher compares", "--hard-negatives"
    )
    refused(run(*command("--teacher-share", "1.5")), 2, "teacher_share must lie in [0, 1], got 1.5")
    refused(run(*command("--on", "auto")), 2, "the processes of a cluster have no such model")
    words = command("--teacher-share", "0.3")
    words[words.index("--teacher") : words.index("--teacher") + 2] = []
    refused(run(*words), 2, "--teacher-share is of a teacher, and there is none")
    assert not (tmp_path / "m" / "config.json").exists()


def test_ctrl_c_while_the_teacher_scores_keeps_the_scores_and_the_same_command_goes_on(
    tmp_path: Path, run: Any, start: Any, command: Callable[..., list[object]]
) -> None:
    many = write_examples(tmp_path / "many.jsonl", 4, count=1_000)
    settings = tmp_path / "settings.toml"
    settings.write_text(SETTINGS.replace("epochs = 1", "epochs = 0.25") + "checkpoint_seconds = 1e-9\n")
    training = start(*command(files=many))
    scores, deadline = tmp_path / "m" / "checkpoints" / "teacher.safetensors", time.monotonic() + SECONDS
    while not scores.exists():
        assert time.monotonic() < deadline
        assert training.poll() is None, training.stderr.read()
        time.sleep(0.01)
    training.send_signal(signal.SIGINT)
    _, errors = training.communicate(timeout=SECONDS)
    assert training.returncode == 130, errors
    assert "interrupted; what was done is kept" in errors
    assert "Traceback" not in errors
    assert scores.exists()
    settings.write_text(settings.read_text().replace("1e-9", "300"))
    done = run(*command(files=many))
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "m" / "config.json").exists()
