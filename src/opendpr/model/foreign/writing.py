"""Networks and tokenizers in the layout of Hugging Face's transformers, out of ours."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from opendpr.model.config import Activation, Architecture
from opendpr.model.directory import TOKENIZER_FILE, Weights
from opendpr.model.foreign import families
from opendpr.model.tokenizer import PAD_TOKENS, Tokenizer
from opendpr.storage.atomic import make_directory, replacing, write_json

CLASSES = {
    "bert": "Bert",
    "xlm-roberta": "XLMRoberta",
    "distilbert": "DistilBert",
    "electra": "Electra",
    "mpnet": "MPNet",
}
"""What the names of transformers' classes begin with, by family."""
READER_TASK, RERANKER_TASK = "ForQuestionAnswering", "ForSequenceClassification"
"""How names of classes end."""
SCORING_LAYERS = ("pooler.dense", "classifier")
"""Our names of a re-ranker's layers."""
ANSWER_LAYER = "qa_outputs"
"""A reader's layer for start and end, here and there."""
ONE_LABEL = {"id2label": {"0": "LABEL_0"}, "label2id": {"LABEL_0": 0}}


class Feeding(NamedTuple):
    """What a tokenizer of transformers is to know of the network that it feeds."""

    limit: int
    """Longest sequence, in tokens."""
    typed: bool = False
    """Whether the second of two texts has another token type than the first."""


def family_name(shape: Architecture) -> str:
    """Hugging Face's `model_type` of an architecture; RoBERTa and XLM-R are one."""
    if shape.relative_buckets:
        return "mpnet"
    if shape.position_offset:
        return "xlm-roberta"
    if shape.embedding_size:
        return "electra"
    return "bert" if shape.type_vocab_size else "distilbert"


def write_network(
    directory: Path, tokenizer: Path, shape: Architecture, weights: Weights, *, feeding: Feeding, task: str = "Model"
) -> None:
    """A network in transformers' layout with its tokenizer.

    Args:
        weights: under our names
        task: how the name of its class ends
    """
    name = family_name(shape)
    family = families.FAMILIES[name]
    make_directory(directory)
    heads = dict(zip((*SCORING_LAYERS, ANSWER_LAYER), (*family.head[:2], ANSWER_LAYER), strict=True))
    bare, task_layers = {}, {}
    for stored, value in weights.items():
        layer, _, kind = stored.rpartition(".")
        if layer in heads:
            task_layers[f"{heads[layer]}.{kind}"] = value
        else:
            bare[stored] = value
    prefix = family.prefix if task_layers else ""
    named = {**families.their_weights(family, bare, prefix), **task_layers}
    save_weights(named, directory / "model.safetensors")
    labels = ONE_LABEL if task == RERANKER_TASK else {}
    write_json(
        directory / "config.json", {"architectures": [CLASSES[name] + task], **hugging_face(shape, name), **labels}
    )
    write_tokenizer(directory, tokenizer, feeding)


def hugging_face(shape: Architecture, name: str) -> dict[str, Any]:
    """An architecture as `config.json` of transformers has it."""
    acts: dict[Activation, str] = {"gelu": "gelu", "gelu_tanh": "gelu_pytorch_tanh", "relu": "relu"}
    values: dict[str, Any] = {
        "model_type": name,
        "vocab_size": shape.vocab_size,
        "max_position_embeddings": shape.max_position_embeddings,
        "pad_token_id": max(0, shape.position_offset - 1),
    }
    if name == "distilbert":
        sizes = {"dim": shape.hidden_size, "n_layers": shape.num_hidden_layers, "n_heads": shape.num_attention_heads}
        return {**values, **sizes, "hidden_dim": shape.intermediate_size, "activation": acts[shape.activation]}
    values |= {
        "hidden_size": shape.hidden_size,
        "num_hidden_layers": shape.num_hidden_layers,
        "num_attention_heads": shape.num_attention_heads,
        "intermediate_size": shape.intermediate_size,
        "hidden_act": acts[shape.activation],
        "layer_norm_eps": shape.layer_norm_eps,
    }
    if name == "mpnet":
        return {**values, "relative_attention_num_buckets": shape.relative_buckets}
    if name == "electra":
        values["embedding_size"] = shape.embedding_size
    return {**values, "type_vocab_size": shape.type_vocab_size}


def write_tokenizer(directory: Path, path: Path, feeding: Feeding) -> None:
    """The tokenizer, with what transformers wants to know of it."""
    with replacing(directory / TOKENIZER_FILE) as temporary:
        temporary.write_bytes(path.read_bytes())
    words = {entry["id"]: entry["content"] for entry in json.loads(path.read_text(encoding="utf-8"))["added_tokens"]}
    marks = Tokenizer(path).marks
    inputs = ["input_ids", *["token_type_ids"] * feeding.typed, "attention_mask"]
    pad = words.get(marks.pad, PAD_TOKENS[0])
    names = {"cls_token": words[marks.cls], "sep_token": words[marks.sep], "pad_token": pad}
    settings = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_input_names": inputs,
        "model_max_length": feeding.limit,
    }
    write_json(directory / "tokenizer_config.json", {**settings, **names})


def save_weights(weights: Mapping[str, Any], path: Path) -> None:
    """Write weights in fp32, with the mark that transformers looks for."""
    from safetensors.numpy import save_file

    arrays = {name: np.ascontiguousarray(value, np.float32) for name, value in weights.items()}
    with replacing(path) as temporary:
        save_file(arrays, temporary, metadata={"format": "pt"})
