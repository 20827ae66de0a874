"""The original checkpoints of DPR: files of `torch.save` with the weights of a biencoder or of a reader."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from opendpr.errors import InputError
from opendpr.interop.torch_file import Inert, TorchFile, plain_value
from opendpr.model.directory import DEFAULT_MODEL, Weights, find_model
from opendpr.model.foreign import families
from opendpr.model.foreign.source import ForeignModel, ImportSettings
from opendpr.model.foreign.tokenizers import read_tokenizer
from opendpr.model.foreign.transformers import dpr_encoder, dpr_reader

CHECKPOINT_FIELDS = ("model_dict", "optimizer_dict", "scheduler_dict", "offset", "epoch", "encoder_params")
TOWER_PREFIXES = {"question": "question_model.", "passage": "ctx_model."}
READER_PREFIX = "encoder."
"""What the names of the reader's network begin with."""
HEAD_WIDTH = 64
"""Numbers of an attention head in all published sizes of BERT; checkpoints do not name their heads."""
UNCASED_WORDS = 30_522
"""Words of bert-base-uncased, whose tokenizer is at hand."""


def is_torch_file(path: Path) -> bool:
    """Whether a path is a single file: no other form of a model is."""
    return path.is_file()


def read_dpr(path: Path, settings: ImportSettings) -> ForeignModel:
    """The biencoder or the reader in a checkpoint.

    Raises:
        InputError: it is not a checkpoint of DPR, or its network is not BERT.
    """
    file = TorchFile(path)
    value = file.value
    if isinstance(value, Inert):  # a named tuple
        value = dict(zip(CHECKPOINT_FIELDS, value.arguments, strict=False))
    if not isinstance(value, dict) or not isinstance(value.get("model_dict"), dict):
        content = ", ".join(map(str, value))[:80] if isinstance(value, dict) else type(value).__name__
        raise InputError(f"{path} holds {content}, expected a checkpoint of DPR with model_dict")
    weights = file.arrays(value["model_dict"])
    parameters = _parameters(value.get("encoder_params"))
    config = _config(parameters, path)
    tokenizer = _tokenizer(weights, parameters, settings, path)
    if any(name.startswith(TOWER_PREFIXES["question"]) for name in weights):
        return _biencoder(weights, config, tokenizer, path)
    if any(name.startswith("qa_outputs.") for name in weights):
        return _reader(weights, config, tokenizer, path)
    raise InputError(
        f"{path} has neither question_model and ctx_model nor a reader; it begins with {next(iter(weights))}"
    )


def _parameters(stored: object) -> dict[str, Any]:
    """What a checkpoint says of its encoder, in one level."""
    values = plain_value(stored)
    if not isinstance(values, dict):
        return {}
    inner = values.get("encoder")
    return {**values, **(inner if isinstance(inner, dict) else {})}


def _config(parameters: dict[str, Any], path: Path) -> dict[str, Any]:
    """Settings in Hugging Face's names."""
    kind = parameters.get("encoder_model_type", "hf_bert")
    if kind != "hf_bert":
        raise InputError(f"{path} has an encoder of the type {kind}; only hf_bert can be imported")
    heads = parameters.get("num_attention_heads")
    return {"model_type": "bert", "num_attention_heads": heads} if heads else {"model_type": "bert"}


def _network(weights: Weights, config: dict[str, Any], prefix: str, path: Path) -> tuple[Any, dict[str, Any]]:
    named = {name.removeprefix(prefix): value for name, value in weights.items() if name.startswith(prefix)}
    own = [name for name in named if name.startswith("encode_proj.")]
    projection = {name.replace("encode_proj", "projection"): named.pop(name) for name in own}
    network = families.our_weights(families.FAMILIES["bert"], named, path)
    width = network["embeddings.word_embeddings.weight"].shape[1]
    usual = {"num_attention_heads": max(1, width // HEAD_WIDTH)}
    shape = families.architecture({**usual, **config}, network, path)
    return shape, {**network, **projection}


def _biencoder(weights: Weights, config: dict[str, Any], tokenizer: bytes, path: Path) -> ForeignModel:
    towers = {}
    for part, prefix in TOWER_PREFIXES.items():
        shape, towers[part] = _network(weights, config, prefix, path)
    size = len(towers["question"].get("projection.weight", ()))
    return ForeignModel("DPR biencoder checkpoint", tokenizer, towers=towers, encoder=dpr_encoder(shape, size))


def _reader(weights: Weights, config: dict[str, Any], tokenizer: bytes, path: Path) -> ForeignModel:
    shape, network = _network(weights, config, READER_PREFIX, path)
    heads = {name: value for name, value in weights.items() if name.startswith(("qa_outputs.", "qa_classifier."))}
    return ForeignModel("DPR reader checkpoint", tokenizer, reader=(dpr_reader(shape), {**network, **heads}))


def _tokenizer(weights: Weights, parameters: dict[str, Any], settings: ImportSettings, path: Path) -> bytes:
    """The tokenizer given, or bert-base-uncased's, which checkpoints name and do not contain."""
    if settings.tokenizer is not None:
        return read_tokenizer(settings.tokenizer)
    named = str(parameters.get("pretrained_model_cfg", "bert-base-uncased"))
    words = {len(value) for name, value in weights.items() if name.endswith("embeddings.word_embeddings.weight")}
    if named != "bert-base-uncased" or words != {UNCASED_WORDS}:
        sizes = ", ".join(map(str, sorted(words)))
        raise InputError(
            f"{path} was made with the tokenizer of {named} ({sizes} words), which it does not contain; give it with "
            "--tokenizer, a vocab.txt or tokenizer.json"
        )
    return find_model(DEFAULT_MODEL).tokenizer_path.read_bytes()
