"""Training the networks of a model on judged questions, where there are enough of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from opendpr.errors import TRAINING_PACKAGES, InputError
from opendpr.improving.settings import ImproveSettings
from opendpr.interop import read_examples, read_questions
from opendpr.iteration import OnProgress
from opendpr.model.directory import Model
from opendpr.model.runtime import RuntimeSettings
from opendpr.training.miner import MiningSettings
from opendpr.training.mining import mine
from opendpr.wording import counted

if TYPE_CHECKING:
    from opendpr.training.loop import OnStep
    from opendpr.training.settings import EncoderSettings

Stage = Callable[[str], OnProgress]
"""Gives what reports how far a stage of that name is."""


class Learned(NamedTuple):
    """A model, and what became of its networks."""

    model: Model
    encoder: str
    reader: str


def train_networks(
    work: Path,
    collection: Path,
    base: Model,
    *,
    settings: ImproveSettings,
    runtime: RuntimeSettings,
    stage: Stage,
) -> Learned:
    """Mine examples from the questions to learn from, and train encoder and reader if there are enough of them."""
    questions = sum(bool(question.answers) for question in read_questions(work / "learned.jsonl"))
    least = min(settings.encoder_examples, settings.reader_examples)
    if questions < least:
        few = "{} to learn from, {} examples are needed"
        return Learned(
            base,
            f"not trained: {few.format(counted(questions, 'question'), settings.encoder_examples)}",
            f"not trained: {few.format(counted(questions, 'question'), settings.reader_examples)}",
        )
    if missing := [name for name in TRAINING_PACKAGES if not find_spec(name)]:
        reason = f"not trained: {missing[0]} is not installed; pip install 'opendpr[train]'"
        return Learned(base, reason, reason)
    try:
        examples = _mined(work, collection, runtime, stage)
    except InputError as error:
        return Learned(base, f"not trained: {error}", f"not trained: {error}")
    return _trained(work, base, examples, settings=running_on(settings, runtime), stage=stage)


def running_on(settings: ImproveSettings, runtime: RuntimeSettings) -> ImproveSettings:
    """The settings with the device and precision of `runtime`, where these are chosen and training has them."""
    chosen: dict[str, Any] = {}
    if runtime.device != "auto":
        chosen["device"] = runtime.device
    if runtime.precision in ("fp32", "bf16"):
        chosen["precision"] = runtime.precision
    return replace(settings, encoder=replace(settings.encoder, **chosen), reader=replace(settings.reader, **chosen))


def _mined(work: Path, collection: Path, runtime: RuntimeSettings, stage: Stage) -> int:
    """How many examples the questions make, which are mined once."""
    path, new = work / "examples.jsonl", work / "examples.new.jsonl"
    if not path.exists():
        mine(
            collection,
            work / "learned.jsonl",
            output=new,
            left_out=work / "left-out.jsonl",
            settings=MiningSettings(runtime=runtime),
            on_question=stage("mining"),
        )
        new.replace(path)
    return sum(1 for _ in read_examples(path))


def _trained(work: Path, base: Model, examples: int, *, settings: ImproveSettings, stage: Stage) -> Learned:
    """The model with the networks that there are enough examples for."""
    few = "not trained: " + counted(examples, "example") + ", {} are needed"
    model, encoder, reader = base, few.format(settings.encoder_examples), few.format(settings.reader_examples)
    trained = f"trained on {counted(examples, 'example')}"
    if examples >= settings.encoder_examples:
        train: Callable[..., object] = partial(_train_encoder, settings.encoder)
        model, encoder = _trained_once(train, work / "encoder", model, stage("training the encoder")), trained
    if examples >= settings.reader_examples:
        from opendpr.training.reader import train_reader

        train = partial(train_reader, settings=settings.reader)
        model, reader = _trained_once(train, work / "reader", model, stage("training the reader")), trained
    return Learned(model, encoder, reader)


def _train_encoder(settings: EncoderSettings, examples: Path, base: Model, *, output: Path, on_step: OnStep) -> None:
    from opendpr.training.encoder import examples_job
    from opendpr.training.run import run_training

    run_training(examples_job(examples, base, settings), output, on_step)


def _trained_once(train: Callable[..., object], output: Path, base: Model, show: OnProgress) -> Model:
    """What a training makes of a model and the mined examples, unless that was done."""
    if not (output / "config.json").exists():
        examples = output.with_name("examples.jsonl")
        train(examples, base, output=output, on_step=lambda done, total, loss: show(done, total))
    return Model(output)
