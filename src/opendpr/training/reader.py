"""Training the extractive reader (paper section 6.1).

For a question, one passage with marked answers and m passages without: the loss is the negative
marginal log-likelihood of the answer spans in the positive passage plus the negative
log-likelihood of selecting it among the 1 + m.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from torch import nn

from opendpr.interop import refuse_pairs
from opendpr.model.config import ReaderConfig
from opendpr.model.directory import DEFAULT_MODEL, Model, find_model, own_tokenizer, read_weights, write_model
from opendpr.model.names import stored_name
from opendpr.model.tokenizer import Tokenizer
from opendpr.model.torch import ReaderNetwork, freeze, load_weights, stored_weights
from opendpr.training.example_teacher import ExampleTeacher
from opendpr.training.examples import file_record, objects_record
from opendpr.training.loop import OnStep, silent
from opendpr.training.objective import Start
from opendpr.training.reader_examples import ReaderExample, marked_examples, read_reader_examples
from opendpr.training.reader_judge import ReaderJudge
from opendpr.training.reader_objective import ReaderObjective
from opendpr.training.run import Job, Trained, run_training
from opendpr.training.settings import ReaderSettings
from opendpr.types import TrainingExample

Examples = str | Path | Sequence[str | Path] | Sequence[TrainingExample]
"""One or several files of examples, or the examples themselves."""


def train_reader(
    examples: Examples,
    base: str | Path | Model = DEFAULT_MODEL,
    *,
    output: str | Path,
    settings: ReaderSettings = ReaderSettings(),
    dev: Examples | None = None,
    on_step: OnStep = silent,
) -> Trained:
    """Train a reader from the weights of `base` and write a model with base's encoder and that reader.

    Run again with the same arguments, it goes on where it was interrupted.

    Args:
        examples: files as `reader_examples.read_reader_examples` reads them, or `TrainingExample`s with answers
        base: a model, its directory, or the name of an installed model package; its reader may have another
            architecture than its encoder; without one, the passage encoder is where the reader starts
        output: the directory to write
        dev: examples that decide which weights are best; without, the last are taken
        on_step: called after every step with steps done, steps in all, and the loss

    Raises:
        InputError: the examples cannot be read or hold nothing to train on, or nothing that a teacher could compare.
        BusyError: another process trains there.
        StateError: `output` holds a model already, or a checkpoint of other settings, data or teacher; or there is no
            such base or teacher.
        OpendprError: a loss, a gradient or a teacher's score is not finite.
    """
    return run_training(reader_job(examples, base, settings, dev=dev), Path(output), on_step)


def reader_job(
    examples: Examples, base: str | Path | Model, settings: ReaderSettings, *, dev: Examples | None = None
) -> Job[tuple[NDArray[np.int64], int]]:
    """What `train_reader` runs, with the same arguments; raises what it does of examples, base and teacher."""
    model = base if isinstance(base, Model) else find_model(str(base))
    marked = _examples(examples, settings.negatives, settings.seed)
    judged = _examples(dev, 0, 0) if dev is not None else None
    return _job(marked, model, settings, judged)


class _MarkedExamples(NamedTuple):
    """Examples for the reader, and what a record says of where they come from."""

    data: list[dict[str, object]]
    marked: list[ReaderExample]


def _job(
    examples: _MarkedExamples, base: Model, settings: ReaderSettings, judged: _MarkedExamples | None
) -> Job[tuple[NDArray[np.int64], int]]:
    """The training of a reader; the examples in `judged` decide which weights are best, without them the last are."""
    config = replace(base.reader or ReaderConfig(base.require_encoder().architecture), selection=True)
    tokenizer = Tokenizer(base.tokenizer_of("reader"))
    teacher = None
    if settings.is_taught:
        without = sum(1 for example in examples.marked if not example.negatives)
        teacher = ExampleTeacher(settings, len(examples.marked), without)

    def objective(start: Start) -> ReaderObjective:
        device, network = start.device, ReaderNetwork(config.architecture)
        start_from(network, base)
        freeze(network, settings.frozen_layers)
        judge = ReaderJudge(judged.marked, config, tokenizer, device) if judged else None
        objective = ReaderObjective(
            network.to(device),
            examples.marked,
            tokenizer=tokenizer,
            config=config,
            settings=settings,
            judge=judge,
        )
        if teacher:
            objective.source = teacher.taught(objective.source, objective.batches, start)
        return objective

    return Job(
        part="reader",
        base=base,
        settings=settings,
        origin={
            "data": examples.data,
            "dev": _digest(judged.data) if judged else None,
            "teacher": teacher.record() if teacher else None,
        },
        objective=objective,
        write=partial(_write, base, config),
    )


def _examples(examples: Examples, negatives: int, seed: int) -> _MarkedExamples:
    items = [examples] if isinstance(examples, str | Path) else list(examples)
    paths = [Path(item) for item in items if isinstance(item, str | Path)]
    objects = [item for item in items if isinstance(item, TrainingExample)]
    if objects:
        record = {**objects_record(objects), "examples": len(objects)}
        return _MarkedExamples([record], marked_examples(objects, "the list of examples"))
    for path in paths:
        refuse_pairs(path)
    return _MarkedExamples([file_record(path) for path in paths], read_reader_examples(paths, negatives, seed))


def _digest(data: Sequence[Mapping[str, object]]) -> object:
    """The digest of one set of examples, or those of several."""
    digests = [record["sha256"] for record in data]
    return digests[0] if len(digests) == 1 else digests


def start_from(network: ReaderNetwork, base: Model) -> None:
    """The base's reader if it has one, else its passage tower under fresh output layers."""
    weights = base.load_weights("reader" if base.reader else "passage")
    fresh = {stored_name(name): value.numpy() for name, value in network.state_dict().items()}
    load_weights(network, {**fresh, **weights})


def _write(base: Model, config: ReaderConfig, output: Path, network: nn.Module) -> Model:
    """The base with the new reader; what was fitted for the old one is left out, only lambda knows nothing of it."""
    encoder = base.encoder
    towers = {base.weights_path("question"), base.weights_path("passage")} if encoder else set()
    weights = {path.parent.name: read_weights(path) for path in towers}
    return write_model(
        output,
        name=output.name,
        tokenizer={"": base.tokenizer_path, **own_tokenizer(base)},
        encoder=(encoder, weights) if encoder else None,
        reader=(config, stored_weights(network)),
        retrieval={name: value for name, value in base.retrieval.items() if name == "lambda"},
    )
