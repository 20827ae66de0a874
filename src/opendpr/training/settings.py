"""What every training shares: the settings of the loop, with the paper's values where it gives them."""

from __future__ import annotations

import difflib
import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal, TypeVar

from opendpr.errors import InputError, UsageError
from opendpr.storage.compression import reason

Settings = TypeVar("Settings", bound="LoopSettings")

WITHOUT_EFFECT = frozenset({"checkpoint_seconds", "memory_gib", "chunk_tokens", "timeout_seconds"})
"""Settings that change nothing in the result but what dropout draws, so that a training may go on with others."""
LEAST_PASSAGE_TOKENS = 8
"""A passage is not cut shorter, so that beside its frame there is room for some of its title and of its text."""
TEACHER_SETTINGS = frozenset({"teacher", "teacher_share", "teacher_temperature"})
"""Settings that a training which goes on must agree on by what they mean: a model may have been moved."""
_TYPE_WORDS = {int: "a whole number", float: "a number", bool: "true or false", str: "a text"}


@dataclass(frozen=True)
class LoopSettings:
    """Settings of `training.loop`. Paper section 5: Adam, linear schedule with warm-up, dropout 0.1."""

    epochs: float = 2.0
    """Passes over the examples; a fraction stops inside a pass."""
    batch_size: int = 32
    """Questions in a step, over all processes."""
    learning_rate: float = 1e-4
    """Peak of the schedule. The paper's 1e-5 is for BERT-base; a network a fifth its size wants more."""
    warmup_fraction: float = 0.06
    """Part of all steps in which the rate climbs from 0."""
    weight_decay: float = 0.01
    max_gradient_norm: float = 1.0
    dropout: float = 0.1
    seed: int = 0
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    """What matrix products are computed in; weights stay fp32. `auto`: bf16 on a GPU or processor that gains by it."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """`auto`: a GPU if torch finds one."""
    checkpoint_seconds: float = 300.0
    """Time between checkpoints."""
    chunk_tokens: int = 0
    """Tokens computed at once; 0: 2,048 on a CPU, 65,536 on a GPU."""
    timeout_seconds: float = 1_800.0
    """How long one of several processes waits for another before the training ends with an error."""
    validations: int = 8
    """How often, evenly spread, the network is judged, if there is something to judge it by; the best is kept."""
    patience: int = 0
    """Validations without a better one after which training stops early; 0 to never stop."""
    base_share: float = 0.0
    """Share of the starting weights in the result: often keeps what the model knew of other domains. What validations
    say is of the weights before."""

    def __post_init__(self) -> None:
        for name in (field.name for field in fields(self)):
            value = getattr(self, name)
            if isinstance(value, float) and not math.isfinite(value):
                raise UsageError(f"{name} must be a finite number, got {value}")
        for name in (
            "epochs",
            "batch_size",
            "learning_rate",
            "max_gradient_norm",
            "checkpoint_seconds",
            "validations",
            "timeout_seconds",
        ):
            if not getattr(self, name) > 0:
                raise UsageError(f"{name} must be larger than 0, got {getattr(self, name)}")
        for name, choices in (("precision", ("auto", "fp32", "bf16")), ("device", ("auto", "cpu", "cuda"))):
            if getattr(self, name) not in choices:
                raise UsageError(f"{name} must be one of {', '.join(choices)}, got {getattr(self, name)!r}")
        for name in ("warmup_fraction", "dropout", "base_share"):
            if not 0 <= getattr(self, name) < 1:
                raise UsageError(f"{name} must lie in [0, 1), got {getattr(self, name)}")
        for name in ("weight_decay", "patience", "chunk_tokens"):
            if getattr(self, name) < 0:
                raise UsageError(f"{name} must be 0 or more, got {getattr(self, name)}")
        if not 0 <= self.seed < 2**32:
            raise UsageError(f"seed must lie in [0, {2**32:,}), got {self.seed}")

    def steps(self, per_epoch: int) -> int:
        """How many steps a training has, of how many an epoch has."""
        return max(1, math.ceil(per_epoch * self.epochs))


@dataclass(frozen=True)
class TaughtSettings(LoopSettings):
    """Settings of a training that may have a teacher."""

    teacher: str = ""
    """A model, by directory or name, whose reader or re-ranker scores each question's positive and hard negatives;
    these scores are learned too. Not in the paper."""
    teacher_share: float = 0.5
    """What the teacher counts in the loss beside the passages' labels, of 1: equal parts, as in RocketQAv2."""
    teacher_temperature: float = 1.0
    """What the teacher's scores are divided by before they become probabilities: 1, as in RocketQAv2 and as readers
    are trained; more is softer."""

    def __post_init__(self) -> None:
        LoopSettings.__post_init__(self)
        if not 0 <= self.teacher_share <= 1:
            raise UsageError(f"teacher_share must lie in [0, 1], got {self.teacher_share}")
        if not self.teacher_temperature > 0:
            raise UsageError(f"teacher_temperature must be larger than 0, got {self.teacher_temperature}")

    @property
    def is_taught(self) -> bool:
        """Whether a teacher counts in the loss."""
        return bool(self.teacher) and self.teacher_share > 0


@dataclass(frozen=True)
class EncoderSettings(TaughtSettings):
    """Settings of `opendpr train encoder`."""

    batch_size: int = 128
    """Questions in a step, over all processes: the paper's 128."""
    learning_rate: float = 2e-5
    hard_negatives: int = 1
    """Drawn for each question of those that its example has: the paper's best is 1."""
    untie: bool = False
    """Give questions and passages a tower each, as the paper does, where the base model has one for both."""
    scale: float = 0.0
    """Factor on the similarity in the loss; 0 takes the base model's, or 20 if that has unit vectors and none."""
    max_passage_tokens: int = 0
    """Where passages are cut while training; 0 takes the base model's."""
    memory_gib: float = 0.0
    """What the graphs of a step may take; the rest is computed twice. 0: a quarter of what is free, on a CPU 1 GiB at
    most."""

    def __post_init__(self) -> None:
        TaughtSettings.__post_init__(self)
        for name in ("hard_negatives", "scale", "max_passage_tokens", "memory_gib"):
            if getattr(self, name) < 0:
                raise UsageError(f"{name} must be 0 or more, got {getattr(self, name)}")
        if 0 < self.max_passage_tokens < LEAST_PASSAGE_TOKENS:
            raise UsageError(
                f"max_passage_tokens must be 0, or {LEAST_PASSAGE_TOKENS} or more, got {self.max_passage_tokens}"
            )
        if self.is_taught and not self.hard_negatives:
            raise UsageError(
                "hard_negatives is 0, but a teacher compares the positive of a question with its hard negatives; take "
                "1 or more (--hard-negatives), or no teacher"
            )
        if self.batch_size < 2 and not self.hard_negatives:
            raise UsageError("a batch of 1 without hard negatives has no negatives at all; take a larger batch_size")


@dataclass(frozen=True)
class ReaderSettings(TaughtSettings):
    """Settings of `opendpr train reader`."""

    negatives: int = 1
    """Passages without the answer beside each positive one; the paper samples 23 of the top 100."""
    negative_share: float = 0.25
    """Share of a step's questions that get negatives; the paper gives them to all."""
    alone_weight: float = 0.0
    """Weight of judging each passage by itself too, which makes its score comparable between questions; not in the
    paper."""
    swapped_share: float = 0.0
    """Share of the questions with negatives that are asked once more of their passage with a name or number swapped,
    as one that it does not answer; not in the paper."""
    wordings_share: float = 0.0
    """Share of a step's questions that are asked as people type them, without question word or mark, as keywords, with
    slips; not in the paper."""
    frozen_layers: int = 0
    """Lowest layers that keep their weights, and with them the embeddings: a step is shorter, and what the network
    knows of rare words stays. 0 trains all."""

    def __post_init__(self) -> None:
        TaughtSettings.__post_init__(self)
        for name in ("negatives", "alone_weight", "frozen_layers"):
            if getattr(self, name) < 0:
                raise UsageError(f"{name} must be 0 or more, got {getattr(self, name)}")
        for name in ("negative_share", "swapped_share", "wordings_share"):
            if not 0 <= getattr(self, name) <= 1:
                raise UsageError(f"{name} must lie in [0, 1], got {getattr(self, name)}")
        if self.negatives and self.negative_share and not round(self.batch_size * self.negative_share):
            raise UsageError(
                f"with batch_size {self.batch_size} and negative_share {self.negative_share} no question of a step "
                "gets negatives; make one of them larger, or set negatives to 0"
            )
        if self.is_taught and not (self.negatives and self.negative_share):
            name = "negative_share" if self.negatives else "negatives"
            raise UsageError(
                f"{name} is 0, but a teacher compares the positive of a question with its negatives; give more "
                f"(--{name.replace('_', '-')}), or no teacher"
            )


def read_settings(kind: type[Settings], path: Path | None, overrides: Mapping[str, Any]) -> Settings:
    """Settings out of a TOML file, if there is one, and what was overrides beside it; what is overrides as None is not.

    Raises:
        InputError: the file cannot be read or is not TOML.
        UsageError: a key or a value makes no sense.
    """
    values: dict[str, Any] = {}
    if path is not None:
        try:
            values = tomllib.loads(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"{path} cannot be read: {reason(error)}") from None
        except tomllib.TOMLDecodeError as error:
            raise InputError(f"{path} is not TOML: {error}; docs/training.md shows such a file") from None
        _check(kind, values, path)
    return kind(**{**values, **{key: value for key, value in overrides.items() if value is not None}})


def _check(kind: type[LoopSettings], values: Mapping[str, Any], path: Path) -> None:
    types = {field.name: type(field.default) for field in fields(kind)}
    for key, value in values.items():
        if key not in types:
            near = difflib.get_close_matches(key, types, n=1, cutoff=0.0)[0]
            raise UsageError(f"{path}: there is no setting {key!r}; did you mean {near!r}?")
        wanted = types[key]
        if type(value) is not wanted and not (wanted is float and type(value) is int):
            raise UsageError(f"{path}: {key} must be {_TYPE_WORDS[wanted]}, got {value!r}")
