"""Encoders with a teacher: examples, an objective whose pairs have scores, and a training."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from encoder_examples import EXAMPLES, SETTINGS, objective, source
from opendpr.model.directory import Model
from opendpr.training.encoder import encoder_job
from opendpr.training.encoder_objective import EncoderObjective
from opendpr.training.run import run_training
from opendpr.training.settings import EncoderSettings
from training_runs import Recorder

TAUGHT = replace(SETTINGS, hard_negatives=3, teacher="named", teacher_share=0.25, dropout=0.0)
"""Settings of an objective; the teacher's scores are made up."""


def taught_objective(model: Path, settings: EncoderSettings = TAUGHT) -> EncoderObjective:
    generator = np.random.default_rng(7)
    scores = [generator.normal(0, 2, 4).astype(np.float32) for _ in EXAMPLES]
    return objective(model, settings, source(3).with_scores(scores))


def train_taught(base: Path, output: Path, settings: EncoderSettings, **leave: int) -> Any:
    """The losses of this run, the model and how its training went; `leave` says at which step it is left."""
    recorder = Recorder(**leave)
    job = encoder_job(source(settings.hard_negatives), Model(base), settings, data="people")
    return (recorder.losses, *run_training(job, output, recorder))
