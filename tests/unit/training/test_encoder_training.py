"""Training encoders: a model that serves, resuming, what is skipped and counted. fp32 on a CPU."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from encoder_examples import EXAMPLES, SETTINGS, objective, source
from opendpr.api.training import train_encoder
from opendpr.errors import InputError, OpendprError, UsageError
from opendpr.interop import write_examples
from opendpr.model.directory import Model
from opendpr.model.encoder import BertEncoder
from opendpr.model.runtime import RuntimeSettings
from opendpr.training.encoder import encoder_job
from opendpr.training.examples import usable_examples
from opendpr.training.pool import DevPool
from opendpr.training.run import run_training
from opendpr.training.settings import EncoderSettings
from opendpr.training.sources import Pair
from opendpr.types import ExamplePassage
from training_runs import Killed, Recorder

pytestmark = pytest.mark.usefixtures("one_thread")


def train(
    model: Path,
    output: Path,
    settings: EncoderSettings = SETTINGS,
    kill_at: int | None = None,
    interrupt_at: int | None = None,
) -> Any:
    recorder = Recorder(kill_at, interrupt_at)
    pool = DevPool(source(3).pairs(np.arange(12), np.random.default_rng(0)))
    job = encoder_job(source(), Model(model), settings, data="people", pool=pool)
    return (recorder.losses, *run_training(job, output, recorder))


@pytest.fixture(scope="module")
def undisturbed(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    torch.set_num_threads(1)
    return train(tiny_model, tmp_path_factory.mktemp("encoder") / "whole")


def test_a_tiny_training_finds_the_positives_and_writes_a_model_that_serves(undisturbed: Any, tiny_model: Path) -> None:
    losses, model, training = undisturbed
    assert len(losses) == 6
    records = training.validations
    assert records[0]["step"] == 0
    assert max(record["reciprocal rank"] for record in records[1:]) > records[0]["reciprocal rank"] + 0.05
    assert training.best_step == max(records, key=lambda record: record["reciprocal rank"])["step"]
    base = Model(tiny_model)
    assert model.fingerprint != base.fingerprint
    assert model.require_encoder().scale == 20
    saved = json.loads((model.directory / "training.json").read_text())
    assert (saved["steps"], saved["settings"]["batch_size"], saved["validations"]) == (6, 8, records)
    assert list((model.directory / "tensorboard").iterdir())
    assert model.load_weights("reader").keys() == base.load_weights("reader").keys()
    questions = [example.question.text for example in EXAMPLES[:4]]
    served = BertEncoder(model, RuntimeSettings("openvino", "fp32")).encode_questions(questions)
    np.testing.assert_allclose(
        served, BertEncoder(model, RuntimeSettings("torch", "fp32", "cpu")).encode_questions(questions), atol=1e-4
    )


@pytest.mark.parametrize(
    "leave", [{"kill_at": 1}, {"kill_at": 2}, {"kill_at": 4}, {"kill_at": 6}, {"interrupt_at": 3}], ids=str
)
def test_a_training_that_was_left_goes_on_as_if_nothing_had_happened(
    tmp_path: Path, tiny_model: Path, undisturbed: Any, leave: dict[str, int]
) -> None:
    with pytest.raises((Killed, KeyboardInterrupt)):
        train(tiny_model, tmp_path / "m", **leave)
    losses, model, training = train(tiny_model, tmp_path / "m")
    assert len(losses) == 6 - (3 if "interrupt_at" in leave else leave["kill_at"] - 1)
    np.testing.assert_allclose(training.losses, undisturbed[2].losses, rtol=0, atol=1e-6)
    assert training.validations == undisturbed[2].validations
    for name, value in model.load_weights("question").items():
        np.testing.assert_array_equal(value, undisturbed[1].load_weights("question")[name])


def test_untied_towers_are_written_to_folders_of_their_own(tmp_path: Path, tiny_model: Path) -> None:
    _, model, _ = train(tiny_model, tmp_path / "m", replace(SETTINGS, untie=True))
    assert not model.require_encoder().tied
    question, passage = model.load_weights("question"), model.load_weights("passage")
    assert any((question[name] != passage[name]).any() for name in question)


def test_half_of_the_base_lies_half_way(tmp_path: Path, tiny_model: Path, undisturbed: Any) -> None:
    _, model, _ = train(tiny_model, tmp_path / "m", replace(SETTINGS, base_share=0.5))
    name = "encoder.layer.0.output.dense.weight"
    ends = [model.load_weights("question")[name] for model in (Model(tiny_model), undisturbed[1])]
    np.testing.assert_allclose(model.load_weights("question")[name], (ends[0] + ends[1]) / 2, atol=1e-3)


def test_training_that_no_longer_helps_stops_early(tmp_path: Path, tiny_model: Path) -> None:
    settings = replace(SETTINGS, epochs=4, learning_rate=1e-30, validations=12, patience=2)
    losses, _, training = train(tiny_model, tmp_path / "m", settings)
    assert len(losses) == 2
    assert training.best_step == 0


def test_examples_without_any_negative_are_refused_before_the_first_step(tiny_model: Path) -> None:
    same = [replace(EXAMPLES[0], hard_negatives=())] * 4
    with pytest.raises(InputError, match="no batch has a negative for any of its questions"):
        objective(tiny_model, pairs=source(1, same))
    with pytest.raises(UsageError, match="no negatives at all"):
        EncoderSettings(batch_size=1, hard_negatives=0)


def test_a_loss_that_is_not_a_number_is_reported_with_its_step(tmp_path: Path, tiny_model: Path) -> None:
    with pytest.raises(OpendprError, match=r"the loss of step \d is (nan|inf)"):
        train(tiny_model, tmp_path / "m", replace(SETTINGS, learning_rate=1e30))


def test_a_batch_that_teaches_nothing_changes_nothing_and_is_counted(
    tmp_path: Path, tiny_model: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """One question asked with two positives: each passage answers, so there is no negative in that batch."""
    first, second = EXAMPLES[0].positives[0], ExamplePassage("", "They took the train to Paris.")
    both = replace(EXAMPLES[0], positives=(first, second), hard_negatives=())
    pairs = source(1, [both, both, EXAMPLES[1], EXAMPLES[2]])

    class InOrder:
        """The same pairs, the two of one question in a batch of their own."""

        def order(self, generator: np.random.Generator) -> np.ndarray:
            return np.arange(4)

        def pairs(self, numbers: np.ndarray, generator: np.random.Generator) -> list[Pair]:
            return pairs.pairs(numbers, generator)

    settings = replace(SETTINGS, batch_size=2, epochs=1)
    _, training = run_training(encoder_job(InOrder(), Model(tiny_model), settings, data="two"), tmp_path / "m")
    assert training.skipped == 1
    assert [loss == 0 for loss in training.losses] == [True, False]
    assert json.loads((tmp_path / "m" / "training.json").read_text())["skipped_steps"] == 1
    assert "skipped 1 step" in caplog.text


def test_lambda_of_the_old_encoders_is_not_copied_and_weights_of_the_reader_are(
    tmp_path: Path, tiny_model: Path
) -> None:
    base = tmp_path / "base"
    shutil.copytree(tiny_model, base)
    config = json.loads((base / "config.json").read_text())
    config["retrieval"] = {"lambda": 77.0, "passage": 0.5, "span": 0.25, "reader": 0.125}
    (base / "config.json").write_text(json.dumps(config))
    model = run_training(encoder_job(source(), Model(base), SETTINGS, data="people"), tmp_path / "m").model
    assert dict(model.retrieval) == {"lambda": 30.0, "passage": 0.5, "span": 0.25, "reader": 0.125}


def test_passages_longer_than_the_encoder_takes_are_counted(
    tmp_path: Path, tiny_model: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings = replace(SETTINGS, max_passage_tokens=12, epochs=1)
    run_training(encoder_job(source(), Model(tiny_model), settings, data="people"), tmp_path / "m")
    passages = json.loads((tmp_path / "m" / "training.json").read_text())["passages"]
    assert 0 < passages["cut"] <= passages["encoded"]
    assert f"{passages['cut']} of {passages['encoded']} passages" in caplog.text


def test_hard_negatives_with_the_text_of_a_positive_are_dropped_and_counted(caplog: pytest.LogCaptureFixture) -> None:
    twin = replace(EXAMPLES[0].positives[0], title="Another title")
    twins = replace(EXAMPLES[0], hard_negatives=(twin, *EXAMPLES[0].hard_negatives))
    assert usable_examples([twins, EXAMPLES[1]], "pairs.jsonl") == [EXAMPLES[0], EXAMPLES[1]]
    assert "pairs.jsonl: dropped 1 hard negative with" in caplog.text


def test_objects_train_as_their_file_does(tmp_path: Path, tiny_model: Path) -> None:
    write_examples(tmp_path / "e.jsonl", EXAMPLES, "jsonl")
    read = train_encoder(tmp_path / "e.jsonl", tiny_model, output=tmp_path / "a", settings=SETTINGS)
    trained = train_encoder(EXAMPLES, tiny_model, output=tmp_path / "b", settings=SETTINGS)
    assert read.training.losses == trained.training.losses
