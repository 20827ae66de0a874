"""What is found in a model of another system, before it is written as ours."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from opendpr.errors import InputError
from opendpr.model.config import EncoderConfig, Pooling, ReaderConfig, RerankerConfig
from opendpr.model.directory import Weights

UNLIMITED = 10**6
"""From here on, a length that a tokenizer names means that it knows none."""


@dataclass(frozen=True)
class ImportSettings:
    """What a source may leave open. None takes what the source says."""

    title: bool = True
    """Whether encoders read a passage's title before its text."""
    question_prefix: str | None = None
    passage_prefix: str | None = None
    similarity: Literal["dot", "cosine"] | None = None
    pooling: Pooling | None = None
    """For networks that are stored without saying how their vectors are pooled."""
    tokenizer: Path | None = None
    """A tokenizer.json, a vocab.txt, or a directory with one; for sources without."""


@dataclass(frozen=True)
class ForeignModel:
    """A model of another system, in our terms."""

    kind: str
    """What it is, as its users call it."""
    tokenizer: bytes
    """Content of tokenizer.json."""
    towers: Mapping[str, Weights] = field(default_factory=dict)
    """By `question` and `passage`; under `encoder` one that is both."""
    encoder: EncoderConfig | None = None
    reader: tuple[ReaderConfig, Weights] | None = None
    reranker: tuple[RerankerConfig, Weights] | None = None
    reader_tokenizer: bytes | None = None
    """The reader's own, where it is another."""
    notes: tuple[str, ...] = ()
    """What was decided about it that a user may want to know."""


def read_json(path: Path) -> Any:  # noqa: ANN401  # JSON
    """The content of a JSON file of a source.

    Raises:
        InputError: it is missing or not JSON.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"{path.parent} lacks {path.name}; it was copied incompletely, get it again") from None
    except ValueError as error:
        raise InputError(f"{path} is not readable JSON: {error}; the file is damaged, get it again") from None


def optional_json(path: Path) -> dict[str, Any]:
    """The object in a JSON file; empty where the file is missing."""
    return dict(read_json(path)) if path.is_file() else {}


def refuse_settings(values: Mapping[str, object], known_names: Iterable[str], path: Path) -> None:
    """Refuse settings that would change what a model computes and have no place in ours.

    Args:
        known: those that are read, or that change nothing; one that is null, false or empty changes nothing either

    Raises:
        InputError: there are such settings; the message names them.
    """
    if left := {name: value for name, value in values.items() if value and name not in set(known_names)}:
        shown = ", ".join(f"{name} = {json.dumps(value)[:60]}" for name, value in sorted(left.items()))
        raise InputError(f"{path} says {shown}, which has no place in a model of opendpr; it cannot be imported")
