"""ORQA (Lee et al. 2019), which the paper's Table 4 compares with: learned retrieval without a marked passage.

The encoders are first trained on the inverse cloze task, over a collection alone. Then the question encoder and the
reader are trained together on questions and answers: passages are retrieved with the encoder as it is at each step,
and the passage encoder stays, so that its vectors do. Three systems answer from the same pool: the encoders after the
cloze task, after joint training (each with its reader), and BM25 with the reader from before.

Small by default: an encoder of one layer, and the reader starts from opendpr's, which has seen
marked answers; ORQA starts from BERT, over all of Wikipedia.

    python -m experiments.paper.systems.orqa --pool P150 --limit 60
    python -m experiments.paper.systems.orqa --pool P150 --layers 6 --cloze-pairs 500000 --examples 20000 --device cuda
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from experiments.common.command import make_encoder, parse
from experiments.common.mining import open_training_collection, paragraphs
from experiments.common.models import starting_model
from experiments.common.pools import fill_pool
from experiments.common.report import Report
from experiments.common.runs import add_runs
from experiments.paper.ablation_rows import BASE_SETTINGS
from experiments.paper.ablations import write_start
from experiments.paper.joint import COSINE_SCALE, Both
from experiments.paper.systems.orqa_loss import joint_loss, span_scores
from experiments.paper.systems.running import (
    ReadingSystem,
    SystemTask,
    digest,
    question_files,
    run_systems,
    system_command_line,
)
from opendpr.answering import outcome
from opendpr.answering.borders import BorderReader
from opendpr.collection import Collection, open_collection
from opendpr.collection.lookup import served_passages
from opendpr.iteration import batched
from opendpr.model.batches import pad
from opendpr.model.directory import Model, find_model, read_weights, write_model
from opendpr.model.encoder import BertEncoder, EncoderInput
from opendpr.model.reader import BertReader
from opendpr.model.spans import overlapping
from opendpr.model.tokenizer import Tokenizer, Tokens
from opendpr.model.torch import choose_device, stored_weights
from opendpr.model.windows import windows
from opendpr.protocols import Reader, Retriever
from opendpr.search.live import LiveSnapshot
from opendpr.search.retrievers import Bm25Retriever, DenseRetriever
from opendpr.text import AnswerMatcher
from opendpr.text.occurrences import answer_places
from opendpr.training.encoder_objective import EncoderObjective
from opendpr.training.loop import train
from opendpr.training.objective import Step
from opendpr.training.settings import ReaderSettings
from opendpr.training.sources import InverseClozeSource
from opendpr.training.towers import Towers
from opendpr.types import Passage, Question

RETRIEVED = 100
"""Passages of the early update; ORQA takes 5,000 of 13 million."""
READ = 4
"""Passages read for a question in training; ORQA reads 5."""
BATCH_QUESTIONS = 8


class OrqaObjective:
    """The joint loss of questions over the passages that they retrieve themselves."""

    def __init__(
        self, network: Both, model: Model, *, passages: Sequence[Passage], questions: Sequence[Question]
    ) -> None:
        self.network, self._passages, self._questions = network, passages, questions
        self._reader, self._tokenizer = model.require_reader(), Tokenizer(model.tokenizer_of("reader"))
        self._inputs = EncoderInput(model.require_encoder(), Tokenizer(model.tokenizer_path))
        self._device = next(network.parameters()).device
        self._vectors = torch.from_numpy(BertEncoder(model).encode_passages(passages)).to(self._device)
        self._taught = 0

    def batches(self, epoch: int) -> Sequence[list[int]]:
        """The questions of each batch, in their order: they were drawn at random."""
        return list(batched(range(len(self._questions)), BATCH_QUESTIONS))

    def backward(self, batch: list[int], step: Step) -> float | None:
        """The mean loss of the questions that find an answer; None if none does."""
        losses = []
        for number in batch:
            with step.autocast(self._device):
                loss = self._loss(self._questions[number], step.dropout)
            if loss is not None:
                (loss / len(batch)).backward()  # type: ignore[no-untyped-call]  # torch's own
                losses.append(loss.item())
        self._taught += len(losses)
        return float(np.mean(losses)) if losses else None

    def record(self) -> Mapping[str, object]:
        """How many questions found a passage with their answer."""
        return {"questions": len(self._questions), "with an answer": self._taught}

    def validate(self) -> Mapping[str, float] | None:
        """Nothing is validated."""
        return None

    def _loss(self, question: Question, dropout: float) -> Tensor | None:
        batch = pad(self._inputs.questions([question.text]), self._inputs.tokenizer.pad)
        vector = self.network.question(*(torch.from_numpy(array).long().to(self._device) for array in batch), dropout)
        scores, rows = (COSINE_SCALE * vector[0].float() @ self._vectors.T).topk(min(RETRIEVED, len(self._vectors)))
        passages, matcher = [self._passages[row] for row in rows.tolist()], AnswerMatcher(question.answers)
        holding = torch.tensor([matcher(passage.text) for passage in passages], device=self._device)
        return joint_loss(scores, holding, *self._spans(question, passages[:READ], dropout)) if holding.any() else None

    def _spans(self, question: Question, passages: Sequence[Passage], dropout: float) -> tuple[Tensor, Tensor]:
        """Scores of all spans of some passages, and which of them are an answer, (k, L, L) each."""
        (asked,) = self._tokenizer.ids([question.text])
        titles, texts = (self._tokenizer.ids([p.title for p in passages]), self._tokenizer([p.text for p in passages]))
        pairs = zip(titles, texts, strict=True)
        read = [windows(asked, title, text, config=self._reader, tokenizer=self._tokenizer)[0] for title, text in pairs]
        batch = pad([window.sequence for window in read], self._tokenizer.pad)
        L = batch.ids.shape[1]
        text_mask, right = np.zeros((len(read), L), bool), np.zeros((len(read), L, L), bool)
        for row, (window, text, passage) in enumerate(zip(read, texts, passages, strict=True)):
            text_mask[row, window.position : window.position + window.length_tokens] = True
            for first, last in token_spans(question.answers, passage.text, text):
                if last < window.length_tokens:
                    right[row, window.position + first, window.position + last] = True
        logits = self.network.reader(*(torch.from_numpy(array).long().to(self._device) for array in batch), dropout)
        mask = torch.from_numpy(text_mask).to(self._device)
        spans = span_scores(logits[:, 1 : 1 + L], logits[:, 1 + L :], mask, self._reader.max_answer_tokens)
        return spans, torch.from_numpy(right).to(self._device)


def token_spans(answers: Sequence[str], text: str, tokens: Tokens) -> list[tuple[int, int]]:
    """First and last token of each place of an answer in a text."""
    spans = (overlapping(tokens.offsets, *place) for place in answer_places(answers, text))
    return [span for span in spans if span]


def train_cloze(args: argparse.Namespace, collection: Collection, output: Path) -> Model:
    """Two encoders trained on the inverse cloze task, with opendpr's reader beside them; made once."""
    if (output / "config.json").exists():
        return Model(output)
    minilm, reader = starting_model(args.work / "minilm"), find_model(args.model)
    start = write_start(minilm, args.work / f"orqa-start-{args.layers}", args.layers, seed=0)
    source = InverseClozeSource(collection)
    epochs = args.cloze_pairs / len(source.order(np.random.default_rng(0)))
    settings = replace(BASE_SETTINGS, epochs=epochs, untie=True, device=args.device)
    config = replace(start.require_encoder(), tied=False)
    torch.manual_seed(settings.seed)
    towers = Towers(config)
    towers.load(start)
    towers.to(choose_device(settings.device))
    inputs = EncoderInput(config, Tokenizer(start.tokenizer_path))
    train(EncoderObjective(towers, source, inputs=inputs, settings=settings), settings, output / "checkpoints")
    return write_model(
        output,
        name="cloze",
        tokenizer=start.tokenizer_path,
        encoder=(config, towers.stored()),
        reader=(reader.require_reader(), read_weights(reader.weights_path("reader"))),
    )


def train_jointly(args: argparse.Namespace, base: Model, *, collection: Collection, output: Path) -> Model:
    """The base with its question encoder and reader trained on; made once."""
    if (output / "config.json").exists():
        return Model(output)
    questions = [replace(question, document_ids=()) for question in paragraphs(args.data)[1]]
    questions = random.Random(0).sample(questions, min(args.examples, len(questions)))
    torch.manual_seed(0)
    settings = ReaderSettings(epochs=1.0, negatives=0, learning_rate=2e-5, device=args.device)
    network = Both(base).to(choose_device(settings.device))
    objective = OrqaObjective(network, base, passages=list(served_passages(collection)), questions=questions)
    losses = train(objective, settings, output / "checkpoints").losses
    print(f"{len(losses)} steps, loss of the last 20: {np.mean(losses[-20:]):.2f}; {objective.record()}", flush=True)
    towers = {
        "question_encoder": stored_weights(network.question),
        "passage_encoder": read_weights(base.weights_path("passage")),
    }
    return write_model(
        output,
        name="orqa",
        tokenizer=base.tokenizer_path,
        encoder=(base.require_encoder(), towers),
        reader=(base.require_reader(), stored_weights(network.reader)),
    )


def train_both(args: argparse.Namespace) -> tuple[Model, Model]:
    """The model after the cloze task, and after joint training."""
    made = digest(find_model(args.model).fingerprint, args.layers, args.cloze_pairs, args.examples)
    with open_training_collection(args.data, args.work) as collection:
        cloze = train_cloze(args, collection, args.work / f"orqa-cloze-{made}")
        return cloze, train_jointly(args, cloze, collection=collection, output=args.work / f"orqa-joint-{made}")


def measure(args: argparse.Namespace, report: Report) -> None:
    """The run of the three systems, and its figures."""
    cloze, joint = train_both(args)
    encoder = make_encoder(args, str(cloze.directory))
    directory = fill_pool(args, encoder)
    with open_collection(directory) as collection:
        live = LiveSnapshot(collection)
        before = BorderReader(collection, BertReader(cloze, encoder.runtime))
        after = BorderReader(collection, BertReader(joint, encoder.runtime))
        pairs: dict[str, tuple[Retriever, Reader]] = {
            "cloze": (DenseRetriever(live, BertEncoder(cloze, encoder.runtime)), before),
            "orqa": (DenseRetriever(live, BertEncoder(joint, encoder.runtime)), after),
            "bm25": (Bm25Retriever(live), before),
        }
        systems = {name: ReadingSystem(*pair, args.passages, outcome) for name, pair in pairs.items()}
        task = SystemTask(question_files(args), args.limit, args.passages, joint, encoder.runtime)
        run = run_systems(collection, systems, task, output=directory.with_name(f"{directory.name}-orqa.jsonl"))
    add_runs(report, [run])


def main(arguments: Sequence[str] | None = None) -> None:
    parser = system_command_line(__doc__, pool="P10")
    parser.add_argument("--layers", type=int, default=1, help="of the encoders, the last of them fresh")
    parser.add_argument("--cloze-pairs", type=int, default=4_000, help="sentences that ask for their passage")
    parser.add_argument("--examples", type=int, default=200, help="questions of joint training, each seen once")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    args = parse(parser, arguments, limit=2, passages=2, cloze_pairs=64, examples=8)
    report = Report(args, layers=args.layers, cloze_pairs=args.cloze_pairs, examples=args.examples)
    measure(args, report)
    report.write()


if __name__ == "__main__":
    main()
