"""Training: losses by hand, checkpoints, resuming, negatives. fp32 on a CPU throughout."""

from __future__ import annotations

import json
import logging
import math
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from opendpr.errors import InputError, OpendprError, StateError, UsageError
from opendpr.interop import MarkedQuestion
from opendpr.model.directory import Model
from opendpr.model.reader import BertReader
from opendpr.model.runtime import RuntimeSettings
from opendpr.text import normalize_answer
from opendpr.training.loop import train
from opendpr.training.optimization import schedule
from opendpr.training.reader import train_reader
from opendpr.training.reader_examples import mine_negatives, read_marked_questions
from opendpr.training.settings import ReaderSettings
from opendpr.types import Hit, Passage
from training_runs import FourSteps, Killed, Recorder

pytestmark = pytest.mark.usefixtures("one_thread")

PLACES = ["Paris", "Rome", "Oslo", "Lima", "Cairo", "Delhi", "Quito", "Seoul"]
PEOPLE = ["Ada", "Bert", "Carla", "Dora", "Emil"]
SETTINGS = ReaderSettings(
    epochs=2, batch_size=8, learning_rate=3e-3, precision="fp32", checkpoint_seconds=1e-9, negative_share=0.5
)
"""A checkpoint after every step."""


@pytest.fixture(scope="module")
def examples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """40 questions with their passages; the places are the answers."""
    path = tmp_path_factory.mktemp("training") / "examples.jsonl"
    records = []
    for number, (person, place) in enumerate((person, place) for person in PEOPLE for place in PLACES):
        passage = f"In the year {1900 + number} the traveller {person} went by train to {place} and stayed there."
        question = f"Where did {person} go in {1900 + number}?"
        start = passage.index(place)
        records.append({"question": question, "passage": passage, "answer_start": start, "answer_text": place})
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return path


def run(examples: Path, base: Path, output: Path, settings: ReaderSettings = SETTINGS, **leave: int) -> Recorder:
    recorder = Recorder(**leave)
    train_reader([examples], base, output=output, settings=settings, on_step=recorder)
    return recorder


@pytest.fixture(scope="module")
def undisturbed(examples: Path, tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[float]]:
    torch.set_num_threads(1)
    output = tmp_path_factory.mktemp("trained") / "whole"
    return output, run(examples, tiny_model, output).losses


def test_the_rate_climbs_and_falls_in_lines() -> None:
    rates = [schedule(step, 100, 0.1) for step in range(100)]
    assert rates[10] == max(rates) == 1
    assert np.allclose(np.diff(rates[:10]), 1 / 11)
    assert np.allclose(np.diff(rates[10:]), -1 / 90)
    assert 0 < rates[0] < 0.1
    assert rates[-1] == pytest.approx(1 / 90)
    assert schedule(0, 1, 0.0) == 1


def test_a_tiny_training_lowers_the_loss_and_writes_a_model(
    undisturbed: tuple[Path, list[float]], tiny_model: Path
) -> None:
    output, losses = undisturbed
    assert len(losses) == 10
    assert np.mean(losses[-3:]) < np.mean(losses[:3]) - 0.3
    model, base = Model(output), Model(tiny_model)
    assert model.fingerprint == base.fingerprint, "the encoder is the base's"
    assert not (output / "checkpoints").exists()
    record = json.loads((output / "training.json").read_text())
    assert (record["steps"], record["examples"], record["settings"]["learning_rate"]) == (10, 40, 3e-3)
    passage = Passage(1, "d", "", "In the year 1900 the traveller Ada went by train to Paris.", 0)
    assert BertReader(model, RuntimeSettings("openvino", "fp32")).read(["Where did Ada go?"], [[Hit(passage, 1.0)]])[0]


@pytest.mark.parametrize("leave", [{"kill_at": 4}, {"kill_at": 6}, {"interrupt_at": 5}], ids=str)
def test_a_training_that_was_left_goes_on_as_if_nothing_had_happened(
    tmp_path: Path, examples: Path, tiny_model: Path, undisturbed: tuple[Path, list[float]], leave: dict[str, int]
) -> None:
    """Killed in a step, before its checkpoint is written, or interrupted: also over the border of an epoch."""
    output = tmp_path / "resumed"
    with pytest.raises((Killed, KeyboardInterrupt)):
        run(examples, tiny_model, output, **leave)
    assert not (output / "config.json").exists()
    resumed = run(examples, tiny_model, output)
    (step,) = leave.values()
    done = step if "interrupt_at" in leave else step - 1
    assert len(resumed.losses) == 10 - done
    np.testing.assert_allclose(resumed.losses, undisturbed[1][done:], rtol=0, atol=1e-6)
    assert json.loads((output / "training.json").read_text())["steps"] == 10
    for name, value in Model(output).load_weights("reader").items():
        np.testing.assert_allclose(value, Model(undisturbed[0]).load_weights("reader")[name], atol=1e-3)


def checkpoint(output: Path) -> Path:
    (checkpoint,) = (output / "checkpoints").glob("step-*")
    return checkpoint


@pytest.mark.parametrize("torn", ["state.safetensors", "progress.json"])
@pytest.mark.parametrize("how", ["cut", "gone"])
def test_a_torn_checkpoint_is_skipped_by_name(
    tmp_path: Path, examples: Path, tiny_model: Path, caplog: pytest.LogCaptureFixture, torn: str, how: str
) -> None:
    output = tmp_path / "m"
    with pytest.raises(Killed):
        run(examples, tiny_model, output, kill_at=3)
    path = checkpoint(output) / torn
    path.write_bytes(path.read_bytes()[:40]) if how == "cut" else path.unlink()
    with caplog.at_level(logging.WARNING), pytest.raises(Killed):
        run(examples, tiny_model, output, kill_at=1)
    assert "torn checkpoint" in caplog.text
    assert path.parent.name in caplog.text


def test_other_settings_are_refused_with_both_values(tmp_path: Path, examples: Path, tiny_model: Path) -> None:
    output = tmp_path / "m"
    with pytest.raises(Killed):
        run(examples, tiny_model, output, kill_at=3)
    with pytest.raises(StateError, match=r"dropout = 0\.1, now it is 0\.3"):
        run(examples, tiny_model, output, replace(SETTINGS, dropout=0.3))


def test_a_directory_with_a_model_is_not_trained_over(examples: Path, tiny_model: Path) -> None:
    with pytest.raises(StateError, match="holds a model already"):
        run(examples, tiny_model, tiny_model)


def explode(network: torch.nn.Linear, batch: int) -> float:
    """The third loss is not a number."""
    loss: torch.Tensor = network(torch.ones(1)).sum() ** 2 * (math.nan if batch == 3 else 1)
    loss.backward()
    return loss.item()


def test_the_share_of_the_base_is_that_of_its_weights_after_a_kill_too(
    tmp_path: Path, tiny_model: Path, examples: Path
) -> None:
    base, name = Model(tiny_model), "encoder.layer.0.output.dense.weight"
    trained = train_reader([examples], base, output=tmp_path / "trained", settings=SETTINGS).model
    halves = replace(SETTINGS, base_share=0.5)
    with pytest.raises(Killed):
        train_reader([examples], base, output=tmp_path / "half", settings=halves, on_step=Recorder(kill_at=3))
    half = train_reader([examples], base, output=tmp_path / "half", settings=halves).model
    ends = [base.load_weights("passage")[name], trained.load_weights("reader")[name]]
    np.testing.assert_allclose(half.load_weights("reader")[name], (ends[0] + ends[1]) / 2, atol=1e-3)
    assert np.abs(ends[0] - ends[1]).max() > 4e-3


def test_a_loss_that_is_not_finite_ends_the_training_and_keeps_the_checkpoint(tmp_path: Path) -> None:
    objective = FourSteps(explode)
    with pytest.raises(OpendprError, match="loss of step 3 is nan"):
        train(objective, SETTINGS, tmp_path)
    assert [path.name for path in tmp_path.glob("step-*")] == ["step-2"]
    assert all(torch.isfinite(parameter).all() for parameter in objective.network.parameters())


def test_the_handler_of_sigint_is_given_back(tmp_path: Path) -> None:
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(OpendprError):
        train(FourSteps(explode), SETTINGS, tmp_path)
    assert signal.getsignal(signal.SIGINT) is before


def test_mined_negatives_never_hold_the_answer(examples: Path) -> None:
    spans = read_marked_questions([examples])
    negatives = mine_negatives(spans, 3, seed=0)
    assert negatives == mine_negatives(spans, 3, seed=0), "the same for the same seed"
    for example, places in zip(spans, negatives, strict=True):
        assert len(places) == 3
        for place in places:
            text = f" {normalize_answer(spans[place].passage)} "
            assert not any(f" {normalize_answer(answer)} " in text for answer in example.answers)


def test_all_answers_of_a_question_rule_a_negative_out_whatever_their_case() -> None:
    spans = [
        MarkedQuestion("1", "river town", "", "river town of Bonn", ((14, "Bonn"),), ("Bonn", "the CITY")),
        MarkedQuestion("2", "river", "", "the river of the City, town", ((4, "river"),), ("river",)),
        MarkedQuestion("3", "town", "", "a river, a town: BONN!", ((11, "town"),), ("town",)),
    ]
    assert mine_negatives(spans, 1, seed=0)[0] == [], "a question all of whose passages answer it has none"


def test_no_negatives_are_mined_when_none_are_wanted(examples: Path) -> None:
    spans = read_marked_questions([examples])
    assert mine_negatives(spans, 0, seed=0) == [[] for _ in spans]


def test_examples_whose_answer_is_not_where_they_say_are_refused_by_line(tmp_path: Path) -> None:
    path = tmp_path / "bad.jsonl"
    good = {"question": "q", "passage": "in Paris", "answer_start": 3, "answer_text": "Paris"}
    path.write_text(json.dumps(good) + "\n" + json.dumps({**good, "answer_start": 2}) + "\n")
    with pytest.raises(InputError, match=r"bad\.jsonl:2: the passage holds ' Pari' at 2, not 'Paris'"):
        read_marked_questions([path])
    path.write_text(json.dumps({"question": "q"}) + "\n")
    with pytest.raises(InputError, match=r"bad\.jsonl.*marked answers"):
        read_marked_questions([path])


@pytest.mark.parametrize(
    "wrong", [{"epochs": 0}, {"batch_size": 0}, {"learning_rate": -1}, {"dropout": 1.0}, {"negatives": -1}]
)
def test_settings_out_of_range_are_refused_by_name(wrong: dict[str, Any]) -> None:
    (name,) = wrong
    with pytest.raises(UsageError, match=name):
        ReaderSettings(**wrong)
