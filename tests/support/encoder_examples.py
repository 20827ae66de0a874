"""Examples to train encoders on, an objective over them, and its gradients."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from opendpr.model.directory import Model
from opendpr.model.encoder import EncoderInput
from opendpr.model.tokenizer import Tokenizer
from opendpr.training.encoder_objective import EncoderObjective
from opendpr.training.objective import Step
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
SMALL_GIB = 0.000_5
"""Room for the graphs of a few chunks only."""


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


def gradients(trained: EncoderObjective, dropout: float = 0.0) -> tuple[float, dict[str, np.ndarray]]:
    """Loss and gradients of the first batch."""
    step = Step(seed=5, dropout=dropout, bf16=False, chunk_tokens=trained._settings.chunk_tokens)
    loss = trained.backward(trained.batches(0)[0], step)
    assert loss is not None
    return loss, {
        name: p.grad.to_dense().numpy().copy() for name, p in trained.network.named_parameters() if p.grad is not None
    }


def assert_same(actual: tuple[float, dict[str, np.ndarray]], expected: tuple[float, dict[str, np.ndarray]]) -> None:
    assert actual[0] == pytest.approx(expected[0], abs=1e-5)
    assert actual[1].keys() == expected[1].keys()
    for name, gradient in expected[1].items():
        np.testing.assert_allclose(actual[1][name], gradient, rtol=1e-4, atol=1e-5, err_msg=name)
