"""Models as transformers stores them: DPR's encoders and reader, other readers, cross-encoders, bare networks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from opendpr.errors import InputError
from opendpr.model.config import Architecture, EncoderConfig, InputForm, ReaderConfig, RerankerConfig
from opendpr.model.directory import Weights
from opendpr.model.foreign import families
from opendpr.model.foreign.source import UNLIMITED, ForeignModel, ImportSettings, optional_json
from opendpr.model.foreign.tokenizers import UNTYPED_TOKENIZERS, read_tokenizer

DPR_TOWERS = {
    "DPRQuestionEncoder": ("question", "question_encoder."),
    "DPRContextEncoder": ("passage", "ctx_encoder."),
}
"""By class: which tower it is, and what its weights begin with."""
DPR_LIMIT = 256
"""Longest sequence that DPR's encoders were trained with."""
HEAD_PREFIXES = ("qa_outputs.", "classifier.", "pre_classifier.")
"""What the layers of a task are called."""


def class_of(directory: Path) -> str:
    """The class of transformers that a directory is for; empty without a `config.json`."""
    classes = optional_json(directory / "config.json").get("architectures") or [""]
    return str(classes[0])


def read_transformers(directory: Path, settings: ImportSettings) -> ForeignModel:
    """The model in a directory.

    Raises:
        InputError: it is for another task, or has something that has no place in ours; the message names it.
    """
    kind = class_of(directory)
    config, stored = families.network_config(directory), families.stored_weights(directory)
    tokenizer = read_tokenizer(settings.tokenizer or directory)
    if kind in DPR_TOWERS:
        return _dpr_tower(directory, config, stored, tokenizer)
    if kind == "DPRReader":
        return _dpr_reader(directory, config, stored, tokenizer)
    family = families.family_of(config, directory)
    network = {name: value for name, value in stored.items() if not name.startswith(HEAD_PREFIXES)}
    weights = families.our_weights(family, network, directory)
    shape = families.architecture(config, weights, directory)
    heads = {
        name: value for name, value in stored.items() if name.startswith((*HEAD_PREFIXES, family.prefix + "pooler."))
    }
    form = InputForm(title=False, token_types="segments" if _has_segments(directory, shape) else "zeros")
    limit = _limit(directory, shape)
    if kind.endswith("ForQuestionAnswering"):
        _refuse_other_heads(directory, heads, ("qa_outputs.", family.prefix))
        outputs = {name: value for name, value in heads.items() if name.startswith("qa_outputs.")}
        default = ReaderConfig(shape)
        reader = ReaderConfig(shape, form, max_tokens=min(default.max_tokens, limit), selection=False)
        return ForeignModel(f"reader ({kind})", tokenizer, reader=(reader, {**weights, **outputs}))
    if kind.endswith("ForSequenceClassification"):
        layers = _scoring_layers(directory, family, heads)
        reranker = RerankerConfig(shape, family.head[2], form, max_tokens=limit)
        return ForeignModel(f"cross-encoder ({kind})", tokenizer, reranker=(reranker, {**weights, **layers}))
    encoder = _bare_encoder(directory, settings, shape)
    return ForeignModel(f"network ({kind})", tokenizer, towers={"encoder": weights}, encoder=encoder)


def _bare_encoder(directory: Path, settings: ImportSettings, shape: Architecture) -> EncoderConfig:
    """How a network is fed that says nothing of it; raises InputError if the settings do not say how it is pooled."""
    if settings.pooling is None:
        raise InputError(
            f"{directory} is a bare network ({class_of(directory) or 'no class named'}) that does not say how its "
            "vectors are pooled; give --pooling cls or mean, and --similarity if it is cosine"
        )
    limit = _limit(directory, shape)
    return EncoderConfig(
        shape,
        settings.pooling,
        settings.similarity or "dot",
        tied=True,
        input_form=InputForm(settings.title, "zeros", settings.question_prefix or "", settings.passage_prefix or ""),
        max_question_tokens=limit,
        max_passage_tokens=limit,
    )


def dpr_encoder(shape: Architecture, projection: int = 0) -> EncoderConfig:
    """How DPR's encoders are fed (paper section 4.1 and the released code): title and text, token types of zero."""
    limit = min(DPR_LIMIT, shape.max_tokens)
    return EncoderConfig(
        shape,
        max_question_tokens=limit,
        max_passage_tokens=limit,
        projection_size=projection,
    )


def dpr_reader(shape: Architecture) -> ReaderConfig:
    """How DPR's reader is fed: no [SEP] after the text, token types of zero."""
    default = ReaderConfig(shape)
    form = InputForm(title=True, token_types="zeros", closing=False)
    return ReaderConfig(shape, form, max_tokens=min(default.max_tokens, shape.max_tokens))


def _bert_in(directory: Path, config: dict[str, Any], stored: Weights, prefix: str) -> tuple[Architecture, Weights]:
    """The BERT inside of one of DPR's classes."""
    family, inner = families.FAMILIES["bert"], f"{prefix}bert_model."
    network = {name.removeprefix(inner): value for name, value in stored.items() if name.startswith(inner)}
    weights = families.our_weights(family, network, directory)
    return families.architecture({**config, "model_type": "bert"}, weights, directory), weights


def _dpr_tower(directory: Path, config: dict[str, Any], stored: Weights, tokenizer: bytes) -> ForeignModel:
    kind = class_of(directory)
    part, prefix = DPR_TOWERS[kind]
    shape, weights = _bert_in(directory, config, stored, prefix)
    projection = {
        f"projection.{name}": stored[f"{prefix}encode_proj.{name}"]
        for name in ("weight", "bias")
        if f"{prefix}encode_proj.{name}" in stored
    }
    size = len(projection["projection.weight"]) if projection else 0
    return ForeignModel(kind, tokenizer, towers={part: {**weights, **projection}}, encoder=dpr_encoder(shape, size))


def _dpr_reader(directory: Path, config: dict[str, Any], stored: Weights, tokenizer: bytes) -> ForeignModel:
    prefix = "span_predictor."
    shape, weights = _bert_in(directory, config, stored, f"{prefix}encoder.")
    heads = {
        name.removeprefix(prefix): value
        for name, value in stored.items()
        if name.startswith((f"{prefix}qa_outputs.", f"{prefix}qa_classifier."))
    }
    return ForeignModel("DPRReader", tokenizer, reader=(dpr_reader(shape), {**weights, **heads}))


def _has_segments(directory: Path, shape: Architecture) -> bool:
    """Whether the tokenizer of transformers gives the second text of a pair another type than the first."""
    settings = optional_json(directory / "tokenizer_config.json")
    typed = settings.get("tokenizer_class") not in UNTYPED_TOKENIZERS
    inputs = settings.get("model_input_names", ["token_type_ids"] if typed else [])
    return shape.type_vocab_size > 1 and "token_type_ids" in inputs


def _limit(directory: Path, shape: Architecture) -> int:
    """Longest sequence, by the tokenizer's settings and the position table."""
    longest = optional_json(directory / "tokenizer_config.json").get("model_max_length") or UNLIMITED
    return int(min(longest, shape.max_tokens))


def _refuse_other_heads(directory: Path, heads: Weights, expected: tuple[str, ...]) -> None:
    if left := sorted(name for name in heads if not name.startswith(expected)):
        raise InputError(
            f"{directory} has layers that have no place in a model of opendpr: {', '.join(left)}; docs/models.md lists "
            "the classes that can be imported"
        )


def _scoring_layers(directory: Path, family: families.Family, heads: Weights) -> Weights:
    """The two layers of a cross-encoder under our names."""
    names = dict(zip(("pooler.dense", "classifier"), family.head[:2], strict=True))
    layers = {
        f"{ours}.{kind}": heads[f"{theirs}.{kind}"]
        for ours, theirs in names.items()
        for kind in ("weight", "bias")
        if f"{theirs}.{kind}" in heads
    }
    if len(layers) < 4:
        raise InputError(f"{directory} lacks the layers {' and '.join(names.values())}; it is no cross-encoder")
    if (labels := len(layers["classifier.bias"])) != 1:
        raise InputError(f"{directory} has {labels} labels; a re-ranker has one, which says how well a passage fits")
    return layers
