"""`opendpr train reader --teacher` as people use it: a model with a record, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from opendpr.interop import write_examples
from reader_examples import EXAMPLES
from refusals import refused

SETTINGS = 'batch_size = 8\nlearning_rate = 0.003\nprecision = "fp32"\ndevice = "cpu"\nepochs = 1\nnegatives = 2\n'

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture
def command(tmp_path: Path, tiny_model: Path) -> Callable[..., list[object]]:
    """The command of a training of a reader, with more arguments."""
    settings, examples = tmp_path / "settings.toml", tmp_path / "examples.jsonl"
    settings.write_text(SETTINGS)
    write_examples(examples, EXAMPLES, "jsonl")

    def command(*more: object, files: Path = examples) -> list[object]:
        return ["train", "reader", files, "--base", tiny_model, "--settings", settings, "-o", tmp_path / "m", *more]

    return command


def test_a_teacher_of_the_choice_of_passage_is_in_the_record_of_the_model(
    tmp_path: Path, run: Any, command: Callable[..., list[object]], other_model: Path
) -> None:
    options = ["--negative-share", "1", "--teacher", other_model, "--teacher-share", "0.75", "--teacher-temperature", 2]
    done = run(*command(*options))
    assert done.returncode == 0, done.stderr
    assert "3 steps by this run" in done.stderr + done.stdout
    record = json.loads((tmp_path / "m" / "training.json").read_text())
    teacher = record["teacher"]
    assert [teacher[key] for key in ("name", "part", "share", "temperature")] == ["other", "reader", 0.75, 2]
    assert (record["part"], record["settings"]["teacher"]) == ("reader", str(other_model))
    assert not (tmp_path / "m" / "checkpoints").exists()


def test_the_teacher_of_a_reader_can_stand_in_the_settings_file(
    tmp_path: Path, run: Any, command: Callable[..., list[object]], other_model: Path
) -> None:
    lines = f'teacher = "{other_model}"\nteacher_share = 0.25\nteacher_temperature = 4\n'
    (tmp_path / "settings.toml").write_text(SETTINGS + lines)
    done = run(*command("--teacher-share", "0.5"))
    assert done.returncode == 0, done.stderr
    record = json.loads((tmp_path / "m" / "training.json").read_text())["teacher"]
    assert (record["name"], record["share"], record["temperature"]) == ("other", 0.5, 4)


def test_what_cannot_teach_a_reader_is_refused(
    tmp_path: Path, run: Any, command: Callable[..., list[object]], other_model: Path
) -> None:
    bare = tmp_path / "bare.jsonl"
    write_examples(bare, [replace(example, hard_negatives=()) for example in EXAMPLES], "jsonl")
    taught = ("--teacher", other_model)
    refused(
        run(*command(*taught, files=bare)), 3, "none of 20 examples has a hard negative", "opendpr mine --negatives 8"
    )
    refused(run(*command("--teacher", tmp_path / "nowhere")), 4, "nowhere")
    refused(run(*command(*taught, "--negatives", "0")), 2, "negatives is 0, but a teacher compares", "--negatives")
    refused(
        run(*command(*taught, "--negative-share", "0")), 2, "negative_share is 0, but a teacher", "--negative-share"
    )
    refused(run(*command("--teacher-share", "0.5")), 2, "--teacher-share is of a teacher, and there is none")
    refused(run(*command("--teacher-temperature", "2")), 2, "--teacher-temperature is of a teacher, and there is none")
    assert not (tmp_path / "m").exists()
