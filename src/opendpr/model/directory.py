"""Model directories: what a trained model is on disk.

    config.json          format, fingerprint, how encoder and reader were made and how they are fed
    tokenizer.json       the `tokenizers` file, of every network that has none of its own in its folder
    encoder/             tied towers, or question_encoder/ and passage_encoder/
        model.safetensors
    reader/              or reranker/, of a model that scores question and passage together
        model.safetensors
    training.json        every setting of the training, resolved
    metrics.json         what was measured, with the command

Weights carry the names that Hugging Face's BertModel gives them, whatever the family. No file is ever a pickle.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from opendpr.errors import CorruptionError, StateError
from opendpr.model.config import (
    EncoderConfig,
    NetworkConfig,
    ReaderConfig,
    RerankerConfig,
    parse_config,
    settings_of,
)
from opendpr.model.config_file import MODEL_FORMAT, read_config
from opendpr.model.saving import saving
from opendpr.storage.atomic import make_directory, replacing, write_json

DEFAULT_MODEL = "opendpr-minilm"

TOKENIZER_FILE = "tokenizer.json"
ROUND_FOLDER = "improve"
"""Folder of a model with what `opendpr improve` made it of."""
TRAINING_FOLDERS = ("checkpoints", "tensorboard", ROUND_FOLDER)
"""Folders of a training that are no part of a model."""
HALF_LARGEST = 65_504.0
"""Largest number of fp16."""

Weights = Mapping[str, NDArray[Any]]
Part = Literal["question", "passage", "reader", "reranker"]


class Model:
    """An opened model directory. Weights are read when they are asked for.

    Raises:
        StateError: the directory is no model, or one of a format this version cannot read.
    """

    def __init__(self, directory: Path, reference: str | None = None) -> None:
        self.directory, self._verified = directory, False
        self.reference = reference or str(directory.absolute())
        """What finds this model again: the name of its package, or its directory."""
        path, config = directory / "config.json", read_config(directory)
        self.name: str = config["name"]
        if "encoder" in config and "fingerprint" not in config:
            raise CorruptionError(f"{path} is incomplete (it has no fingerprint); restore it")
        self.fingerprint: str = config.get("fingerprint", "")
        self.retrieval: Mapping[str, float] = _numbers(config.get("retrieval", {}), "retrieval", path)
        """Weights by name. `lambda`: the similarity's beside BM25 in hybrid retrieval. `passage`, `span` and `reader`:
        those of the reader's log P_selected, of its log P_start + log P_end and of the retrieval score when answers are
        chosen."""
        confidence = config.get("confidence", {}).items()
        self.confidence = {kind: _numbers(weights, f"confidence {kind}", path) for kind, weights in confidence}
        """Weights of an answer's features, `bias` and `threshold`, by retriever; empty if they were not fitted."""
        self.encoder = parse_config(EncoderConfig, config["encoder"], path) if "encoder" in config else None
        self.reader = parse_config(ReaderConfig, config["reader"], path) if "reader" in config else None
        self.reranker = parse_config(RerankerConfig, config["reranker"], path) if "reranker" in config else None

    @property
    def is_installed(self) -> bool:
        """Whether this is the model of an installed package, which does not change and is used often."""
        return self.reference != str(self.directory.absolute())

    @property
    def hybrid_weight(self) -> float:
        """The paper's lambda: what the similarity counts beside BM25 (section 5)."""
        return self.retrieval.get("lambda", 1.0)

    def training_record(self) -> dict[str, Any] | None:
        """What `training.json` says of how the model was made; None if it has none."""
        path = self.directory / "training.json"
        try:
            return dict(json.loads(path.read_text(encoding="utf-8")))
        except FileNotFoundError:
            return None
        except ValueError as error:
            raise CorruptionError(f"{path} is not readable JSON ({error}); restore or remove it") from None

    @property
    def tokenizer_path(self) -> Path:
        return self.directory / TOKENIZER_FILE

    def tokenizer_of(self, part: Part) -> Path:
        """The tokenizer of a part: its own where it has one."""
        own = self.weights_path(part).parent / TOKENIZER_FILE
        return own if own.is_file() else self.tokenizer_path

    def weights_path(self, part: Part) -> Path:
        """Where the weights of a part lie; tied towers share one file."""
        if part in ("question", "passage"):
            folder = "encoder" if self.require_encoder().tied else f"{part}_encoder"
        else:
            folder = part
        return self.directory / folder / "model.safetensors"

    def load_weights(self, part: Part) -> Weights:
        """The weights of a part as fp32 arrays."""
        return {name: value.astype(np.float32) for name, value in read_weights(self.weights_path(part)).items()}

    def config_of(self, part: Part) -> NetworkConfig:
        """How the network of a part is built and fed.

        Raises:
            StateError: the model has no such part.
        """
        if part == "reranker":
            return self.require_reranker()
        return self.require_reader() if part == "reader" else self.require_encoder()

    def verify_encoder(self) -> None:
        """Check once that the encoder is that of the fingerprint; one in an installed package is taken as it is.

        Raises:
            CorruptionError: its configuration, tokenizer or weights were changed.
            StateError: one of its files is missing.
        """
        if self.is_installed or self._verified:
            return
        config = self.require_encoder()
        paths = sorted({self.weights_path("question"), self.weights_path("passage")})
        found = fingerprint(config, [self.tokenizer_path, *paths])
        if found != self.fingerprint:
            raise CorruptionError(
                f"model {self.name} ({self.directory}) has an encoder of fingerprint {found[:12]}, expected "
                f"{self.fingerprint[:12]} as in config.json; a file was changed or copied incompletely. Restore it, "
                f"or make one of it with a fingerprint of its own: 'opendpr import model {self.directory} -o NEW'"
            )
        self._verified = True

    def require_encoder(self) -> EncoderConfig:
        if self.encoder is None:
            raise StateError(f"model {self.name} ({self.directory}) has no encoder; give one that has")
        return self.encoder

    def require_reader(self) -> ReaderConfig:
        if self.reader is None:
            raise StateError(
                f"model {self.name} ({self.directory}) has no reader; give one that has, "
                "or train one with 'opendpr train reader'"
            )
        return self.reader

    def require_reranker(self) -> RerankerConfig:
        if self.reranker is None:
            raise StateError(
                f"model {self.name} ({self.directory}) has no re-ranker; give one that has, which "
                "'opendpr import model' makes of a cross-encoder"
            )
        return self.reranker


def find_model(name: str) -> Model:
    """Open a model by directory, or by the name of an installed model package.

    A package announces its directory under the entry point group `opendpr.models`.
    """
    if os.sep in name or (Path(name) / "config.json").is_file() or Path(name).is_file():
        return Model(Path(name))
    installed = {point.name: point for point in entry_points(group="opendpr.models")}
    if name in installed:
        return Model(Path(installed[name].load()), reference=name)
    packages = ", ".join(sorted(installed)) or "none"
    raise StateError(
        f"there is no model {name!r}: neither the directory of one nor an installed model package "
        f"(installed: {packages}); install one with pip or give a directory"
    )


def refuse_used(directory: Path) -> None:
    """Raises StateError if a directory to write a model into holds one already."""
    if (directory / "config.json").exists():
        raise StateError(f"{directory} holds a model already; give another directory, or remove it first")


def read_weights(path: Path) -> dict[str, NDArray[Any]]:
    """Read a safetensors file as it is, without torch."""
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    _require_file(path)
    try:
        return dict(load_file(path))
    except SafetensorError as error:
        raise CorruptionError(f"{path} is damaged ({error}); restore it") from None


def write_model(
    directory: Path,
    *,
    name: str,
    tokenizer: Path | Mapping[str, Path],
    encoder: tuple[EncoderConfig, Mapping[str, Weights]] | None = None,
    reader: tuple[ReaderConfig, Weights] | None = None,
    retrieval: Mapping[str, float] | None = None,
) -> Model:
    """Write a model directory with fp16 weights and its fingerprint.

    Args:
        tokenizer: of all parts, or by folder name, with that of the model under the empty name
        encoder: its configuration, and the weights by folder name (`encoder`, or `question_encoder`, `passage_encoder`)
    """
    make_directory(directory)
    for folder, path in {"": tokenizer}.items() if isinstance(tokenizer, Path) else tokenizer.items():
        make_directory(directory / folder)
        with replacing(directory / folder / TOKENIZER_FILE) as temporary:
            temporary.write_bytes(path.read_bytes())
    config: dict[str, Any] = {"format": MODEL_FORMAT, "name": name}
    folders: dict[str, Weights] = dict(encoder[1]) if encoder else {}
    if reader:
        folders["reader"] = reader[1]
    for folder, weights in folders.items():
        write_weights(directory / folder, weights)
    if encoder:
        config["encoder"] = settings_of(encoder[0])
        paths = [directory / folder / "model.safetensors" for folder in sorted(encoder[1])]
        config["fingerprint"] = fingerprint(encoder[0], [directory / TOKENIZER_FILE, *paths])
    if reader:
        config["reader"] = settings_of(reader[0])
    if retrieval:
        config["retrieval"] = dict(retrieval)
    write_json(directory / "config.json", config)
    return Model(directory)


def own_tokenizer(model: Model) -> dict[str, Path]:
    """A reader's own tokenizer by its folder, for `write_model`; empty if it has the encoder's."""
    path = model.tokenizer_of("reader")
    return {} if path == model.tokenizer_path else {"reader": path}


def write_reranker(directory: Path, tokenizer: Path, config: RerankerConfig, weights: Weights) -> Model:
    """Write a model directory with a re-ranker, under the name of the directory."""
    make_directory(directory)
    with replacing(directory / TOKENIZER_FILE) as temporary:
        temporary.write_bytes(tokenizer.read_bytes())
    write_weights(directory / "reranker", weights)
    values = {"format": MODEL_FORMAT, "name": directory.name, "reranker": settings_of(config)}
    write_json(directory / "config.json", values)
    return Model(directory)


def write_weights(folder: Path, weights: Weights) -> None:
    """Write weights in fp16; a matrix with a number that is too large for it in fp32."""
    from safetensors.numpy import save_file

    folder.mkdir(exist_ok=True)
    stored = {}
    for name, value in weights.items():
        fits = value.dtype == np.float16 or float(np.abs(value).max(initial=0)) <= HALF_LARGEST
        stored[name] = np.ascontiguousarray(value, dtype=np.float16 if fits else np.float32)
    with replacing(path := folder / "model.safetensors") as temporary, saving(path):
        save_file(stored, temporary)


def fingerprint(config: NetworkConfig, paths: list[Path]) -> str:
    """SHA-256 over everything that decides what a network gives: its configuration, its weights and its tokenizer.

    The training `scale` of encoders is left out (it does not change a vector), and so are runtime and precision.
    """
    decisive = {key: value for key, value in settings_of(config).items() if key != "scale"}
    digest = hashlib.sha256(json.dumps(decisive, sort_keys=True).encode())
    for path in paths:
        _require_file(path)
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()


def _require_file(path: Path) -> None:
    if not path.is_file():
        raise StateError(f"the model lacks {path}; it was copied or unpacked incompletely, restore it")


def _numbers(values: object, name: str, path: Path) -> dict[str, float]:
    if not isinstance(values, dict) or not {type(value) for value in values.values()} <= {int, float}:
        raise StateError(f"{path}: {name} is {json.dumps(values)[:80]}, expected numbers by name; correct it")
    return values
