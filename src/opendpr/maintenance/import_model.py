"""Encoders in the layout of sentence-transformers: `modules.json`, one BERT, a pooling, maybe a normalisation."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path
from typing import Any

from opendpr.errors import InputError
from opendpr.model.config import COSINE_HYBRID_WEIGHT, Architecture, EncoderConfig, InputForm
from opendpr.model.directory import Model, read_weights, write_model

COSINE_SCALE = 20.0
"""The usual factor on cosines in a contrastive loss, which the layout does not record."""

POOLER_PREFIX = "pooler."
"""A layer of Hugging Face's BertModel that neither pooling uses."""


def import_sentence_transformer(directory: Path, output: Path, *, title: bool = True) -> Model:
    """Write the encoder in `directory` as an opendpr model with tied towers.

    Args:
        title: whether passages are fed as title [SEP] text; the vectors of a passage without a
            title are the same either way.

    Raises:
        InputError: the directory has another layout, or a network that is not BERT.
    """
    modules = _read(directory / "modules.json")
    kinds = [str(module.get("type", "")).rsplit(".", 1)[-1] for module in modules]
    if kinds[:2] != ["Transformer", "Pooling"] or kinds[2:] not in ([], ["Normalize"]):
        raise InputError(f"{directory} is made of {kinds}; only Transformer, Pooling and Normalize can be imported")
    config = _read(directory / modules[0]["path"] / "config.json")
    if config.get("model_type") != "bert" or config.get("hidden_act") != "gelu":
        raise InputError(
            f"{directory} has a {config.get('model_type')} network with {config.get('hidden_act')}; "
            "only BERT with gelu can be imported"
        )
    pooling = _read(directory / modules[1]["path"] / "config.json")
    modes = {name for name, value in pooling.items() if name.startswith("pooling_mode_") and value is True}
    modes |= {f"pooling_mode_{pooling['pooling_mode']}"} if isinstance(pooling.get("pooling_mode"), str) else set()
    cls = modes in ({"pooling_mode_cls_token"}, {"pooling_mode_cls"})
    if not cls and modes not in ({"pooling_mode_mean_tokens"}, {"pooling_mode_mean"}):
        raise InputError(f"{directory} pools by {sorted(modes)}; only [CLS] or mean pooling can be imported")
    limit = _read(directory / "sentence_bert_config.json").get("max_seq_length") or 512
    encoder = EncoderConfig(
        architecture=Architecture(
            **{field.name: config[field.name] for field in fields(Architecture) if field.name in config}
        ),
        pooling="cls" if cls else "mean",
        similarity="cosine" if len(kinds) == 3 else "dot",
        tied=True,
        scale=COSINE_SCALE if len(kinds) == 3 else 1.0,
        input_form=InputForm(title=title, token_types="zeros"),
        max_question_tokens=min(64, limit),
        max_passage_tokens=limit,
    )
    retrieval = {"lambda": COSINE_HYBRID_WEIGHT} if encoder.similarity == "cosine" else {}
    weights = read_weights(directory / modules[0]["path"] / "model.safetensors")
    kept = {k: v for k, v in weights.items() if not k.startswith(POOLER_PREFIX) and not k.endswith("position_ids")}
    return write_model(
        output,
        name=output.name,
        tokenizer=directory / "tokenizer.json",
        encoder=(encoder, {"encoder": kept}),
        retrieval=retrieval,
    )


def _read(path: Path) -> Any:  # noqa: ANN401  # JSON
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"{path.parent} is no sentence-transformers model (it has no {path.name})") from None
    except ValueError as error:
        raise InputError(f"{path} is not readable JSON: {error}") from None
