"""One model of ours out of one or several of other systems."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from opendpr.errors import InputError, StateError, UsageError
from opendpr.model.config import COSINE_HYBRID_WEIGHT, EncoderConfig
from opendpr.model.directory import (
    TOKENIZER_FILE,
    Model,
    Part,
    Weights,
    find_model,
    write_model,
    write_reranker,
)
from opendpr.model.foreign.dpr import is_torch_file, read_dpr
from opendpr.model.foreign.sentence_transformers import is_sentence_transformer, read_sentence_transformer
from opendpr.model.foreign.source import ForeignModel, ImportSettings, optional_json
from opendpr.model.foreign.transformers import class_of, read_transformers

ADDITIONS = {"adapter_config.json": "an adapter beside the network", "pooler.pt": "Tevatron's layer on the vectors"}
"""Files that change what a network computes, by name."""
OWN_KIND = "opendpr model"


class ImportedModel(NamedTuple):
    """A model that was written, and what it was made of."""

    model: Model
    sources: Mapping[str, ForeignModel]
    """By what they are for: `question`, `passage`, `reader`, or nothing for a source that is all of the model."""


def read_source(path: Path, settings: ImportSettings) -> ForeignModel:
    """What a directory or file of another system holds; or a model of ours, by its directory or its package.

    Raises:
        InputError: it is of no known form, or has something that has no place in ours.
    """
    if not path.exists():
        return read_own(_packaged(path))
    if is_torch_file(path):
        return read_dpr(path, settings)
    for name, what in ADDITIONS.items():
        if (path / name).is_file():
            raise InputError(f"{path} has {name}, {what}; merge it into the network with the library that made it")
    if is_sentence_transformer(path) and not class_of(path).endswith("ForSequenceClassification"):
        return read_sentence_transformer(path, settings)
    if "format" in optional_json(path / "config.json"):
        return read_own(Model(path))
    if (path / "config.json").is_file():
        return read_transformers(path, settings)
    raise InputError(
        f"{path} is of no known form: it has neither modules.json (sentence-transformers) "
        "nor config.json (transformers); give the folder of a model, or a checkpoint of DPR (.cp)"
    )


def _packaged(path: Path) -> Model:
    """The installed model package of this name."""
    try:
        return find_model(str(path))
    except StateError:
        raise InputError(
            f"{path} does not exist; give the directory of a model, a checkpoint of DPR or a model package. Models of "
            "the Hugging Face Hub are not fetched: 'hf download NAME --local-dir DIR' puts one into a directory"
        ) from None


def read_own(model: Model) -> ForeignModel:
    """A model of ours as a source, so that another reader or encoder can take the place of its own."""
    towers: dict[str, Weights] = {}
    if model.encoder:
        parts: tuple[Part, ...] = ("question",) if model.encoder.tied else ("question", "passage")
        towers = {"encoder" if model.encoder.tied else part: model.load_weights(part) for part in parts}
    fitted = "left out what 'opendpr train answering' fitted to this model (weights, confidence); fit the new one again"
    return ForeignModel(
        OWN_KIND,
        model.tokenizer_path.read_bytes(),
        towers,
        model.encoder,
        (model.reader, model.load_weights("reader")) if model.reader else None,
        reader_tokenizer=model.tokenizer_of("reader").read_bytes() if model.reader else None,
        notes=(fitted,) if model.confidence else (),
    )


def import_model(
    sources: Mapping[str, Path], output: Path, settings: ImportSettings = ImportSettings()
) -> ImportedModel:
    """Write a model out of sources by what they are for; under the empty name one that is all of it.

    Raises:
        InputError: a source cannot be imported; the message names what has no place in ours.
        StateError: the directory to write is not empty.
        UsageError: there is no source, or they do not make a model together.
    """
    if output.exists() and any(output.iterdir()):
        raise StateError(f"{output} exists and is not empty; give another directory, or remove it first")
    if not sources:
        raise UsageError("give the directory of a model, or its parts: question and passage encoder, and reader")
    read = {part: read_source(path, settings) for part, path in sources.items()}
    return ImportedModel(_write(read, output), read)


def _write(sources: Mapping[str, ForeignModel], output: Path) -> Model:
    whole = sources.get("")
    if whole is not None and whole.reranker is not None:
        if len(sources) > 1:
            raise UsageError("a cross-encoder is a model of its own; import it alone")
        with tempfile.TemporaryDirectory() as folder:
            return write_reranker(output, _kept(Path(folder), "", whole.tokenizer), *whole.reranker)
    reader = next((source for source in (sources.get("reader"), whole) if source and source.reader), None)
    if "reader" in sources and reader is not sources["reader"]:
        raise UsageError(
            f"--reader is a {sources['reader'].kind}, which has no reader; give a model that marks answers "
            "(ForQuestionAnswering), or a reader of DPR"
        )
    encoder, towers, first = _encoder(sources)
    with tempfile.TemporaryDirectory() as folder:
        main = first or reader
        assert main is not None, "each model has an encoder or a reader"
        tokenizers = {"": _kept(Path(folder), "", main.tokenizer)}
        own = (reader.reader_tokenizer or reader.tokenizer) if reader else main.tokenizer
        if own != main.tokenizer:
            tokenizers["reader"] = _kept(Path(folder), "reader-", own)
        cosine = encoder is not None and encoder.similarity == "cosine"
        return write_model(
            output,
            name=output.name,
            tokenizer=tokenizers,
            encoder=(encoder, towers) if encoder else None,
            reader=reader.reader if reader else None,
            retrieval={"lambda": COSINE_HYBRID_WEIGHT} if cosine else {},
        )


def _kept(folder: Path, name: str, tokenizer: bytes) -> Path:
    path = folder / f"{name}{TOKENIZER_FILE}"
    path.write_bytes(tokenizer)
    return path


def _encoder(
    sources: Mapping[str, ForeignModel],
) -> tuple[EncoderConfig | None, dict[str, Weights], ForeignModel | None]:
    """The encoder that sources make: its configuration, its weights by folder, and the source of its tokenizer."""
    parts = ("", "question", "passage")
    encoders = {part: sources[part] for part in parts if part in sources and sources[part].encoder}
    if wrong := [part for part in ("question", "passage") if part in sources and part not in encoders]:
        raise UsageError(
            f"--{wrong[0]} is a {sources[wrong[0]].kind}, which has no encoder; give one of sentence-transformers, "
            "transformers or DPR"
        )
    if not encoders:
        return None, {}, None
    if set(encoders) == {""} and "encoder" in encoders[""].towers:
        return encoders[""].encoder, {"encoder": encoders[""].towers["encoder"]}, encoders[""]
    towers, by_part = {}, {}
    for part in ("question", "passage"):
        source = encoders.get(part) or encoders.get("")
        weights = source and (source.towers.get(part) or source.towers.get("encoder"))
        if source is None or not weights:
            other = ", ".join(f"{name or 'the model'} is a {source.kind}" for name, source in encoders.items())
            raise UsageError(f"there is no encoder for {part}s ({other}); give one with --{part}")
        towers[f"{part}_encoder"], by_part[part] = weights, source
    question, passage = by_part["question"], by_part["passage"]
    return _joined(question, passage), towers, question


def _joined(question: ForeignModel, passage: ForeignModel) -> EncoderConfig:
    """The configuration of two towers: each one's own limit and prefix, all else alike."""
    assert question.encoder is not None
    assert passage.encoder is not None
    first, second = question.encoder, passage.encoder
    form = replace(first.input_form, passage_prefix=second.input_form.passage_prefix)
    joined = replace(first, tied=False, input_form=form, max_passage_tokens=second.max_passage_tokens)
    form = replace(second.input_form, question_prefix=first.input_form.question_prefix)
    other = replace(second, tied=False, input_form=form, max_question_tokens=first.max_question_tokens)
    for name, value in vars(joined).items():
        if getattr(other, name) != value:
            raise InputError(f"the two encoders have {name} {value} and {getattr(other, name)}; they must agree")
    if json.loads(question.tokenizer) != json.loads(passage.tokenizer):
        raise InputError("the two encoders have different tokenizers; they must agree")
    return joined
