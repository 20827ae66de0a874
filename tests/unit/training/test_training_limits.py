"""What training does at its limits: figures that are no numbers, full disks, settings that cannot work."""

from __future__ import annotations

import json
import math
import resource
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from encoder_examples import EXAMPLES, SETTINGS, source
from opendpr.collection import open_collection
from opendpr.errors import OpendprError, ResourceError, StateError, UsageError
from opendpr.model.directory import Model
from opendpr.training import distributed
from opendpr.training.checkpoint import BEST_WEIGHTS
from opendpr.training.encoder import encoder_job
from opendpr.training.loop import train
from opendpr.training.pool import DevPool, _rank
from opendpr.training.run import run_training
from opendpr.training.settings import EncoderSettings, LoopSettings
from opendpr.training.sources import ExampleSource, InverseClozeSource
from opendpr.types import ExamplePassage
from training_runs import FourSteps, Killed, Recorder

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.mark.parametrize(
    ("scores", "positives", "rank"),
    [
        ([0.5, 0.9, 0.2], [0], 2),
        ([0.5, 0.9, 0.2], [2, 1], 1),
        ([0.5, 0.5, 0.5, 0.5], [1], 4),
        ([0.5, 0.5, 0.5, 0.2], [1, 3], 3),
        ([math.nan] * 3, [0], 3),
    ],
)
def test_a_rank_counts_all_that_do_not_score_less_than_the_best_positive(
    scores: list[float], positives: list[int], rank: int
) -> None:
    assert _rank(torch.tensor(scores), positives).item() == rank


def climb(network: torch.nn.Linear, batch: int) -> float:
    """The losses are finite, the gradient of the third step is not."""
    for parameter in network.parameters():
        parameter.grad = torch.full_like(parameter, math.inf if batch == 3 else 0.1)
    return 1.0


def test_a_gradient_that_is_not_finite_never_reaches_the_weights(tmp_path: Path) -> None:
    objective = FourSteps(climb)
    with pytest.raises(OpendprError, match="the length of the gradient of step 3 is inf; start again"):
        train(objective, SETTINGS, tmp_path)
    assert [path.name for path in tmp_path.glob("step-*")] == ["step-2"]
    assert all(torch.isfinite(parameter).all() for parameter in objective.network.parameters())


def test_a_full_gpu_is_reported_as_such(tmp_path: Path) -> None:
    def fill(network: torch.nn.Linear, batch: int) -> float:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has ...")

    with pytest.raises(ResourceError, match=r"GPU is full \(CUDA out of memory\); train with a smaller batch_size"):
        train(FourSteps(fill), SETTINGS, tmp_path)


def test_more_processes_than_gpus_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "1000")
    monkeypatch.setenv("LOCAL_RANK", "999")
    with pytest.raises(UsageError, match=r"process 1000 here has no GPU, torch finds \d+"):
        distributed.start(torch.device("cuda"))


SAVE = """
import sys
from pathlib import Path

import torch

from opendpr.errors import ResourceError
from opendpr.training.checkpoint import save_best

try:
    save_best(Path(sys.argv[1]), torch.nn.Linear(100, 100))
except ResourceError as error:
    print(error)
"""


def test_weights_that_the_disk_does_not_take_are_an_error_with_their_path(tmp_path: Path) -> None:
    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (4_096, 4_096))  # in a child: the tests' own output may be a file

    command = [sys.executable, "-c", SAVE, tmp_path]
    done = subprocess.run(command, capture_output=True, text=True, check=True, preexec_fn=limited)
    assert f"{tmp_path / 'best.safetensors'} cannot be written" in done.stdout
    assert not (tmp_path / BEST_WEIGHTS).exists()


@pytest.mark.parametrize("value", [math.inf, math.nan])
@pytest.mark.parametrize(
    "name", ["epochs", "learning_rate", "weight_decay", "max_gradient_norm", "scale", "memory_gib", "base_share"]
)
def test_settings_that_are_no_numbers_are_refused_by_name(name: str, value: float) -> None:
    with pytest.raises(UsageError, match=f"{name} must be a finite number, got {value}"):
        EncoderSettings(**{name: value})  # type: ignore[arg-type]


@pytest.mark.parametrize("seed", [-1, 2**32])
def test_a_seed_that_no_generator_takes_is_refused(seed: int) -> None:
    with pytest.raises(UsageError, match=rf"seed must lie in \[0, 4,294,967,296\), got {seed}"):
        LoopSettings(seed=seed)


def test_passages_are_not_cut_to_nothing_nor_left_longer_than_the_network_reads(
    tmp_path: Path, tiny_model: Path
) -> None:
    with pytest.raises(UsageError, match="max_passage_tokens must be 0, or 8 or more, got 5"):
        EncoderSettings(max_passage_tokens=5)
    with pytest.raises(UsageError, match="max_passage_tokens is 513, but tiny reads 512 tokens at most"):
        trained(tiny_model, tmp_path / "m", replace(SETTINGS, max_passage_tokens=513))


@pytest.mark.parametrize(
    ("weight", "message"),
    [
        (math.nan, "got nan"),
        (math.inf, "got inf"),
        (0.0, "got 0.0"),
        (-1.0, "got -1.0"),
        (0.1, "4 examples leaves none"),
    ],
)
def test_weights_that_leave_nothing_of_a_set_or_have_no_end_are_refused(weight: float, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        ExampleSource([EXAMPLES, EXAMPLES[:4]], [1.0, weight], 1)


def trained(
    model: Path, output: Path, settings: EncoderSettings, pool: DevPool | None = None, kill_at: int | None = None
) -> dict[str, Any]:
    """Train on the examples; what `training.json` says."""
    job = encoder_job(source(), Model(model), settings, data="people", pool=pool)
    run_training(job, output, Recorder(kill_at))
    return dict(json.loads((output / "training.json").read_text()))


def test_another_pool_is_not_gone_on_with(tmp_path: Path, tiny_model: Path) -> None:
    pairs = source(3).pairs(np.arange(12), np.random.default_rng(0))
    pool, larger = DevPool(pairs), DevPool(pairs, [ExamplePassage("", "Nothing at all.")])
    with pytest.raises(Killed):
        trained(tiny_model, tmp_path / "m", SETTINGS, pool, kill_at=3)
    for other in (larger, None):
        with pytest.raises(StateError, match=r"was made with pool = \{'questions': 12, 'passages': 24"):
            trained(tiny_model, tmp_path / "m", SETTINGS, other)
    assert trained(tiny_model, tmp_path / "m", SETTINGS, pool)["pool"] == pool.record()


def test_settings_that_do_not_change_the_result_may_change_on_the_way(tmp_path: Path, tiny_model: Path) -> None:
    with pytest.raises(Killed):
        trained(tiny_model, tmp_path / "m", SETTINGS, kill_at=3)
    record = trained(tiny_model, tmp_path / "m", replace(SETTINGS, memory_gib=0.5, checkpoint_seconds=60))
    assert record["steps"] == 6


def test_a_training_goes_on_in_the_precision_it_began_in_and_says_it(tmp_path: Path, tiny_model: Path) -> None:
    settings = replace(SETTINGS, precision="auto", device="auto")
    with pytest.raises(Killed):
        trained(tiny_model, tmp_path / "m", settings, kill_at=3)
    (progress,) = (tmp_path / "m" / "checkpoints").glob("step-*/progress.json")
    saved = json.loads(progress.read_text())
    other = {"fp32": "bf16", "bf16": "fp32"}[saved["precision"]]
    progress.write_text(json.dumps({**saved, "precision": other}))
    resolved = trained(tiny_model, tmp_path / "m", settings)["settings"]
    assert resolved["precision"] == other
    assert resolved["device"] == ("cuda" if torch.cuda.is_available() else "cpu")
    assert resolved["scale"] == 20
    assert resolved["max_passage_tokens"] == Model(tiny_model).require_encoder().max_passage_tokens


def test_documents_that_go_while_they_are_trained_on_are_reported(tmp_path: Path, run: Any, tiny_model: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.txt").write_text(
            f"The sentence number {name} is about ships. Another one tells of trains."
        )
    done = run("add", tmp_path / "c", tmp_path / "a.txt", tmp_path / "b.txt", "--model", tiny_model, "--json")
    assert done.returncode == 0, done.stderr
    with open_collection(tmp_path / "c") as collection:
        cloze = InverseClozeSource(collection)
        numbers = cloze.order(np.random.default_rng(0))
        id = next(collection.passages_after(0)).document_id
        assert run("remove", tmp_path / "c", id).returncode == 0
        with pytest.raises(StateError, match=r"passage 1 is no longer in .*, whose documents were changed"):
            cloze.pairs(numbers, np.random.default_rng(0))
