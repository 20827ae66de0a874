"""Training the extractive reader (paper section 6.1).

For a question, one passage with marked answers and m passages without: the loss is the negative
marginal log-likelihood of the answer spans in the positive passage plus the negative
log-likelihood of selecting it among the 1 + m.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from opendpr.answering.decoding import Decoding, outcome
from opendpr.errors import StateError
from opendpr.iteration import batched
from opendpr.model.batches import Batch
from opendpr.model.directory import Model, ReaderConfig, read_weights, write_model
from opendpr.model.reading import BATCHES, SpanReader
from opendpr.model.tokenizer import Tokenizer
from opendpr.model.torch import ReaderNetwork, choose_device, load_weights, stored_name, stored_weights
from opendpr.storage.atomic import write_json
from opendpr.storage.digests import file_sha256
from opendpr.text import exact_match, f1
from opendpr.training import distributed
from opendpr.training.examples import ReaderExample, read_reader_examples
from opendpr.training.loop import OnStep, Training, train
from opendpr.training.reader_objective import ReaderObjective
from opendpr.training.settings import ReaderSettings
from opendpr.types import Hit, Passage

JUDGED = 64
"""Questions read together in a validation."""


def train_reader(
    paths: Sequence[Path],
    base: Model,
    output: Path,
    settings: ReaderSettings,
    on_step: OnStep,
    dev: Path | None = None,
) -> tuple[Model, Training]:
    """Train a reader from the weights of `base` and write a model with base's encoder and that reader.

    Run again with the same arguments, it goes on where it was interrupted.

    Args:
        dev: examples that decide which weights are best; without, the last are taken

    Raises:
        InputError: the files hold no usable examples.
        BusyError: another process trains there.
        StateError: `output` holds a model already, or a checkpoint of other settings.
    """
    if (output / "config.json").exists():
        raise StateError(f"{output} holds a model already; give another directory, or remove it first")
    config = base.reader or ReaderConfig(base.require_encoder().architecture)
    device = distributed.start(torch.device(choose_device(settings.device)))
    torch.manual_seed(settings.seed)
    network = ReaderNetwork(config.architecture)
    _start_from(network, base)
    network.to(device)
    tokenizer = Tokenizer(base.tokenizer_path)
    judge = ReaderJudge(read_reader_examples([dev], 0, 0), config, tokenizer, device) if dev else None
    examples = read_reader_examples(paths, settings.negatives, settings.seed)
    objective = ReaderObjective(network, examples, tokenizer=tokenizer, config=config, settings=settings, judge=judge)
    checkpoints = output / "checkpoints"
    data = [{"file": path.name, "sha256": file_sha256(path)} for path in paths]
    origin = {"data": data, "base": base.fingerprint}
    if dev:
        origin["dev"] = file_sha256(dev)
    training = train(objective, settings, checkpoints, on_step, origin, output / "tensorboard")
    if distributed.rank() != 0:
        return base, training
    model = _write(output, base, config, network)
    tail = training.losses[-100:]
    record = {
        "part": "reader",
        "base": base.name,
        "base_training": base.training_record(),
        "base_fingerprint": base.fingerprint,
        "data": data,
        "examples": len(objective.examples),
        "torch": torch.__version__,
        "settings": {**asdict(settings), "precision": training.precision, "device": device.type},
        "steps": len(training.losses),
        "best_step": training.best_step,
        "loss": sum(tail) / len(tail),
        "validations": training.validations,
    }
    write_json(output / "training.json", record)
    shutil.rmtree(checkpoints)
    return model, training


def _start_from(network: ReaderNetwork, base: Model) -> None:
    """The base's reader if it has one, else its passage tower under fresh output layers."""
    weights = base.load_weights("reader" if base.reader else "passage")
    fresh = {stored_name(name): value.numpy() for name, value in network.state_dict().items()}
    load_weights(network, {**fresh, **weights})


def _write(output: Path, base: Model, config: ReaderConfig, network: ReaderNetwork) -> Model:
    """The base with the new reader; what was fitted for the old one is left out, only lambda knows nothing of it."""
    encoder = base.encoder
    towers = {base.weights_path("question"), base.weights_path("passage")} if encoder else set()
    weights = {path.parent.name: read_weights(path) for path in towers}
    return write_model(
        output,
        name=output.name,
        tokenizer=base.tokenizer_path,
        encoder=(encoder, weights) if encoder else None,
        reader=(config, stored_weights(network)),
        retrieval={name: value for name, value in base.retrieval.items() if name == "lambda"},
    )


class ReaderJudge:
    """Exact match and F1 of the best answer out of the passages that each example has.

    Args:
        examples: with one passage each, the gold one is given; with negatives it must be chosen too
    """

    def __init__(
        self, examples: Sequence[ReaderExample], config: ReaderConfig, tokenizer: Tokenizer, device: torch.device
    ) -> None:
        self._examples, self._config, self._tokenizer, self._device = examples, config, tokenizer, device

    def judge(self, network: nn.Module) -> dict[str, float]:
        """Figures in per cent; F1 decides. A pattern has no words to share: its F1 is the exact match."""
        reader = SpanReader(self._config, self._tokenizer, _Running(network, self._device), BATCHES[self._device.type])
        exact, shared = 0.0, 0.0
        for some in batched(self._examples, JUDGED):
            spans = reader.read([example.question.text for example in some], [_hits(example) for example in some])
            for example, found in zip(some, spans, strict=True):
                answers = outcome(found, Decoding()).answers
                text = answers[0].text if answers else ""
                question = example.question
                right = exact_match(text, question.answers, question.match)
                exact += right
                shared += f1(text, question.answers) if question.match == "string" else right
        return {"F1": 100 * shared / len(self._examples), "EM": 100 * exact / len(self._examples)}


class _Running:
    """A network in training as a `Network`, without gradients and dropout."""

    parallel = 1

    def __init__(self, network: nn.Module, device: torch.device) -> None:
        self._network, self._device = network, device

    @torch.inference_mode()
    def __call__(self, batches: Sequence[Batch]) -> list[NDArray[np.float32]]:
        found = []
        for batch in batches:
            ids, types, mask = (torch.from_numpy(array).long().to(self._device) for array in batch)
            with torch.autocast(self._device.type, dtype=torch.bfloat16, enabled=self._device.type == "cuda"):
                found.append(self._network(ids, types, mask).float().cpu().numpy())
        return found


def _hits(example: ReaderExample) -> list[Hit]:
    passages = [*example.positives, *example.negatives]
    return [Hit(Passage(n, str(n), each.title, each.text, 0), 0.0) for n, each in enumerate(passages)]
