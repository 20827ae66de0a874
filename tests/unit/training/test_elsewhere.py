"""What a process of another machine sends is what the driver's directory holds, as if it had trained there."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from opendpr.api.training import train_encoder
from opendpr.collection import open_writer
from opendpr.errors import StateError, UsageError
from opendpr.model.directory import Model
from opendpr.training.elsewhere import (
    EncoderTask,
    EncoderWork,
    Finished,
    News,
    Reception,
    base_files,
    read_files,
    train_elsewhere,
)
from opendpr.training.encoder import Weighted, example_source
from opendpr.training.settings import EncoderSettings
from opendpr.types import ExamplePassage, Question, TrainingExample

pytestmark = pytest.mark.usefixtures("one_thread")
SETTINGS = EncoderSettings(
    epochs=2,
    batch_size=4,
    learning_rate=1e-3,
    precision="fp32",
    device="cpu",
    hard_negatives=0,
    checkpoint_seconds=1e-3,
)
PLACES = ("Paris", "Rome", "Oslo", "Lima", "Cairo", "Delhi", "Quito", "Seoul")


@pytest.fixture
def examples() -> list[TrainingExample]:
    return [
        TrainingExample(Question(place, f"Where is {place}?"), (ExamplePassage(place, f"The train went to {place}."),))
        for place in PLACES
    ]


@pytest.fixture
def task(examples: list[TrainingExample], tiny_model: Path) -> EncoderTask:
    source, data, pool = example_source([Weighted(examples)], SETTINGS)
    return EncoderTask(source, data, SETTINGS, read_files(tiny_model), pool)


def test_the_model_is_that_of_a_training_here(
    examples: list[TrainingExample], task: EncoderTask, tiny_model: Path, tmp_path: Path
) -> None:
    expected = train_encoder(examples, tiny_model, output=tmp_path / "here", settings=SETTINGS).model
    steps: list[int] = []
    reception, work = Reception(tmp_path / "there", lambda done, total, loss: steps.append(done)), EncoderWork()
    with reception.held():
        finished = work.run(task)
        assert finished is not None
        reception.take(work.news(0))
        model = reception.finish(finished)
    work.close()
    assert steps == [1, 2, 3, 4]
    assert model.fingerprint == expected.fingerprint
    assert not (tmp_path / "there" / "checkpoints").exists()
    with pytest.raises(StateError, match="holds a model already"), reception.held():
        pass


class _Alone:
    """A group of one process, which is this one."""

    def __init__(self, work: EncoderWork) -> None:
        self._work = work

    def run(self, task: EncoderTask, on_news: Callable[[News], int]) -> Finished | None:
        finished = self._work.run(task)
        on_news(self._work.news(0))
        return finished


@contextmanager
def alone(make: type[EncoderWork]) -> Iterator[_Alone]:
    with closing(make()) as work:
        yield _Alone(work)


def test_one_call_does_all_of_it(
    examples: list[TrainingExample], task: EncoderTask, tiny_model: Path, tmp_path: Path
) -> None:
    expected = train_encoder(examples, tiny_model, output=tmp_path / "here", settings=SETTINGS)
    steps: list[tuple[int, int, float]] = []
    trained = train_elsewhere(
        alone,
        (task.source, task.data, task.pool),
        base=Model(tiny_model),
        output=tmp_path / "there",
        settings=SETTINGS,
        on_step=lambda *step: steps.append(step),
    )
    assert trained.model.fingerprint == expected.model.fingerprint
    assert trained.training.losses == expected.training.losses == [loss for _, _, loss in steps]


def test_python_says_what_a_cluster_needs(examples: list[TrainingExample], tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="give its address too, with on="):
        train_encoder(examples, output=tmp_path / "m", workers=2)
    with pytest.raises(UsageError, match="expected a cluster as ray://HOST:10001"):
        train_encoder(examples, output=tmp_path / "m", settings=SETTINGS, on="head")
    with open_writer(tmp_path / "notes") as notes, pytest.raises(UsageError, match="a collection is not sent"):
        train_encoder(notes, output=tmp_path / "m", on="auto")
    assert not (tmp_path / "m").exists()


def test_an_interrupted_training_goes_on_elsewhere(
    examples: list[TrainingExample],
    task: EncoderTask,
    tiny_model: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    expected = train_encoder(examples, tiny_model, output=tmp_path / "here", settings=SETTINGS).model
    reception, first = Reception(tmp_path / "there", lambda done, total, loss: None), EncoderWork()
    with reception.held():

        class Stopping(list):  # type: ignore[type-arg]
            def append(self, step: tuple[int, int, float]) -> None:
                super().append(step)
                if step[0] == 2:
                    first.interrupt()

        monkeypatch.setattr(first, "_steps", Stopping())
        assert first.run(task) is None
        assert reception.take(first.news(0)) == 2
        assert reception.take(first.news(2)) == 2
    first.close()
    again = Reception(tmp_path / "there", lambda done, total, loss: None)
    with again.held():
        rest = EncoderTask(task.source, task.data, SETTINGS, task.base, task.pool, again.checkpoints())
        with closing(EncoderWork()) as second:
            finished = second.run(rest)
        assert finished is not None
        assert len(finished.training.losses) == 4
        assert again.finish(finished).fingerprint == expected.fingerprint
    assert Model(tmp_path / "there").load_weights("passage").keys() == expected.load_weights("passage").keys()


def test_what_is_no_part_of_a_base_model_is_not_sent(tiny_model: Path, tmp_path: Path) -> None:
    base = tmp_path / "base"
    shutil.copytree(tiny_model, base)
    for name in ("improve/learned.jsonl", "tensorboard/events", "checkpoints/step-1/state"):
        (base / name).parent.mkdir(parents=True)
        (base / name).write_text("what somebody asked")
    assert base_files(base) == read_files(tiny_model)


def test_a_teacher_is_refused_before_anything_is_joined(
    examples: list[TrainingExample], tiny_model: Path, tmp_path: Path
) -> None:
    taught = replace(SETTINGS, teacher="opendpr-minilm", hard_negatives=1)
    with pytest.raises(UsageError, match="leave the teacher out"):
        train_encoder(examples, tiny_model, output=tmp_path / "there", settings=taught, on="ray://127.0.0.1:1")
    assert not (tmp_path / "there").exists()
