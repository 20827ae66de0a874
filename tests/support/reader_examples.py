"""Examples to train readers on, an objective over them, and its gradients."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from opendpr.model.directory import Model
from opendpr.model.tokenizer import Tokenizer
from opendpr.model.torch import ReaderNetwork, load_weights
from opendpr.training.objective import Step
from opendpr.training.reader_examples import ReaderExample
from opendpr.training.reader_objective import ReaderObjective
from opendpr.training.settings import ReaderSettings
from opendpr.types import ExamplePassage, Question, TrainingExample

PEOPLE = ["Ada", "Bert", "Carla", "Dora", "Emil"]
PLACES = ["Paris", "Rome", "Oslo", "Lima"]
SETTINGS = ReaderSettings(
    epochs=2, batch_size=8, learning_rate=3e-3, precision="fp32", device="cpu", dropout=0.0, negatives=2,
    negative_share=0.5, checkpoint_seconds=1e-9,
)  # fmt: skip


TAUGHT = replace(SETTINGS, teacher="named", teacher_share=0.25, teacher_temperature=2.0)
"""Settings of an objective; the teacher's scores are made up."""


def text(person: str, place: str) -> str:
    return f"In {place} they say that {person} went by train to {place}, once."


EXAMPLES = [
    TrainingExample(
        Question(f"{person} {place}", f"Where did {person} go?", (place, f"to {place}")),
        (ExamplePassage(person, text(person, place)), ExamplePassage(person, "Nothing is said here.")),
        tuple(ExamplePassage(person, f"{person} never saw {other}.") for other in PLACES if other != place),
    )
    for person in PEOPLE
    for place in PLACES
]


def reader_objective(model: Path, examples: Sequence[ReaderExample], settings: ReaderSettings) -> ReaderObjective:
    opened = Model(model)
    config = opened.require_reader()
    network = ReaderNetwork(config.architecture)
    load_weights(network, opened.load_weights("reader"))
    tokenizer = Tokenizer(opened.tokenizer_path)
    return ReaderObjective(network, examples, tokenizer=tokenizer, config=config, settings=settings)


def made_up(examples: Sequence[ReaderExample]) -> list[np.ndarray]:
    """Scores of a teacher for the candidates of each example."""
    generator = np.random.default_rng(7)
    sizes = [len(example.positives) + len(example.negatives) for example in examples]
    return [generator.normal(0, 2, size).astype(np.float32) for size in sizes]


def taught_objective(model: Path, examples: Sequence[ReaderExample], settings: ReaderSettings) -> ReaderObjective:
    trained = reader_objective(model, examples, settings)
    trained.source = trained.source.with_scores(made_up(trained.examples))
    return trained


def full(trained: ReaderObjective) -> tuple[np.ndarray, int]:
    """A batch of 8 questions, of which 4 get negatives."""
    return next(batch for batch in trained.batches(0) if len(batch[0]) == 8)


def gradients_of(trained: ReaderObjective) -> dict[str, np.ndarray]:
    """Those that the parameters have."""
    parameters = trained.network.named_parameters()
    return {name: p.grad.to_dense().numpy().copy() for name, p in parameters if p.grad is not None}


def gradients(trained: ReaderObjective) -> tuple[float, dict[str, np.ndarray]]:
    """Loss and gradients of a full batch."""
    loss = trained.backward(full(trained), Step(seed=5, dropout=0.0, bf16=False))
    return loss, gradients_of(trained)
