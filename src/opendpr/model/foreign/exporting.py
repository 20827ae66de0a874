"""Our models in the forms of other systems: the way back of what is imported."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np

from opendpr.choices import ModelForm
from opendpr.errors import OpendprError, StateError
from opendpr.model.config import Activation, Architecture, EncoderConfig, ReaderConfig
from opendpr.model.directory import TOKENIZER_FILE, Model, Part, Weights
from opendpr.model.foreign import dpr
from opendpr.model.foreign.cards import card
from opendpr.model.foreign.sentence_transformers import DENSE_ACTIVATIONS, POOLINGS
from opendpr.model.foreign.writing import (
    READER_TASK,
    RERANKER_TASK,
    Feeding,
    family_name,
    hugging_face,
    save_weights,
    write_network,
    write_tokenizer,
)
from opendpr.storage.atomic import make_directory, replacing, write_json

DENSE_CLASSES: dict[Activation, str] = {
    kind: f"torch.nn.modules.{'linear' if kind == 'identity' else 'activation'}.{name}"
    for name, kind in DENSE_ACTIVATIONS.items()
}

SELECTION_PREFIX = "qa_classifier."
"""What the layer that selects passages is called."""


def to_sentence_transformers(model: Model, output: Path) -> None:
    """The encoder as a directory of sentence-transformers, of two towers a Router; a re-ranker as a CrossEncoder.

    Raises:
        StateError: the model has neither, or the encoder is fed in a way that the layout does not know.
    """
    if model.reranker:
        _write_task(model, "reranker", output, RERANKER_TASK)
        return
    config = model.require_encoder()
    if config.input_form.token_types == "segments":
        raise StateError(
            "sentence-transformers gives all tokens one type, this model two (token_types segments); choose "
            "another form"
        )
    make_directory(output)
    kinds = ["Transformer", "Pooling", *["Dense"] * bool(config.projection_size)]
    module = "sentence_transformers.models."
    if config.tied:
        paths = ["", *(f"{number}_{kind}" for number, kind in enumerate(kinds[1:], start=1))]
        _write_tower(model, "passage", [output / path for path in paths])
        modules = [{"type": module + kind, "path": path} for kind, path in zip(kinds, paths, strict=True)]
    else:
        modules, structure = [{"type": module + "Router", "path": ""}], {}
        parts: dict[str, Part] = {"query": "question", "document": "passage"}
        for route, part in parts.items():
            structure[route] = [f"{route}_{number}_{kind}" for number, kind in enumerate(kinds)]
            _write_tower(model, part, [output / path for path in structure[route]])
        types = {path: module + kind for paths in structure.values() for path, kind in zip(paths, kinds, strict=True)}
        routes = {"default_route": "document", "allow_empty_key": True}
        write_json(output / "router_config.json", {"types": types, "structure": structure, "parameters": routes})
    if config.similarity == "cosine":
        modules.append({"type": module + "Normalize", "path": f"{len(modules)}_Normalize"})
        make_directory(output / modules[-1]["path"])
    entries = [{"idx": number, "name": str(number), **entry} for number, entry in enumerate(modules)]
    (output / "modules.json").write_text(json.dumps(entries, indent=2), encoding="utf-8")
    form = config.input_form
    prompts = {"query": form.question_prefix, "document": form.passage_prefix}
    about = {"prompts": prompts, "default_prompt_name": None, "similarity_fn_name": config.similarity}
    write_json(output / "config_sentence_transformers.json", about)


def to_transformers_dpr(model: Model, output: Path) -> None:
    """DPR's classes of transformers, each in a directory of its own.

    Raises:
        StateError: the model computes what those classes do not.
    """
    config = model.encoder
    if config:
        refuse_other_than_dpr(model)
        parts: tuple[tuple[Part, str, str], ...] = (
            ("question", "DPRQuestionEncoder", "question_encoder."),
            ("passage", "DPRContextEncoder", "ctx_encoder."),
        )
        for part, kind, prefix in parts:
            _write_dpr(model, part, output / f"{part}_encoder", kind=kind, renamed=partial(_dpr_name, prefix))
    if model.reader:
        _refuse_other_reader(model)
        _write_dpr(model, "reader", output / "reader", kind="DPRReader", renamed=_dpr_reader_name)


def to_transformers_qa(model: Model, output: Path) -> None:
    """The reader as a class of transformers for question answering; a layer that selects passages is left out.

    Raises:
        StateError: the model has no reader.
    """
    model.require_reader()
    _write_task(model, "reader", output, READER_TASK)


def to_dpr(model: Model, output: Path) -> None:
    """DPR's own checkpoints: `encoder.cp` with both towers, `reader.cp`; written by torch.

    Raises:
        OpendprError: torch is not installed.
        StateError: the model computes what DPR does not.
    """
    try:
        import torch
    except ModuleNotFoundError:
        raise OpendprError("DPR's checkpoints are written by torch; pip install 'opendpr[train]'") from None
    make_directory(output)

    def save(name: str, weights: Weights, shape: Architecture) -> None:
        tensors = {key: torch.from_numpy(np.array(value, np.float32)) for key, value in weights.items()}
        with replacing(output / name) as temporary:
            torch.save(_dpr_state(shape) | {"model_dict": tensors}, temporary)

    if model.encoder:
        refuse_other_than_dpr(model)
        towers: dict[Part, str] = {"question": dpr.TOWER_PREFIXES["question"], "passage": dpr.TOWER_PREFIXES["passage"]}
        weights = {
            prefix + name.replace("projection.", "encode_proj."): value
            for part, prefix in towers.items()
            for name, value in model.load_weights(part).items()
        }
        save("encoder.cp", weights, model.encoder.architecture)
    if model.reader:
        _refuse_other_reader(model)
        stored = model.load_weights("reader").items()
        named = {name if name.startswith("qa_") else dpr.READER_PREFIX + name: value for name, value in stored}
        save("reader.cp", named, model.reader.architecture)
    with replacing(output / TOKENIZER_FILE) as temporary:
        temporary.write_bytes(model.tokenizer_path.read_bytes())


def _dpr_state(shape: Architecture) -> dict[str, object]:
    """What a checkpoint of DPR holds beside the weights."""
    parameters = {
        "encoder_model_type": "hf_bert",
        "pretrained_model_cfg": "bert-base-uncased",
        "do_lower_case": True,
        "num_attention_heads": shape.num_attention_heads,
    }
    return dict.fromkeys(dpr.CHECKPOINT_FIELDS) | {"offset": 0, "epoch": 0, "encoder_params": parameters}


def to_onnx(model: Model, output: Path) -> None:
    """Each network as one file of ONNX, with the inputs `ids`, `types` and `mask`; written by torch.

    Raises:
        OpendprError: torch is not installed.
    """
    try:
        from opendpr.model.foreign.onnx import write_onnx
    except ModuleNotFoundError as error:
        raise OpendprError(f"ONNX needs {error.name}, which is not installed; pip install 'opendpr[train]'") from None
    make_directory(output)
    parts: list[Part] = []
    if model.encoder:
        parts += ["passage"] if model.encoder.tied else ["question", "passage"]
    if model.reader:
        parts.append("reader")
    if model.reranker:
        parts.append("reranker")
    for part in parts:
        name = model.weights_path(part).parent.name
        write_onnx(model.config_of(part), model.load_weights(part), output / f"{name}.onnx")
    with replacing(output / TOKENIZER_FILE) as temporary:
        temporary.write_bytes(model.tokenizer_path.read_bytes())


MODEL_WRITERS: Mapping[ModelForm, Callable[[Model, Path], None]] = {
    "sentence-transformers": to_sentence_transformers,
    "hf-dpr": to_transformers_dpr,
    "hf-qa": to_transformers_qa,
    "dpr": to_dpr,
    "onnx": to_onnx,
}


def export_model(model: Model, output: Path, form: ModelForm) -> None:
    """Write a model in a form of another system, with a card that says how it is fed.

    Raises:
        StateError: the directory is not empty, or the form has no place for something that the model has.
    """
    if output.exists() and any(output.iterdir()):
        raise StateError(f"{output} exists and is not empty; give another directory, or remove it first")
    MODEL_WRITERS[form](model, output)
    (output / "README.md").write_text(card(model, form), encoding="utf-8")


def _write_tower(model: Model, part: Part, paths: list[Path]) -> None:
    """Transformer, Pooling and perhaps Dense of one tower, each in its directory."""
    config, weights = model.require_encoder(), dict(model.load_weights(part))
    limit = max(config.max_question_tokens, config.max_passage_tokens)
    lengths = {"query_length": config.max_question_tokens, "document_length": config.max_passage_tokens}
    dense = {name: weights.pop(f"projection.{name}") for name in ("weight", "bias") if f"projection.{name}" in weights}
    shape = config.architecture
    write_network(paths[0], model.tokenizer_path, shape, weights, feeding=Feeding(limit, shape.type_vocab_size > 1))
    same = len({*lengths.values()}) == 1
    settings = {"max_seq_length": limit, "do_lower_case": False, **({} if same else lengths)}
    write_json(paths[0] / "sentence_bert_config.json", settings)
    names = {ours: theirs for theirs, ours in POOLINGS.items()}
    make_directory(paths[1])
    pooling = {"word_embedding_dimension": config.architecture.hidden_size, "include_prompt": True}
    write_json(paths[1] / "config.json", {**pooling, "pooling_mode": names[config.pooling]})
    if dense:
        make_directory(paths[2])
        sizes = {"in_features": config.architecture.hidden_size, "out_features": config.projection_size, "bias": True}
        activation = DENSE_CLASSES[config.projection_activation]
        write_json(paths[2] / "config.json", {**sizes, "activation_function": activation})
        save_weights({f"linear.{name}": value for name, value in dense.items()}, paths[2] / "model.safetensors")


def refuse_other_than_dpr(model: Model) -> None:
    """Raises StateError if the encoder computes what DPR's encoders do not."""
    config = model.require_encoder()
    usual = EncoderConfig(config.architecture, projection_size=config.projection_size)
    for name in ("pooling", "similarity", "projection_activation", "input_form"):
        if (own := getattr(config, name)) != (expected := getattr(usual, name)):
            raise StateError(
                f"the form of DPR has no place for {name} {own} (it has {expected}); export to sentence-transformers"
            )
    if family_name(config.architecture) != "bert":
        raise StateError(
            f"the form of DPR is for BERT, the model is {family_name(config.architecture)}; export to "
            "sentence-transformers"
        )


def _refuse_other_reader(model: Model) -> None:
    config: ReaderConfig = model.require_reader()
    if not config.selection or family_name(config.architecture) != "bert":
        raise StateError("DPR's reader is a BERT that selects passages; export this one as hf-qa")


def _dpr_name(prefix: str, name: str) -> str:
    if name.startswith("projection."):
        return prefix + name.replace("projection.", "encode_proj.")
    return f"{prefix}bert_model.{name}"


def _dpr_reader_name(name: str) -> str:
    return f"span_predictor.{name}" if name.startswith("qa_") else f"span_predictor.encoder.bert_model.{name}"


def _write_task(model: Model, part: Literal["reader", "reranker"], directory: Path, task: str) -> None:
    """A reader or re-ranker as a class of transformers."""
    config = model.require_reader() if part == "reader" else model.require_reranker()
    weights = {name: value for name, value in model.load_weights(part).items() if not name.startswith(SELECTION_PREFIX)}
    feeding = Feeding(config.max_tokens, config.input_form.token_types == "segments")
    write_network(directory, model.tokenizer_of(part), config.architecture, weights, feeding=feeding, task=task)


def _write_dpr(model: Model, part: Part, directory: Path, *, kind: str, renamed: Callable[[str], str]) -> None:
    config = model.config_of(part)
    shape = config.architecture
    make_directory(directory)
    weights = {renamed(name): value for name, value in model.load_weights(part).items()}
    save_weights(weights, directory / "model.safetensors")
    size = config.projection_size if isinstance(config, EncoderConfig) else 0
    values = {**hugging_face(shape, "bert"), "model_type": "dpr", "projection_dim": size}
    write_json(directory / "config.json", {"architectures": [kind], **values})
    write_tokenizer(directory, model.tokenizer_of(part), Feeding(shape.max_tokens))
