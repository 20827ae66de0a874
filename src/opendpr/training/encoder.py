"""Training the two encoders from pairs of question and passage (paper section 3.2)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from torch import nn

from opendpr.collection import Collection
from opendpr.errors import UsageError
from opendpr.model.config import COSINE_HYBRID_WEIGHT, COSINE_SCALE, EncoderConfig
from opendpr.model.directory import Model, find_model, own_tokenizer, read_weights, write_model
from opendpr.model.encoder import EncoderInput
from opendpr.model.tokenizer import Tokenizer
from opendpr.training.encoder_objective import EncoderObjective, epoch_batches
from opendpr.training.example_teacher import ExampleTeacher
from opendpr.training.examples import file_record, objects_record, read_training_examples, usable_examples
from opendpr.training.objective import Start
from opendpr.training.pool import DevPool, dev_pool
from opendpr.training.run import Job
from opendpr.training.settings import EncoderSettings
from opendpr.training.sources import ExampleSource, InverseClozeSource, PairSource
from opendpr.training.towers import Towers
from opendpr.types import TrainingExample

Examples = str | Path | Sequence[TrainingExample]
"""A file of examples, or the examples themselves."""


class Weighted(NamedTuple):
    """A set of examples, and how often an epoch goes over it."""

    examples: Examples
    weight: float = 1.0


def examples_job(
    examples: Examples | Sequence[Weighted] | Collection,
    base: str | Path | Model,
    settings: EncoderSettings,
    *,
    dev: Examples | None = None,
    pool: str | Path | None = None,
) -> Job[tuple[NDArray[np.int64], int]]:
    """What `opendpr.train_encoder` runs here, with the same arguments.

    Raises:
        InputError: the examples cannot be read, or nothing can be learned from them.
        UsageError: settings do not fit the base, or `pool` is given without `dev`.
        StateError: there is no such base or teacher.
    """
    model = base if isinstance(base, Model) else find_model(str(base))
    source, data = _source(examples, settings)
    kept = _examples(dev)[0] if dev is not None else None
    return encoder_job(source, model, settings, data=data, pool=dev_pool(kept, pool, settings.seed))


def example_source(
    examples: Examples | Sequence[Weighted],
    settings: EncoderSettings,
    dev: Examples | None = None,
    pool: str | Path | None = None,
) -> tuple[ExampleSource, object, DevPool | None]:
    """Examples read to be sent to other machines: their source, what it was made of, and what judges the weights.

    Raises:
        InputError: the examples cannot be read, or nothing can be learned from them.
        UsageError: `pool` is given without `dev`.
    """
    source, data = _source(examples, settings)
    assert isinstance(source, ExampleSource), "these are examples, not a collection"
    kept = _examples(dev)[0] if dev is not None else None
    return source, data, dev_pool(kept, pool, settings.seed)


def encoder_job(
    source: PairSource, base: Model, settings: EncoderSettings, *, data: object, pool: DevPool | None = None
) -> Job[tuple[NDArray[np.int64], int]]:
    """The training of encoders on a source of pairs.

    Args:
        data: what the source was made of, for the record and to know an interrupted run again
        pool: what decides which weights are best; without it, the last are taken

    Raises:
        InputError: a teacher is to compare hard negatives, and there are none.
        StateError: there is no such teacher, or it scores no passages.
        UsageError: passages are to be longer than the base can read, or a teacher is given for a collection.
    """
    teacher = encoder_teacher(source, settings)
    config = trained_config(base.require_encoder(), settings)
    limit, most = settings.max_passage_tokens or config.max_passage_tokens, config.architecture.max_tokens
    if limit > most:
        raise UsageError(f"max_passage_tokens is {limit}, but {base.name} reads {most} tokens at most; give no more")
    inputs = EncoderInput(replace(config, max_passage_tokens=limit), Tokenizer(base.tokenizer_path))

    def objective(start: Start) -> EncoderObjective:
        network = Towers(config)
        network.load(base)
        pairs = _taught(source, settings, teacher, start) if teacher else source
        return EncoderObjective(network.to(start.device), pairs, inputs=inputs, settings=settings, pool=pool)

    return Job(
        part="encoder",
        base=base,
        settings=settings,
        origin={
            "data": data,
            "pool": pool.record() if pool else None,
            "teacher": teacher.record() if teacher else None,
        },
        objective=objective,
        write=partial(_write, base, config),
        resolved={"scale": config.scale, "max_passage_tokens": limit},
    )


def encoder_teacher(source: PairSource, settings: EncoderSettings) -> ExampleTeacher | None:
    """The teacher that the settings name, if it counts in the loss.

    Raises:
        UsageError: the source has no hard negatives, as sentences of a collection; and as `ExampleTeacher` does.
    """
    if not settings.is_taught:
        return None
    if not isinstance(source, ExampleSource):
        raise UsageError(
            "a teacher compares the positive of a question with its hard negatives, and the sentences of a collection "
            "have none; train on examples with hard negatives, or without a teacher"
        )
    return ExampleTeacher(settings, *source.count_examples())


def _taught(source: PairSource, settings: EncoderSettings, teacher: ExampleTeacher, start: Start) -> PairSource:
    """The source with the teacher's scores of what the training will draw."""
    assert isinstance(source, ExampleSource), "no other source has a teacher"
    return teacher.taught(source, partial(epoch_batches, source, settings), start)


def trained_config(config: EncoderConfig, settings: EncoderSettings) -> EncoderConfig:
    """The base's configuration with what the settings change."""
    scale = settings.scale or config.scale
    if not settings.scale and config.similarity == "cosine" and config.scale == 1:
        scale = COSINE_SCALE
    return replace(config, scale=scale, tied=config.tied and not settings.untie)


def _write(base: Model, config: EncoderConfig, output: Path, network: nn.Module) -> Model:
    """The base with new encoders. Weights of decoding belong to the reader and stay; lambda was the old encoders'."""
    assert isinstance(network, Towers)
    retrieval = {name: value for name, value in base.retrieval.items() if name != "lambda"}
    if config.similarity == "cosine":
        retrieval["lambda"] = COSINE_HYBRID_WEIGHT
    return write_model(
        output,
        name=output.name,
        tokenizer={"": base.tokenizer_path, **own_tokenizer(base)},
        encoder=(config, network.stored()),
        reader=(base.reader, read_weights(base.weights_path("reader"))) if base.reader else None,
        retrieval=retrieval,
    )


def _source(
    examples: Examples | Sequence[Weighted] | Collection, settings: EncoderSettings
) -> tuple[PairSource, object]:
    """Where pairs come from, and what says that an interrupted run used the same."""
    if isinstance(examples, Collection):
        return InverseClozeSource(examples), {"collection": examples.id, "version": examples.version()}
    if isinstance(examples, str | Path):
        examples = [Weighted(examples)]
    items = list(examples)
    weighted = [item for item in items if isinstance(item, Weighted)]
    if len(weighted) != len(items):
        weighted = [Weighted([item for item in items if isinstance(item, TrainingExample)])]
    sets, data = [], []
    for part, weight in weighted:
        kept, origin = _examples(part)
        sets.append(kept)
        data.append({**origin, "examples": len(kept), "weight": weight})
    return ExampleSource(sets, [weight for _, weight in weighted], settings.hard_negatives), data


def _examples(examples: Examples) -> tuple[list[TrainingExample], dict[str, object]]:
    """Examples that can be trained on, and what a record says of where they come from."""
    if isinstance(examples, str | Path):
        return read_training_examples(Path(examples)), file_record(Path(examples))
    return usable_examples(examples, "the list of examples"), objects_record(examples)
