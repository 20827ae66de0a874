"""Joint training of question encoder and reader (paper, appendix D) beside training the reader alone.

The passage encoder stays as it is, so that the index does. The loss of a batch is the reader's plus the retriever's:
the negative log-likelihood of a question's positives among the passages of all questions of the batch. Both models
start from the same trained weights, see the same examples in the same order and answer from the same collection by
dense retrieval; the start itself is a third row.

    opendpr mine COLLECTION questions.jsonl -o examples.jsonl --depth 20 --positive-depth 5 --negatives 8
    python -m experiments.paper.joint examples.jsonl --pool P150 --examples 4000
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from experiments.common.command import command_line, make_encoder, parse
from experiments.common.data import Record
from experiments.common.pools import open_pool
from experiments.common.report import Report
from experiments.paper.evaluate import QUESTION_SETS
from opendpr.answering.decoding import Decoding, outcome
from opendpr.collection import Collection
from opendpr.evaluation import compare
from opendpr.iteration import batched
from opendpr.model.batches import pad
from opendpr.model.directory import Model, find_model, read_weights, write_model
from opendpr.model.encoder import BertEncoder, EncoderInput
from opendpr.model.reader import BertReader
from opendpr.model.tokenizer import Tokenizer
from opendpr.model.torch import ReaderNetwork, load_weights, make_network, stored_weights
from opendpr.search.live import LiveSnapshot
from opendpr.search.retrievers import DenseRetriever
from opendpr.storage.digests import file_sha256
from opendpr.text import exact_match, f1
from opendpr.training.loop import train
from opendpr.training.objective import Step
from opendpr.training.reader_examples import MarkedPassage, ReaderExample, read_reader_examples
from opendpr.training.reader_objective import ReaderObjective
from opendpr.training.settings import ReaderSettings
from opendpr.types import Passage

READ_PASSAGES = 20
"""Passages read for a question."""
READ_QUESTIONS = 32
"""Questions read at once."""
COSINE_SCALE = 20.0
"""Factor of the similarity in the loss, where the model has unit vectors."""


class Both(nn.Module):
    """Question encoder and reader, to be trained together."""

    def __init__(self, model: Model) -> None:
        super().__init__()
        config = model.require_encoder()
        self.question, self.reader = make_network(config), ReaderNetwork(model.require_reader().architecture)
        load_weights(self.question, model.load_weights("question"))
        load_weights(self.reader, model.load_weights("reader"))


class JointObjective:
    """The reader's loss, and if wanted the retriever's, over the same batches."""

    def __init__(self, network: Both, reader: ReaderObjective, model: Model, joint: bool) -> None:
        self.network, self._reader, self._joint = network, reader, joint
        self._inputs = EncoderInput(model.require_encoder(), Tokenizer(model.tokenizer_path))
        encoder, examples = BertEncoder(model), reader.examples if joint else []
        marked = [passage for example in examples for passage in (*example.positives, *example.negatives)]
        vectors = [encoder.encode_passages([_passage(p) for p in batch]) for batch in batched(marked, 1_024)]
        self._vectors = torch.from_numpy(np.concatenate(vectors)) if vectors else torch.empty(0)
        sizes = [len(example.positives) + len(example.negatives) for example in reader.examples]
        self._first = np.concatenate([[0], np.cumsum(sizes)])

    def batches(self, epoch: int) -> Sequence[tuple[NDArray[np.int64], int]]:
        """The reader's."""
        return self._reader.batches(epoch)

    def backward(self, batch: tuple[NDArray[np.int64], int], step: Step) -> float:
        """The loss of a batch, after its gradients are added."""
        loss = self._reader.backward(batch, step)
        if not self._joint:
            return loss
        retrieval = self._retrieval_loss(batch[0].tolist(), step)
        retrieval.backward()  # type: ignore[no-untyped-call]  # torch's own
        return loss + retrieval.item()

    def record(self) -> Mapping[str, object]:
        """The reader's, and whether training was joint."""
        return {**self._reader.record(), "joint": self._joint}

    def validate(self) -> Mapping[str, float] | None:
        """Nothing is validated."""
        return None

    def _retrieval_loss(self, numbers: list[int], step: Step) -> Tensor:
        examples = [self._reader.examples[number] for number in numbers]
        sequences = self._inputs.questions([example.question.text for example in examples])
        ids, types, mask = (torch.from_numpy(array).long() for array in pad(sequences, self._inputs.tokenizer.pad))
        with step.autocast(torch.device("cpu")):
            questions = self.network.question(ids, types, mask, step.dropout)
        sizes = [self._first[n + 1] - self._first[n] for n in numbers]
        rows = np.concatenate([np.arange(self._first[n], self._first[n + 1]) for n in numbers])
        owner, place = np.repeat(np.arange(len(numbers)), sizes), np.concatenate([np.arange(size) for size in sizes])
        positives = np.array([len(example.positives) for example in examples])
        own = owner[None] == np.arange(len(numbers))[:, None]
        positive = torch.from_numpy(own & (place < positives[owner])[None])
        scores = COSINE_SCALE * questions @ self._vectors[rows].T
        loss: Tensor = (scores.logsumexp(1) - scores.masked_fill(~positive, -torch.inf).logsumexp(1)).mean()
        return loss


def _passage(marked: MarkedPassage) -> Passage:
    return Passage(0, "", marked.title, marked.text, 0)


def train_reader(
    examples: list[ReaderExample], base: Model, output: Path, *, settings: ReaderSettings, joint: bool
) -> Model:
    """The base with its reader trained on, and in joint training its question tower; made once."""
    if (output / "config.json").exists():
        return Model(output)
    torch.manual_seed(settings.seed)
    network, config = Both(base), base.require_reader()
    tokenizer = Tokenizer(base.tokenizer_path)
    reader = ReaderObjective(network.reader, examples, tokenizer=tokenizer, config=config, settings=settings)
    objective = JointObjective(network, reader, base, joint)
    losses = train(objective, settings, output / "checkpoints", origin={"joint": joint}).losses
    print(f"joint {joint}: {len(losses)} steps, loss of the last 100: {np.mean(losses[-100:]):.3f}", flush=True)
    towers = {
        "question_encoder": stored_weights(network.question),
        "passage_encoder": read_weights(base.weights_path("passage")),
    }
    return write_model(
        output,
        name=output.name,
        tokenizer=base.tokenizer_path,
        encoder=(replace(base.require_encoder(), tied=False), towers),
        reader=(config, stored_weights(network.reader)),
    )


def train_both(args: argparse.Namespace, files: Sequence[Path], base: Model) -> dict[str, Model]:
    """The start, and what came of it by training the reader alone and jointly on the same examples."""
    settings = ReaderSettings(epochs=1.0, batch_size=16, negatives=3, negative_share=1.0)
    examples = read_reader_examples(files, settings.negatives, settings.seed)
    examples = random.Random(settings.seed).sample(examples, min(args.examples, len(examples)))
    decisive = json.dumps([asdict(settings), base.fingerprint, len(examples), *map(file_sha256, files)])
    digest = hashlib.sha256(decisive.encode()).hexdigest()[:8]  # so that no model of other settings is taken for these
    trained = {
        name: train_reader(
            examples, base, args.work / f"joint-{name}-{digest}", settings=settings, joint=name == "joint"
        )
        for name in ("alone", "joint")
    }
    return {"start": base, **trained}


def score(model: Model, collection: Collection, records: Sequence[Record]) -> NDArray[np.float64]:
    """(Q, 2): exact match and F1. The passages' vectors are the base's, as the passage encoder is."""
    retriever, reader = DenseRetriever(LiveSnapshot(collection), BertEncoder(model)), BertReader(model)
    scores = []
    for batch in batched(records, READ_QUESTIONS):
        questions = [record["question"] for record in batch]
        hits = retriever.retrieve(questions, READ_PASSAGES)
        for record, spans in zip(batch, reader.read(questions, hits), strict=True):
            answers = outcome(spans, Decoding()).answers
            text = answers[0].text if answers else ""
            scores.append((float(exact_match(text, record["answers"])), f1(text, record["answers"])))
    return np.array(scores)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = command_line(__doc__, pool="P25")
    parser.add_argument("files", type=Path, nargs="*", help="what 'opendpr mine' wrote")
    parser.add_argument("--examples", type=int, default=4_000, help="drawn at random from all, each seen once")
    parser.add_argument("--limit", type=int, default=500, help="questions of each set, report halves")
    args = parse(parser, arguments, examples=16, limit=2)
    files = args.files or ([args.data.folder / "train" / "squad_reader.jsonl"] if args.smoke else [])
    if not files:
        parser.error("give the files of examples that 'opendpr mine' wrote")
    report = Report(args, examples=args.examples, k=READ_PASSAGES, seed=0)
    models = train_both(args, files, find_model(args.model))
    with open_pool(args, make_encoder(args)) as collection:
        for name in QUESTION_SETS:
            records = args.data.questions(name, "report")[: args.limit]
            scores = {label: score(model, collection, records) for label, model in models.items()}
            for column, measure in enumerate(("EM", "F1")):
                for label, values in scores.items():
                    report.add(f"{name}/{label}/{measure}", 100 * values[:, column].mean(), "%")
                difference = compare(scores["joint"][:, [column]], scores["alone"][:, [column]])[0]
                report.add_interval(f"{name}/joint - alone/{measure}", difference)
                report.add(f"{name}/joint - alone/{measure} p", difference.p)
    report.write()


if __name__ == "__main__":
    main()
