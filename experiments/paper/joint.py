"""Joint training of question encoder and reader (paper, appendix D) beside training the reader alone.

The passage encoder stays as it is, so that the index does. The loss of a batch is the reader's plus the retriever's:
the negative log-likelihood of a question's positives among the passages of all questions of the batch. Both models
start from the same trained weights, see the same examples in the same order and answer from the same collection by
dense retrieval; the start itself is a third row.

    opendpr mine COLLECTION questions.jsonl -o examples.jsonl --depth 20 --positive-depth 5 --negatives 8
    python -m experiments.paper.joint examples.jsonl --pool P150 --examples 4000
"""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from experiments.common.data import POOLS, arguments, questions
from experiments.common.machine import describe
from experiments.paper.retrieval import open_pool
from opendpr.answering.decoding import Decoding, outcome
from opendpr.collection import Collection
from opendpr.evaluation import compare
from opendpr.iteration import batched
from opendpr.model.batches import pad
from opendpr.model.directory import Model, find_model, read_weights, write_model
from opendpr.model.encoder import BertEncoder, EncoderInput
from opendpr.model.reader import BertReader
from opendpr.model.runtime import RuntimeSettings
from opendpr.model.tokenizer import Tokenizer
from opendpr.model.torch import ReaderNetwork, load_weights, make_network, stored_weights
from opendpr.search.retrievers import DenseRetriever, Snapshot
from opendpr.storage.files import file_sha256
from opendpr.text import exact_match, f1
from opendpr.training.examples import MarkedPassage, ReaderExample, read_reader_examples
from opendpr.training.loop import Step, train
from opendpr.training.reader_objective import ReaderObjective
from opendpr.training.settings import ReaderSettings
from opendpr.types import Passage

K = 20
SCALE = 20.0
"""Of the similarity in the loss, where the model has unit vectors."""


class Both(nn.Module):
    def __init__(self, model: Model) -> None:
        super().__init__()
        config = model.require_encoder()
        self.question, self.reader = make_network(config), ReaderNetwork(config.architecture)
        load_weights(self.question, model.load_weights("question"))
        load_weights(self.reader, model.load_weights("reader"))


class JointObjective:
    """The reader's loss, and if wanted the retriever's, over the same batches."""

    def __init__(self, network: Both, reader: ReaderObjective, model: Model, joint: bool) -> None:
        self.network, self._reader, self._joint = network, reader, joint
        self._inputs = EncoderInput(model.require_encoder(), Tokenizer(model.tokenizer_path))
        encoder = BertEncoder(model)
        passages = [of for each in reader.examples for of in (*each.positives, *each.negatives)] if joint else []
        vectors = [encoder.encode_passages([_passage(of) for of in some]) for some in batched(passages, 1_024)]
        self._vectors = torch.from_numpy(np.concatenate(vectors)) if vectors else torch.empty(0)
        sizes = [len(each.positives) + len(each.negatives) for each in reader.examples]
        self._first = np.concatenate([[0], np.cumsum(sizes)])

    def batches(self, epoch: int) -> Sequence[tuple[NDArray[np.int64], int]]:
        return self._reader.batches(epoch)

    def backward(self, batch: tuple[NDArray[np.int64], int], step: Step) -> float:
        loss = self._reader.backward(batch, step)
        if not self._joint:
            return loss
        retrieval = self._retrieval_loss(batch[0].tolist(), step)
        retrieval.backward()
        return loss + retrieval.item()

    def validate(self) -> Mapping[str, float] | None:
        return None

    def _retrieval_loss(self, numbers: list[int], step: Step) -> Tensor:
        examples = [self._reader.examples[number] for number in numbers]
        sequences = self._inputs.questions([example.question.text for example in examples])
        ids, types, mask = (torch.from_numpy(array).long() for array in pad(sequences, self._inputs.tokenizer.pad))
        with step.autocast(torch.device("cpu")):
            asked = self.network.question(ids, types, mask, step.dropout)
        rows = np.concatenate([np.arange(self._first[n], self._first[n + 1]) for n in numbers])
        owner = np.repeat(np.arange(len(numbers)), [self._first[n + 1] - self._first[n] for n in numbers])
        place = np.concatenate([np.arange(self._first[n + 1] - self._first[n]) for n in numbers])
        few = np.array([len(example.positives) for example in examples])
        positive = torch.from_numpy((owner[None] == np.arange(len(numbers))[:, None]) & (place < few[owner])[None])
        scores = SCALE * asked @ self._vectors[rows].T
        return (scores.logsumexp(1) - scores.masked_fill(~positive, -torch.inf).logsumexp(1)).mean()


def _passage(of: MarkedPassage) -> Passage:
    return Passage(0, "", of.title, of.text, 0)


def train_one(examples: list[ReaderExample], base: Model, output: Path, settings: ReaderSettings, joint: bool) -> Model:
    """The base with its reader trained on, and in joint training its question tower."""
    if (output / "config.json").exists():
        return Model(output)
    torch.manual_seed(settings.seed)
    network, config = Both(base), base.require_reader()
    tokenizer = Tokenizer(base.tokenizer_path)
    reader = ReaderObjective(network.reader, examples, tokenizer=tokenizer, config=config, settings=settings)
    objective = JointObjective(network, reader, base, joint)
    losses = train(objective, settings, output / "checkpoints", origin={"joint": joint}).losses
    print(f"joint {joint}: {len(losses)} steps, loss of the last 100: {np.mean(losses[-100:]):.3f}", flush=True)
    encoder = base.require_encoder()
    towers = {
        "question_encoder": stored_weights(network.question),
        "passage_encoder": read_weights(base.weights_path("passage")),
    }
    untied = encoder.__class__(**{**vars(encoder), "tied": False})
    return write_model(
        output,
        name=output.name,
        tokenizer=base.tokenizer_path,
        encoder=(untied, towers),
        reader=(config, stored_weights(network.reader)),
    )


def answer(model: Model, collection: Collection, records: list[dict]) -> tuple[list[float], list[float]]:
    """Exact match and F1 of each question. The passages' vectors are the base's, as the passage encoder is."""
    runtime = RuntimeSettings()
    retriever, reader = DenseRetriever(Snapshot(collection), BertEncoder(model, runtime)), BertReader(model, runtime)
    exact, shared = [], []
    for some in batched(records, 32):
        asked = [record["question"] for record in some]
        for record, spans in zip(some, reader.read(asked, retriever.retrieve(asked, K)), strict=True):
            answers = outcome(spans, Decoding()).answers
            text = answers[0].text if answers else ""
            exact.append(float(exact_match(text, record["answers"])))
            shared.append(f1(text, record["answers"]))
    return exact, shared


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("files", type=Path, nargs="+", help="what 'opendpr mine' wrote")
    parser.add_argument("--pool", choices=POOLS, default="P25")
    parser.add_argument("--precision", default="auto")
    parser.add_argument("--examples", type=int, default=4_000, help="drawn at random from all, each seen once")
    parser.add_argument("--limit", type=int, default=500, help="questions of each set, report halves")
    args = parser.parse_args()
    base = find_model(args.model)
    settings = ReaderSettings(epochs=1.0, batch_size=16, negatives=3, negative_share=1.0)
    examples = read_reader_examples(args.files, settings.negatives, settings.seed)
    examples = random.Random(settings.seed).sample(examples, min(args.examples, len(examples)))
    decisive = json.dumps([asdict(settings), base.fingerprint, len(examples), *map(file_sha256, args.files)])
    digest = hashlib.sha256(decisive.encode()).hexdigest()[:8]  # so that no model of other settings is taken for these
    models = {
        name: train_one(examples, base, args.work / f"joint-{name}-{digest}", settings, name == "joint")
        for name in ("apart", "joint")
    }
    models = {"start": base, **models}
    collection = open_pool(args, BertEncoder(base, RuntimeSettings(precision=args.precision)))
    about = {
        "machine": describe(),
        "pool": args.pool,
        "model": args.model,
        "examples": len(examples),
        "k": K,
        "seed": 0,
    }
    print(json.dumps({**about, "limit": args.limit}), flush=True)
    for name in ("squad", "nq", "trivia"):
        records = questions(name, "report")[: args.limit]
        found = {which: np.array(answer(model, collection, records)).T for which, model in models.items()}
        for column, measure in enumerate(("EM", "F1")):
            of = compare(found["joint"][:, column, None], found["apart"][:, column, None])[0]
            means = ", ".join(f"{which} {100 * values[:, column].mean():.1f}" for which, values in found.items())
            told = f"{100 * of.mean:+.1f} ({100 * of.low:+.1f} to {100 * of.high:+.1f}), p {of.p:.3f}"
            print(f"{name:8} {measure}  {means}; joint - apart {told}", flush=True)


if __name__ == "__main__":
    main()
