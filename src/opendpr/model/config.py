"""What a model's `config.json` says of its networks: their shape, and how texts are fed to them."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args

import numpy as np
from numpy.typing import NDArray

from opendpr.errors import StateError

Config = TypeVar("Config")
COSINE_HYBRID_WEIGHT = 30.0
"""What a cosine counts beside BM25 in hybrid retrieval until lambda is fitted: what all-MiniLM-L6-v2 was fitted to."""
COSINE_SCALE = 20.0
"""The usual factor on the similarity of unit vectors in a contrastive loss; an inner product needs none."""
Pooling = Literal["cls", "mean", "max", "mean_sqrt", "weighted_mean", "last"]
Activation = Literal["identity", "tanh", "gelu", "gelu_tanh", "relu"]
CONFIG_CHOICES: dict[str, tuple[str, ...]] = {
    "pooling": get_args(Pooling),
    "similarity": ("dot", "cosine"),
    "token_types": ("zeros", "segments"),
    "activation": get_args(Activation),
    "projection_activation": get_args(Activation),
    "head_activation": get_args(Activation),
}
"""Values that settings of a network may have."""
RELATIVE_DISTANCE = 128
"""Tokens from which on all distances share a bucket (MPNet, as T5)."""


ADDED_LATER = {"added": True}
"""Marks a setting that came later: it is left out where it has its default, so that older models keep their form."""


@dataclass(frozen=True)
class Architecture:
    """What a transformer of BERT's kind computes: the one description that every runtime builds it from.

    Names are those of Hugging Face's `config.json` where it has one. The families differ in a few values:

    | family           | position_offset | type_vocab_size | embedding_size | relative_buckets |
    |------------------|-----------------|-----------------|----------------|------------------|
    | BERT             | 0               | 2               | 0              | 0                |
    | RoBERTa, XLM-R   | 2               | 1               | 0              | 0                |
    | DistilBERT       | 0               | 0               | 0              | 0                |
    | ELECTRA          | 0               | 2               | 128 (small)    | 0                |
    | MPNet            | 2               | 0               | 0              | 32               |
    """

    vocab_size: int
    hidden_size: int
    num_hidden_layers: int
    num_attention_heads: int
    intermediate_size: int
    """Width of the feed-forward layers."""
    max_position_embeddings: int = 512
    type_vocab_size: int = 2
    layer_norm_eps: float = 1e-12
    activation: Activation = field(default="gelu", metadata=ADDED_LATER)
    position_offset: int = field(default=0, metadata=ADDED_LATER)
    """Row of the position table that the first token takes."""
    embedding_size: int = field(default=0, metadata=ADDED_LATER)
    """Width of the embeddings, which a linear layer brings to `hidden_size`; 0 if they have it already."""
    relative_buckets: int = field(default=0, metadata=ADDED_LATER)
    """Buckets of distances between tokens, each with a bias on the attention of each head; 0 without such biases."""

    @property
    def max_tokens(self) -> int:
        """Longest sequence that the position table has rows for."""
        return self.max_position_embeddings - self.position_offset

    @property
    def layer_weights(self) -> int:
        """Numbers in the matrices of all layers, embeddings left out."""
        return self.num_hidden_layers * self.hidden_size * (4 * self.hidden_size + 2 * self.intermediate_size)


def distance_buckets(length: int, buckets: int) -> NDArray[np.int64]:
    """(2 * length - 1,): the bucket of each distance, from -(length - 1) to length - 1 tokens.

    Half of the buckets are for tokens ahead. Of each half, half are for one distance each, and the others
    for ranges that widen with the logarithm up to `RELATIVE_DISTANCE` (Raffel et al., 2020, section 2.1).
    """
    distances = np.arange(-(length - 1), length)
    half, exact = buckets // 2, buckets // 4
    far = np.abs(distances)
    # In fp32, because the networks were trained so: a distance at the border of two ranges may fall to either.
    logs = np.log(np.maximum(far, 1).astype(np.float32) / np.float32(exact))
    ranged = exact + (logs / np.float32(math.log(RELATIVE_DISTANCE / exact)) * np.float32(half - exact)).astype(
        np.int64
    )
    return np.where(distances > 0, half, 0) + np.where(far < exact, far, np.minimum(ranged, half - 1))


@dataclass(frozen=True)
class InputForm:
    """How a text becomes the tokens of one sequence."""

    title: bool = True
    """Put the title before the text, separated by [SEP] (paper section 4.1 and the released code)."""
    token_types: Literal["zeros", "segments"] = "zeros"
    """`segments` marks the second segment with 1; the released DPR code feeds zeros."""
    question_prefix: str = field(default="", metadata=ADDED_LATER)
    """Put before each question, as E5's `query: `."""
    passage_prefix: str = field(default="", metadata=ADDED_LATER)
    """Put before each passage, its title included, as E5's `passage: `."""
    closing: bool = field(default=True, metadata=ADDED_LATER)
    """Whether a [SEP] ends the sequence; the released DPR readers have none."""


@dataclass(frozen=True)
class EncoderConfig:
    """What turns the last layer of a network into a vector (paper section 3.1)."""

    architecture: Architecture
    pooling: Pooling = "cls"
    similarity: Literal["dot", "cosine"] = "dot"
    """With `cosine` vectors are scaled to length 1, so that their inner product is the cosine."""
    tied: bool = False
    """One network for questions and passages, instead of the paper's two."""
    scale: float = 1.0
    """Factor on the similarity inside the training loss."""
    input_form: InputForm = InputForm()
    max_question_tokens: int = 64
    max_passage_tokens: int = 256
    projection_size: int = field(default=0, metadata=ADDED_LATER)
    """Width of a linear layer on the pooled vector; 0 without one."""
    projection_activation: Activation = field(default="identity", metadata=ADDED_LATER)

    @property
    def dim(self) -> int:
        """Size d of a vector."""
        return self.projection_size or self.architecture.hidden_size


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
    border_words: int = field(default=16, metadata=ADDED_LATER)
    """Words beyond each border of a passage that are read too, so that no answer is lost at one; 0 is the paper's."""
    selection: bool = field(default=True, metadata=ADDED_LATER)
    """Whether a layer selects passages (paper section 6.1); without one, the logits of [CLS] speak for no answer."""


@dataclass(frozen=True)
class RerankerConfig:
    """How a cross-encoder scores a question and a passage that it reads together."""

    architecture: Architecture
    head_activation: Activation = "tanh"
    """Between the two layers on [CLS]."""
    input_form: InputForm = InputForm(title=False, token_types="segments")
    max_tokens: int = 512
    """Longest sequence; of question and passage the longer is cut."""


NetworkConfig = EncoderConfig | ReaderConfig | RerankerConfig


def settings_of(config: Any) -> dict[str, Any]:  # noqa: ANN401  # any of the dataclasses above
    """A configuration as `config.json` and fingerprints hold it."""
    values = {part.name: (part, getattr(config, part.name)) for part in fields(config)}
    return {
        name: settings_of(value) if is_dataclass(value) else value
        for name, (part, value) in values.items()
        if not (part.metadata.get("added") and value == part.default)
    }


def parse_config(kind: type[Config], values: dict[str, Any], path: Path) -> Config:
    """A configuration out of the JSON object that `path` holds for it.

    Raises:
        StateError: it has settings or values that this version does not know, or lacks one.
    """
    names = {field.name for field in fields(kind)}  # type: ignore[arg-type]
    if unknown := sorted(set(values) - names):
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
