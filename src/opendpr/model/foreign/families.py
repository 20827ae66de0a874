"""Families of networks in Hugging Face's layout: their settings and names of weights, and ours."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from opendpr.errors import InputError
from opendpr.interop.torch_file import TorchFile
from opendpr.model.config import Activation, Architecture
from opendpr.model.directory import Weights, read_weights
from opendpr.model.foreign.source import read_json

Arrays = dict[str, NDArray[Any]]


class Family(NamedTuple):
    """How one family is stored."""

    prefix: str
    """What precedes the network's names of weights in a model with a head for a task, as `bert.`."""
    names: tuple[tuple[str, str], ...] = ()
    """Parts of its names of weights, and ours; of two that overlap the longer comes first."""
    settings: Mapping[str, str] = {}
    """BERT's name of a setting -> its own, where they differ."""
    head: tuple[str, str, Activation] = ("classifier.dense", "classifier.out_proj", "tanh")
    """The two layers that score a pair, and what lies between them."""


ATTENTION = (
    (".attention.attn.o.", ".attention.output.dense."),
    *((f".attention.attn.{part[0]}.", f".attention.self.{part}.") for part in ("query", "key", "value")),
    (".attention.LayerNorm.", ".attention.output.LayerNorm."),
)
DISTILLED = (
    ("transformer.layer.", "encoder.layer."),
    (".attention.out_lin.", ".attention.output.dense."),
    *((f".attention.{part[0]}_lin.", f".attention.self.{part}.") for part in ("query", "key", "value")),
    (".sa_layer_norm.", ".attention.output.LayerNorm."),
    (".ffn.lin1.", ".intermediate.dense."),
    (".ffn.lin2.", ".output.dense."),
    (".output_layer_norm.", ".output.LayerNorm."),
)
ROBERTA = Family("roberta.")
FAMILIES: Mapping[str, Family] = {
    "bert": Family("bert.", head=("bert.pooler.dense", "classifier", "tanh")),
    "roberta": ROBERTA,
    "xlm-roberta": ROBERTA,
    "camembert": ROBERTA,
    "electra": Family("electra.", head=("classifier.dense", "classifier.out_proj", "gelu")),
    "mpnet": Family("mpnet.", ATTENTION),
    "distilbert": Family(
        "distilbert.",
        DISTILLED,
        {"num_attention_heads": "n_heads", "hidden_act": "activation"},
        ("pre_classifier", "classifier", "relu"),
    ),
}
"""By Hugging Face's `model_type`."""
ACTIVATIONS: Mapping[str, Activation] = {
    "gelu": "gelu",
    "gelu_python": "gelu",
    "gelu_new": "gelu_tanh",
    "gelu_pytorch_tanh": "gelu_tanh",
    "relu": "relu",
}
"""By Hugging Face's names of them."""
OLD_NAMES = ((".gamma", ".weight"), (".beta", ".bias"))
"""Names of the first conversions from TensorFlow."""
UNUSED = re.compile(r"(pooler|cls|lm_head|mlm|discriminator_predictions|vocab_\w+)\.|.*position_ids$")
"""Weights that a network has for its pre-training, or that are computed."""


def family_of(config: Mapping[str, Any], path: Path) -> Family:
    """The family that a `config.json` names.

    Raises:
        InputError: it is not known, or the network is of a kind that computes otherwise.
    """
    kind = config.get("model_type")
    family = FAMILIES.get(str(kind))
    if family is None:
        raise InputError(f"{path} is a {kind} network; opendpr knows {', '.join(FAMILIES)}")
    for name, usual in (("position_embedding_type", "absolute"), ("is_decoder", False), ("add_cross_attention", False)):
        if config.get(name, usual) not in (usual, None):
            raise InputError(
                f"{path} says {name} = {config[name]!r}, which opendpr does not compute; choose a model without it"
            )
    return family


def architecture(config: Mapping[str, Any], weights: Weights, path: Path) -> Architecture:
    """The architecture of a network: its sizes as its weights have them, the rest as its `config.json` says.

    Args:
        weights: under our names
    """
    family = family_of(config, path)
    kind = config["model_type"]

    def setting(name: str, default: Any) -> Any:  # noqa: ANN401  # JSON
        return config.get(family.settings.get(name, name), default)

    act = setting("hidden_act", "gelu")
    if act not in ACTIVATIONS:
        raise InputError(f"{path} has the activation {act!r}; opendpr knows {', '.join(ACTIVATIONS)}")
    try:
        words = weights["embeddings.word_embeddings.weight"]
        wide, hidden = weights["encoder.layer.0.intermediate.dense.weight"].shape
        positions = len(weights["embeddings.position_embeddings.weight"])
    except KeyError as error:
        raise InputError(f"{path.parent} lacks the weights {error.args[0]}; it is no {kind} network") from None
    types = weights.get("embeddings.token_type_embeddings.weight", np.empty((0, 0)))
    biases = weights.get("encoder.relative_attention_bias.weight", np.empty((0, 0)))
    layers = [int(match[1]) for name in weights if (match := re.match(r"encoder\.layer\.(\d+)\.", name))]
    return Architecture(
        vocab_size=len(words),
        hidden_size=hidden,
        num_hidden_layers=max(layers) + 1,
        num_attention_heads=setting("num_attention_heads", 12),
        intermediate_size=wide,
        max_position_embeddings=positions,
        type_vocab_size=len(types),
        layer_norm_eps=setting("layer_norm_eps", 1e-12),
        activation=ACTIVATIONS[act],
        position_offset=config.get("pad_token_id", 1) + 1 if family is ROBERTA or kind == "mpnet" else 0,
        embedding_size=words.shape[1] if words.shape[1] != hidden else 0,
        relative_buckets=len(biases),
    )


def stored_weights(directory: Path) -> Arrays:
    """All weights of a directory under the names that they have there.

    Raises:
        InputError: the directory holds no weights.
    """
    for pattern in ("model.safetensors", "model-*-of-*.safetensors"):
        if paths := sorted(directory.glob(pattern)):
            return {name: value for path in paths for name, value in read_weights(path).items()}
    for pattern in ("pytorch_model.bin", "pytorch_model-*-of-*.bin"):
        if paths := sorted(directory.glob(pattern)):
            files = [TorchFile(path) for path in paths]
            return {name: value for file in files for name, value in file.arrays(file.value).items()}
    raise InputError(f"{directory} has neither model.safetensors nor pytorch_model.bin; get the weights too")


def network_config(directory: Path) -> dict[str, Any]:
    """The `config.json` of a network."""
    return dict(read_json(directory / "config.json"))


def our_weights(family: Family, weights: Mapping[str, NDArray[Any]], path: Path) -> Arrays:
    """Weights of a bare network under our names, without those of its pre-training.

    Raises:
        InputError: some have no place in our networks.
    """
    named: Arrays = {}
    for theirs, value in weights.items():
        name = theirs.removeprefix(family.prefix)
        for theirs_piece, our_piece in (*OLD_NAMES, *family.names):
            name = name.replace(theirs_piece, our_piece)
        if not UNUSED.match(name):
            named[name] = value
    places = ("embeddings.", "encoder.layer.", "encoder.relative_attention_bias.", "embeddings_project.")
    if left := sorted(name for name in named if not name.startswith(places)):
        raise InputError(
            f"{path} has weights that have no place in a model of opendpr: {', '.join(left[:5])}; choose a model "
            "of one of the families of docs/models.md"
        )
    return named


def their_weights(family: Family, weights: Weights, prefix: str) -> Arrays:
    """Our weights of a network under the names of a family."""
    named: Arrays = {}
    for ours, value in weights.items():
        name = ours
        for theirs_piece, our_piece in family.names:
            name = name.replace(our_piece, theirs_piece)
        named[prefix + name] = np.ascontiguousarray(value)
    return named
