"""What a model's `config.json` says of its networks: their shape, and how texts are fed to them."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal, TypeVar

from opendpr.errors import StateError

Config = TypeVar("Config")
COSINE_HYBRID_WEIGHT = 30.0
"""What a cosine counts beside BM25 in hybrid retrieval until lambda is fitted: what all-MiniLM-L6-v2 was fitted to."""
CONFIG_CHOICES = {"pooling": ("cls", "mean"), "similarity": ("dot", "cosine"), "token_types": ("zeros", "segments")}
"""Values that settings of a network may have."""


@dataclass(frozen=True)
class Architecture:
    """The shape of a BERT-type network, in the names of Hugging Face's `config.json`."""

    vocab_size: int
    hidden_size: int
    num_hidden_layers: int
    num_attention_heads: int
    intermediate_size: int
    max_position_embeddings: int = 512
    type_vocab_size: int = 2
    layer_norm_eps: float = 1e-12


@dataclass(frozen=True)
class InputForm:
    """How a text becomes the tokens of one sequence."""

    title: bool = True
    """Put the title before the text, separated by [SEP] (paper section 4.1 and the released code)."""
    token_types: Literal["zeros", "segments"] = "zeros"
    """`segments` marks the second segment with 1; the released DPR code feeds zeros."""


@dataclass(frozen=True)
class EncoderConfig:
    """What turns the last layer of a network into a vector (paper section 3.1)."""

    architecture: Architecture
    pooling: Literal["cls", "mean"] = "cls"
    similarity: Literal["dot", "cosine"] = "dot"
    """With `cosine` vectors are scaled to length 1, so that their inner product is the cosine."""
    tied: bool = False
    """One network for questions and passages, instead of the paper's two."""
    scale: float = 1.0
    """Factor on the similarity inside the training loss."""
    input_form: InputForm = InputForm()
    max_question_tokens: int = 64
    max_passage_tokens: int = 256


@dataclass(frozen=True)
class ReaderConfig:
    """How the extractive reader is fed and how its spans are bounded (paper section 6.1)."""

    architecture: Architecture
    input_form: InputForm = InputForm(token_types="segments")
    max_tokens: int = 384
    """Longest sequence; a longer passage is read in overlapping windows."""
    stride_tokens: int = 96
    """Tokens that consecutive windows of a passage share."""
    max_question_tokens: int = 96
    max_answer_tokens: int = 30
    border_words: int = 30
    """Words beyond each border of a passage that are read too, so that no answer is lost at one; 0 is the paper's."""


def parse_config(kind: type[Config], values: dict[str, Any], path: Path) -> Config:
    """A configuration out of the JSON object that `path` holds for it.

    Raises:
        StateError: it has settings or values that this version does not know, or lacks one.
    """
    known = {field.name for field in fields(kind)}  # type: ignore[arg-type]
    if unknown := sorted(set(values) - known):
        raise StateError(
            f"{path} has settings this version does not know ({', '.join(unknown)}); install a newer opendpr"
        )
    for key, choices in CONFIG_CHOICES.items():
        if values.get(key, choices[0]) not in choices:
            raise StateError(
                f"{path} has {key} {values[key]!r}, this version knows {' and '.join(choices)}; install a newer opendpr"
            )
    values = dict(values)
    if "architecture" in values:
        values["architecture"] = parse_config(Architecture, values["architecture"], path)
    if "input_form" in values:
        values["input_form"] = parse_config(InputForm, values["input_form"], path)
    try:
        return kind(**values)
    except TypeError as error:
        raise StateError(f"{path} is incomplete ({error}); restore it") from None
