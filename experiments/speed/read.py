"""How long reading the first 20 passages of a question takes, beside a plain transformers reader on the same passages.

One question after the other, both systems on each in turn, so that a noisy machine hits both. Ours tokenises,
windows, runs the network in the precision that is served and decodes. The peer is transformers'
BertForQuestionAnswering with the same weights in PyTorch fp32: all passages as one padded batch, the best span of
each by start and end logits. Retrieval is left out.

    python -m experiments.speed.read                       # auto: what ask takes here
    python -m experiments.speed.read --precision int8
"""

from __future__ import annotations

import json
import statistics
import time
from pathlib import Path

import numpy as np
import torch
from transformers import BertConfig, BertForQuestionAnswering, BertTokenizerFast

from experiments.common.data import POOLS, arguments, pool, questions
from experiments.common.machine import describe
from opendpr.collection import open_collection, open_writer
from opendpr.iteration import batched
from opendpr.model.directory import Model, find_model
from opendpr.model.reader import BertReader
from opendpr.model.runtime import RuntimeSettings, resolved
from opendpr.search.bm25 import update_bm25
from opendpr.search.retrievers import make_retriever
from opendpr.types import Hit

K = 20
WARM_UP = 3


class Peer:
    """transformers in fp32 with the model's own weights."""

    def __init__(self, model: Model) -> None:
        config = model.require_reader()
        shape = {name: getattr(config.architecture, name) for name in config.architecture.__dataclass_fields__}
        self._network = BertForQuestionAnswering(BertConfig(**shape)).eval()
        weights = {
            name if name.startswith("qa_outputs") else f"bert.{name}": torch.from_numpy(value)
            for name, value in model.load_weights("reader").items()
            if not name.startswith("qa_classifier")
        }
        self._network.load_state_dict(weights, strict=False)
        self._tokenizer = BertTokenizerFast(tokenizer_file=str(model.tokenizer_path))
        self._longest = config.max_tokens

    @torch.inference_mode()
    def read(self, question: str, hits: list[Hit]) -> list[str]:
        texts = [hit.passage.text for hit in hits]
        batch = self._tokenizer(
            [question] * len(texts),
            texts,
            truncation="only_second",
            max_length=self._longest,
            padding=True,
            return_offsets_mapping=True,
            return_tensors="pt",
        )
        offsets = batch.pop("offset_mapping")
        found = self._network(**batch)
        answers = []
        for row, text in enumerate(texts):
            inside = np.array([kind == 1 for kind in batch.sequence_ids(row)])
            start = np.where(inside, found.start_logits[row].numpy(), -np.inf)
            end = np.where(inside, found.end_logits[row].numpy(), -np.inf)
            scores = np.triu(start[:, None] + end[None, :]) - np.tril(np.full((len(start), len(start)), np.inf), -1)
            first, last = divmod(int(np.nanargmax(scores)), len(start))
            answers.append(text[int(offsets[row, first, 0]) : int(offsets[row, last, 1])])
        return answers


def passages(work: Path, pool_name: str, asked: list[str]) -> list[list[Hit]]:
    """The 20 best passages by BM25: who finds them does not matter for how long reading takes."""
    directory = work / f"{pool_name}-bm25"
    with open_writer(directory) as writer:
        if not writer.counts()["passages"]:
            for some in batched(pool(pool_name), 256):
                writer.put_documents(some)
            update_bm25(writer)
    return make_retriever("bm25", open_collection(directory), None).retrieve(asked, K)


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--pool", choices=POOLS, default="P10")
    parser.add_argument("--precision", default="auto")
    parser.add_argument("--questions", type=int, default=50)
    args = parser.parse_args()
    model = find_model(args.model)
    settings = resolved(RuntimeSettings(precision=args.precision))
    reader, peer = BertReader(model, settings), Peer(model)
    asked = [record["question"] for record in questions("squad", "report")[: args.questions + WARM_UP]]
    hits = passages(args.work, args.pool, asked)
    ours, theirs, same = [], [], []
    for number, (question, of) in enumerate(zip(asked, hits, strict=True)):
        started = time.perf_counter()
        (spans,) = reader.read([question], [of])
        between = time.perf_counter()
        answers = peer.read(question, of)
        ended = time.perf_counter()
        if number >= WARM_UP:
            ours.append(1000 * (between - started))
            theirs.append(1000 * (ended - between))
            same.append(len({span.text for span in spans} & set(answers)) / max(1, len(set(answers))))
    about = {"machine": describe(), "model": args.model, "network": str(settings), "questions": len(ours), "k": K}
    print(json.dumps({**about, "torch_threads": torch.get_num_threads()}))
    for name, times in (("opendpr", ours), ("transformers, fp32", theirs)):
        p50, p95 = np.percentile(times, [50, 95])
        print(f"{name:20} p50 {p50:7.1f} ms   p95 {p95:7.1f} ms")
    ratios = [b / a for a, b in zip(ours, theirs, strict=True)]
    print(f"times as fast, question by question: median {statistics.median(ratios):.2f}")
    print(f"of the peer's spans found among ours: {100 * statistics.mean(same):.1f} %")


if __name__ == "__main__":
    main()
