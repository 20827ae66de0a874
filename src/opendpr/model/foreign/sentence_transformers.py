"""Models in the layout of sentence-transformers: `modules.json`, and a directory for each module.

A tower is Transformer, Pooling, maybe Dense, maybe Normalize; a Router holds one for questions and one for passages.
Every length, prompt and similarity is read; what has no place in ours is refused by name.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from opendpr.errors import InputError
from opendpr.model.config import COSINE_SCALE, Activation, EncoderConfig, InputForm, Pooling
from opendpr.model.directory import Weights
from opendpr.model.foreign import families
from opendpr.model.foreign.source import (
    UNLIMITED,
    ForeignModel,
    ImportSettings,
    optional_json,
    read_json,
    refuse_settings,
)
from opendpr.model.foreign.tokenizers import read_tokenizer

MODEL_KIND = "sentence-transformers model"
POOLINGS: dict[str, Pooling] = {
    "cls": "cls",
    "mean": "mean",
    "max": "max",
    "mean_sqrt_len_tokens": "mean_sqrt",
    "weightedmean": "weighted_mean",
    "lasttoken": "last",
}
OLD_POOLINGS = {"cls_token": "cls", "mean_tokens": "mean", "max_tokens": "max", "weightedmean_tokens": "weightedmean"}
"""What followed `pooling_mode_` in older files, where it is not the name of today."""
DENSE_ACTIVATIONS: dict[str, Activation] = {"Identity": "identity", "Tanh": "tanh", "GELU": "gelu", "ReLU": "relu"}
"""By the last name of torch's class."""
ROUTES = {"question": "query", "passage": "document"}
"""A Router's names of what our towers are."""
PASSAGE_PROMPTS = ("document", "passage", "corpus")
"""Names of prompts that mean passages; the first that says something counts."""
TRANSFORMER_SETTINGS = (
    *("max_seq_length", "do_lower_case", "query_length", "document_length", "transformer_task", "modality_config"),
    *("module_output_name", "unpad_inputs"),
)
"""What may stand in `sentence_bert_config.json`."""
DENSE_SETTINGS = (
    *("in_features", "out_features", "bias", "activation_function", "module_input_name", "module_output_name"),
)
"""What may occur in a Dense module's `config.json`."""


class Module(NamedTuple):
    """An entry of `modules.json`."""

    kind: str
    path: Path


class Tower(NamedTuple):
    """What one tower is made of."""

    encoder: EncoderConfig
    weights: Weights
    tokenizer: bytes


def is_sentence_transformer(path: Path) -> bool:
    """Whether a directory has this layout."""
    return (path / "modules.json").is_file()


def read_sentence_transformer(directory: Path, settings: ImportSettings) -> ForeignModel:
    """The encoder in a directory.

    Raises:
        InputError: something in it has no place in a model of opendpr; the message names it.
    """
    modules = [
        Module(str(entry.get("type", "")).rsplit(".", 1)[-1], directory / entry.get("path", ""))
        for entry in read_json(directory / "modules.json")
    ]
    about = optional_json(directory / "config_sentence_transformers.json")
    read_names = ("__version__", "prompts", "default_prompt_name", "similarity_fn_name")
    refuse_settings(
        {name: value for name, value in about.items() if (name, value) != ("model_type", "SentenceTransformer")},
        read_names,
        directory / "config_sentence_transformers.json",
    )
    if modules and modules[0].kind in ("Router", "Asym"):
        by_part = {part: _tower(_route(modules, route), settings) for part, route in ROUTES.items()}
    else:
        by_part = {"encoder": _tower(modules, settings)}
    first = next(iter(by_part.values()))
    _refuse_difference(directory, list(by_part.values()))
    encoder, notes = _fed(first.encoder, about, settings, directory)
    limits = {part: tower.encoder for part, tower in by_part.items()}
    encoder = replace(
        encoder,
        tied="encoder" in by_part,
        max_question_tokens=limits.get("question", first.encoder).max_question_tokens,
        max_passage_tokens=limits.get("passage", first.encoder).max_passage_tokens,
    )
    towers = {part: tower.weights for part, tower in by_part.items()}
    return ForeignModel(MODEL_KIND, first.tokenizer, towers=towers, encoder=encoder, notes=notes)


def _route(modules: list[Module], route: str) -> list[Module]:
    """The modules that a text of one route goes through."""
    path = modules[0].path
    config = read_json(path / "router_config.json" if (path / "router_config.json").is_file() else path / "config.json")
    if route not in config.get("structure", {}):
        routes = ", ".join(config.get("structure", {})) or "none"
        raise InputError(f"{path} has a Router with the routes {routes}; opendpr needs query and document")
    inner = [Module(config["types"][name].rsplit(".", 1)[-1], path / name) for name in config["structure"][route]]
    return [*inner, *modules[1:]]


def _refuse_difference(directory: Path, towers: list[Tower]) -> None:
    """Raises InputError if towers differ in more than weights and lengths."""
    alike = [replace(tower.encoder, max_question_tokens=0, max_passage_tokens=0) for tower in towers]
    for name, value in vars(alike[0]).items():
        if getattr(alike[-1], name) != value:
            raise InputError(
                f"{directory}: the towers have {name} {value} and {getattr(alike[-1], name)}; they must agree"
            )
    if towers[0].tokenizer != towers[-1].tokenizer:
        raise InputError(f"{directory}: the towers have two tokenizers; opendpr knows one for both")


def _tower(modules: list[Module], settings: ImportSettings) -> Tower:
    kinds = [module.kind for module in modules]
    dense = kinds[2:3] == ["Dense"]
    if kinds[:2] != ["Transformer", "Pooling"] or kinds[2 + dense :] not in ([], ["Normalize"]):
        raise InputError(
            f"{modules[0].path if modules else 'the model'} is made of {', '.join(kinds) or 'nothing'}; opendpr knows "
            "Transformer, Pooling, maybe one Dense, maybe Normalize"
        )
    path = modules[0].path
    config = families.network_config(path)
    family = families.family_of(config, path)
    weights: Weights = families.our_weights(family, families.stored_weights(path), path)
    shape = families.architecture(config, weights, path)
    values = _transformer_settings(path)
    longest = values.get("max_seq_length") or optional_json(path / "tokenizer_config.json").get("model_max_length")
    limit = int(min(longest if longest and longest < UNLIMITED else UNLIMITED, shape.max_tokens))
    encoder = EncoderConfig(
        architecture=shape,
        pooling=_pooling(modules[1].path),
        similarity="cosine" if "Normalize" in kinds else "dot",
        input_form=InputForm(title=settings.title, token_types="zeros"),
        max_question_tokens=min(values.get("query_length") or limit, limit),
        max_passage_tokens=min(values.get("document_length") or limit, limit),
    )
    if dense:
        encoder, weights = _with_dense(encoder, weights, modules[2].path)
    tokenizer = read_tokenizer(settings.tokenizer or path, lower=bool(values.get("do_lower_case")))
    return Tower(encoder, weights, tokenizer)


def _transformer_settings(path: Path) -> dict[str, Any]:
    """What the Transformer module says of lengths and case."""
    names = ["sentence_bert_config.json", *sorted(file.name for file in path.glob("sentence_*_config.json"))]
    values = next((values for name in names if (values := optional_json(path / name))), {})
    refuse_settings(values, TRANSFORMER_SETTINGS, path / names[0])
    if values.get("transformer_task", "feature-extraction") != "feature-extraction":
        raise InputError(f"{path} is for {values['transformer_task']}; opendpr imports encoders of this layout")
    return values


def _pooling(path: Path) -> Pooling:
    values = read_json(path / "config.json")
    modes = values.get("pooling_mode", [])
    modes = [modes] if isinstance(modes, str) else list(modes)
    old = (name.removeprefix("pooling_mode_") for name, value in values.items() if value is True)
    modes += [OLD_POOLINGS.get(name, name) for name in old if f"pooling_mode_{name}" in values]
    if len(modes) != 1 or modes[0] not in POOLINGS:
        raise InputError(f"{path} pools by {', '.join(modes) or 'nothing'}; opendpr knows one of {', '.join(POOLINGS)}")
    if values.get("include_prompt") is False:
        raise InputError(
            f"{path} says include_prompt = false: opendpr pools over prompts too, so it cannot be imported; "
            "choose a model that pools over its prompts"
        )
    return POOLINGS[modes[0]]


def _with_dense(encoder: EncoderConfig, weights: Weights, path: Path) -> tuple[EncoderConfig, Weights]:
    values = read_json(path / "config.json")
    refuse_settings(values, DENSE_SETTINGS, path / "config.json")
    kind = str(values.get("activation_function", "Tanh")).rsplit(".", 1)[-1]
    if kind not in DENSE_ACTIVATIONS:
        raise InputError(f"{path} has the activation {kind}; opendpr knows {', '.join(DENSE_ACTIVATIONS)}")
    stored = families.stored_weights(path)
    matrix = stored["linear.weight"]
    bias = stored.get("linear.bias", matrix[:, 0] * 0)
    encoder = replace(encoder, projection_size=len(matrix), projection_activation=DENSE_ACTIVATIONS[kind])
    return encoder, {**weights, "projection.weight": matrix, "projection.bias": bias}


def _fed(
    encoder: EncoderConfig, about: dict[str, Any], settings: ImportSettings, directory: Path
) -> tuple[EncoderConfig, tuple[str, ...]]:
    """The encoder with its prefixes and its similarity, and what to say of them."""
    prompts = {name: text for name, text in (about.get("prompts") or {}).items() if text}
    default = about.get("default_prompt_name")
    question = prompts.get("query", "")
    passage = next((prompts[name] for name in PASSAGE_PROMPTS if name in prompts), "")
    prefixes = settings.question_prefix, settings.passage_prefix
    if default in prompts and not question and not passage and None in prefixes:
        raise InputError(
            f"{directory} puts its prompt {default!r} before questions and passages alike; say what belongs before "
            "each with --question-prefix and --passage-prefix"
        )
    form = replace(
        encoder.input_form,
        question_prefix=question if prefixes[0] is None else prefixes[0],
        passage_prefix=passage if prefixes[1] is None else prefixes[1],
    )
    named = about.get("similarity_fn_name")
    wanted = settings.similarity or named or "cosine"
    if wanted not in ("dot", "cosine"):
        raise InputError(f"{directory} compares by {wanted}; opendpr knows dot and cosine")
    cosine = encoder.similarity == "cosine" or wanted == "cosine"
    notes = []
    if named is None and encoder.similarity == "dot" and settings.similarity is None:
        notes.append(
            "the model names no similarity, so it is cosine, as in sentence-transformers; --similarity dot is for one "
            "trained with inner products"
        )
    for noun, prefix in (("questions", form.question_prefix), ("passages", form.passage_prefix)):
        if prefix:
            notes.append(f"{noun} begin with {prefix!r}")
    others = sorted(set(prompts) - {"query", *PASSAGE_PROMPTS})
    if others:
        notes.append(f"prompts for other tasks are left out: {', '.join(others)}")
    similarity = {"similarity": "cosine" if cosine else "dot", "scale": COSINE_SCALE if cosine else 1.0}
    return replace(encoder, input_form=form, **similarity), tuple(notes)  # type: ignore[arg-type]
