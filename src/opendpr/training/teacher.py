"""A teacher: a model that reads question and passage together, and so knows better than two vectors do.

Its scores of each question's own passages are computed once, before the first step (distillation of a cross-encoder:
Izacard & Grave, 2021; Ren et al., 2021, RocketQAv2).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

import torch

from opendpr.errors import StateError
from opendpr.model.directory import Model, fingerprint
from opendpr.model.reader import BertReader
from opendpr.model.reranker import CrossEncoder
from opendpr.model.runtime import RuntimeSettings
from opendpr.training.sources import Candidates
from opendpr.types import ExamplePassage, Hit, Passage, Scores

Score = Callable[[Sequence[Candidates]], list[Scores]]
"""Gives for each question the scores of its passages, -inf for one without text."""


class Teacher:
    """A model's reader, whose selection logits are the scores, or its re-ranker.

    Raises:
        StateError: the model has neither.
    """

    def __init__(self, model: Model) -> None:
        if model.reader is None and model.reranker is None:
            raise StateError(
                f"the teacher {model.name} ({model.directory}) has neither a reader nor a re-ranker, one of which "
                "has to score passages; give a model that has one, or train one with 'opendpr train reader'"
            )
        self._model = model
        self._part: Literal["reader", "reranker"] = "reader" if model.reader else "reranker"

    def record(self) -> dict[str, object]:
        """By what a record and a resumed training know it."""
        paths = [self._model.tokenizer_of(self._part), self._model.weights_path(self._part)]
        return {
            "name": self._model.name,
            "part": self._part,
            "fingerprint": fingerprint(self._model.config_of(self._part), paths),
        }

    def load(self, device: torch.device) -> Score:
        """What scores passages, in the precision that serving takes there."""
        runtime = RuntimeSettings(device="cuda" if device.type == "cuda" else "cpu")
        return _by_reader(self._model, runtime) if self._part == "reader" else _by_reranker(self._model, runtime)


def _by_reader(model: Model, runtime: RuntimeSettings) -> Score:
    reader = BertReader(model, runtime)

    def score(candidates: Sequence[Candidates]) -> list[Scores]:
        hits = [[Hit(_passage(passage), 0.0) for passage in own.passages] for own in candidates]
        return reader.passage_scores([own.question for own in candidates], hits)

    return score


def _by_reranker(model: Model, runtime: RuntimeSettings) -> Score:
    reranker = CrossEncoder(model, runtime)
    return lambda candidates: [reranker.score(own.question, list(map(_passage, own.passages))) for own in candidates]


def _passage(passage: ExamplePassage) -> Passage:
    return Passage(0, "", passage.title, passage.text, 0)
