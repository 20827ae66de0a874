"""Examples to train encoders on, and an objective over them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from opendpr.model.directory import Model
from opendpr.model.encoder import EncoderInput
from opendpr.model.tokenizer import Tokenizer
from opendpr.training.encoder_objective import EncoderObjective
from opendpr.training.settings import EncoderSettings
from opendpr.training.sources import ExampleSource
from opendpr.training.towers import Towers
from opendpr.types import ExamplePassage, Question, TrainingExample

PEOPLE = ["Ada", "Bert", "Carla", "Dora", "Emil", "Fanny"]
PLACES = ["Paris", "Rome", "Oslo", "Lima"]
SETTINGS = EncoderSettings(
    epochs=2, batch_size=8, learning_rate=1e-3, precision="fp32", device="cpu", checkpoint_seconds=1e-9
)
"""Three steps an epoch, a checkpoint after each."""


def example(person: str, place: str) -> TrainingExample:
    positive = ExamplePassage(person, f"The traveller {person} went by train to {place} and stayed there for a while.")
    others = [ExamplePassage(person, f"The traveller {person} never saw {name}.") for name in PLACES if name != place]
    return TrainingExample(Question("", f"Where did {person} go, to {place}?"), (positive,), tuple(others))


EXAMPLES = [example(person, place) for person in PEOPLE for place in PLACES]


def source(hard_negatives: int = 1, examples: Sequence[TrainingExample] = EXAMPLES) -> ExampleSource:
    return ExampleSource([examples], [1.0], hard_negatives)


def objective(model: Path, settings: EncoderSettings = SETTINGS, pairs: Any = None) -> EncoderObjective:
    config = Model(model).require_encoder()
    network = Towers(replace(config, tied=config.tied and not settings.untie))
    network.load(Model(model))
    inputs = EncoderInput(replace(config, scale=20.0), Tokenizer(Model(model).tokenizer_path))
    return EncoderObjective(network, pairs or source(), inputs=inputs, settings=settings)
