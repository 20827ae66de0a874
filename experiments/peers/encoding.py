"""Texts encoded by sentence-transformers, in three ways, or by fastembed, in a process that stays loaded.

    python -m experiments.peers.encoding SYSTEM MODEL KEPT

MODEL is a directory of sentence-transformers; KEPT is where a system that needs another form exports it to, once. The
first line printed says what is missing, or the versions of what is there once the model is loaded and warm. A line of
standard input names a file of texts, a JSON list, and one for their vectors; its seconds are printed. All else is as
the system has it by default. Nothing here needs opendpr, so that the systems can have an environment of their own.
"""

from __future__ import annotations

import json
import shutil
import sys
import time
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from experiments.peers.sentence_transformers import load_encoder

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

Encode = Callable[[list[str]], NDArray[np.float32]]
WARM_UP_TEXTS = ["warm up " * 50] * 32
FASTEMBED_NAME = "local/encoder"
"""What fastembed knows the exported model by."""
ONNX_NAME = "model.onnx"


def encoded_by(peer: SentenceTransformer) -> Encode:
    """How sentence-transformers encodes texts."""
    return lambda texts: np.asarray(peer.encode(texts, show_progress_bar=False), np.float32)


def in_fp32(model: Path, kept: Path) -> Encode:
    """sentence-transformers as it is."""
    return encoded_by(load_encoder(model))


def in_bf16(model: Path, kept: Path) -> Encode:
    """sentence-transformers with weights in bf16."""
    import torch

    return encoded_by(load_encoder(model, dtype=torch.bfloat16))


def by_openvino(model: Path, kept: Path) -> Encode:
    """sentence-transformers' OpenVINO backend, which takes the precision that OpenVINO has by default."""
    if not kept.exists():
        half_done = kept.with_name(f"{kept.name}.new")
        shutil.rmtree(half_done, ignore_errors=True)
        load_encoder(model, "openvino", export=True).save_pretrained(str(half_done))
        half_done.rename(kept)
    return encoded_by(load_encoder(kept, "openvino"))


def by_fastembed(model: Path, kept: Path) -> Encode:
    """The network as ONNX in fastembed, cut where sentence-transformers cuts."""
    from fastembed import TextEmbedding
    from fastembed.common.model_description import ModelSource, PoolingType

    if not kept.exists():
        export_onnx(model, kept)
    config = json.loads((kept / "config.json").read_text(encoding="utf-8"))
    TextEmbedding.add_custom_model(
        model=FASTEMBED_NAME,
        pooling=PoolingType.MEAN,
        normalization=True,
        sources=ModelSource(hf=FASTEMBED_NAME),
        dim=config["hidden_size"],
        model_file=ONNX_NAME,
    )
    peer = TextEmbedding(FASTEMBED_NAME, specific_model_path=str(kept))
    return lambda texts: np.stack(list(peer.embed(texts)))


def export_onnx(model: Path, directory: Path) -> None:
    """Write the network, without pooling, and its tokenizer as fastembed reads them."""
    import torch

    peer = load_encoder(model, attn_implementation="eager")  # 20 % faster in ONNX Runtime than sdpa
    network = peer[0].auto_model.eval()
    half_done = directory.with_name(f"{directory.name}.new")
    shutil.rmtree(half_done, ignore_errors=True)
    half_done.mkdir(parents=True)
    names = ("input_ids", "attention_mask", "token_type_ids")
    sizes = {0: torch.export.Dim("batch"), 1: torch.export.Dim("tokens")}
    torch.onnx.export(
        network,
        kwargs={name: torch.ones(2, 8, dtype=torch.int64) for name in names},
        f=str(half_done / ONNX_NAME),
        dynamic_shapes=dict.fromkeys(names, sizes),
        external_data=False,
        verbose=False,
    )
    peer.tokenizer.save_pretrained(half_done)
    network.config.save_pretrained(half_done)
    path = half_done / "tokenizer_config.json"
    lengths = dict.fromkeys(("model_max_length", "max_length"), peer.max_seq_length)  # fastembed takes the smaller
    path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")) | lengths), encoding="utf-8")
    half_done.rename(directory)


SYSTEMS: dict[str, tuple[Callable[[Path, Path], Encode], tuple[str, ...]]] = {
    "sentence-transformers": (in_fp32, ("sentence-transformers", "torch")),
    "sentence-transformers bf16": (in_bf16, ("sentence-transformers", "torch")),
    "sentence-transformers OpenVINO": (by_openvino, ("sentence-transformers", "optimum-intel", "openvino")),
    "fastembed": (by_fastembed, ("fastembed", "onnxruntime", "sentence-transformers", "onnxscript")),
}
"""How each system is loaded, and the packages that it needs."""


def serve(system: str, model: Path, kept: Path) -> None:
    """Answer lines until there are no more."""
    load, packages = SYSTEMS[system]
    try:
        versions = {name: version(name) for name in packages}
    except PackageNotFoundError as error:
        print(json.dumps({"missing": error.name}), flush=True)
        return
    encode = load(model, kept)
    encode(WARM_UP_TEXTS)
    print(json.dumps({"versions": versions}), flush=True)
    for line in sys.stdin:
        texts_path, vectors_path = json.loads(line)
        texts = json.loads(Path(texts_path).read_text(encoding="utf-8"))
        started, processor = time.perf_counter(), time.process_time()
        vectors = encode(texts)
        seconds = {"seconds": time.perf_counter() - started, "processor": time.process_time() - processor}
        np.save(vectors_path, vectors)
        print(json.dumps(seconds), flush=True)


if __name__ == "__main__":
    serve(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
