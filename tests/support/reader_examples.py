"""Examples to train readers on."""

from __future__ import annotations

from opendpr.training.settings import ReaderSettings
from opendpr.types import ExamplePassage, Question, TrainingExample

PEOPLE = ["Ada", "Bert", "Carla", "Dora", "Emil"]
PLACES = ["Paris", "Rome", "Oslo", "Lima"]
SETTINGS = ReaderSettings(
    epochs=2, batch_size=8, learning_rate=3e-3, precision="fp32", device="cpu", dropout=0.0, negatives=2,
    negative_share=0.5, checkpoint_seconds=1e-9,
)  # fmt: skip


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
