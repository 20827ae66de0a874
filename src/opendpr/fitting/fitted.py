"""What was fitted for answering, and writing it into a model directory."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from opendpr.fitting.figures import FittingFigures
from opendpr.model.directory import TRAINING_FOLDERS, Model
from opendpr.storage.atomic import write_json


@dataclass(frozen=True)
class Fitted:
    """What was fitted, and its figures on the questions it was fitted on."""

    retrieval: Mapping[str, float]
    """The `retrieval` block of a model's `config.json`: lambda and the weights of decoding, by name."""
    confidence: Mapping[str, Mapping[str, float]]
    """Its `confidence` block: for each retriever the weight of each feature, `bias` and `threshold`."""
    figures: FittingFigures


def write_fitted(model: Model, directory: Path, fitted: Fitted, record: Mapping[str, object]) -> Model:
    """Write a model with what was fitted, into its own directory or as a copy. No weight and no fingerprint changes.

    Args:
        record: what it was fitted on, for `training.json`
    """
    if directory.resolve() != model.directory.resolve():
        shutil.copytree(
            model.directory,
            directory,
            dirs_exist_ok=True,
            ignore=shutil.ignore_patterns("config.json", *TRAINING_FOLDERS),
        )
    training = model.training_record() or {}
    write_json(directory / "training.json", {**training, "answering": {**record, "figures": fitted.figures.as_json()}})
    config = json.loads((model.directory / "config.json").read_text(encoding="utf-8"))
    name = config["name"] if directory.resolve() == model.directory.resolve() else directory.name
    write_json(
        directory / "config.json",
        {**config, "name": name, "retrieval": fitted.retrieval, "confidence": fitted.confidence},
    )
    return Model(directory)
