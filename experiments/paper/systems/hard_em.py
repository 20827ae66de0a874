"""Hard EM (Min et al. 2019), which the paper's Table 4 compares with: what a reader learns from answers alone.

A question comes with its answer as a string, and a passage may hold it at several places that have nothing to do with
the question. The paper's reader maximises the sum of the likelihoods of all places (section 6.1); hard EM only that of
the place that the reader finds likeliest at this step: more and more often, up to 0.8 of the time, and otherwise the
sum too. Min et al. draw that for a batch and choose the pace; here it is drawn for each passage, and the pace is that
of the training. A third way takes the first place.

Three readers start from the same encoder with fresh output layers and see the same examples in the same order. Each
reads the same passages of BM25, and the gold paragraphs of SQuAD, where the choice of a passage plays no part; without
titles, as training has none.

Small by default, and six layers instead of twelve: a third of the examples is of SQuAD, with its paragraphs, a third of
Natural Questions and a third of TriviaQA, with the best passage of BM25 that holds an answer.

    python -m experiments.paper.systems.hard_em --pool P25 --limit 400
"""

from __future__ import annotations

import argparse
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from itertools import combinations
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from experiments.common.command import parse
from experiments.common.data import Record
from experiments.common.models import starting_model, starting_source
from experiments.common.pools import build_pool_words
from experiments.common.report import Report
from experiments.common.runs import add_runs
from experiments.paper.ablation_data import prepare
from experiments.paper.reader import score
from experiments.paper.systems.running import (
    ReadingSystem,
    SystemTask,
    digest,
    question_files,
    run_systems,
    system_command_line,
)
from opendpr.answering import outcome
from opendpr.collection import open_collection
from opendpr.evaluation import bootstrap, compare
from opendpr.model.config import ReaderConfig
from opendpr.model.directory import Model, write_model
from opendpr.model.reader import BertReader
from opendpr.model.runtime import RuntimeSettings
from opendpr.model.tokenizer import Tokenizer
from opendpr.model.torch import ReaderNetwork, stored_weights
from opendpr.search.live import LiveSnapshot
from opendpr.search.retrievers import Bm25Retriever
from opendpr.training.loop import train
from opendpr.training.losses import span_likelihoods, span_loss
from opendpr.training.reader import start_from
from opendpr.training.reader_examples import ReaderExample, marked_examples
from opendpr.training.reader_objective import ReaderObjective, SpanLoss
from opendpr.training.settings import ReaderSettings

HARD_AT_MOST = 0.8
"""Highest probability that a passage is learned from by its likeliest place alone (Min et al.'s code)."""
MEASURES = ("EM", "F1")
SETTINGS = ReaderSettings(epochs=2.0, batch_size=32, negatives=1, negative_share=0.5)


def first_place_loss(start: Tensor, end: Tensor, text_mask: Tensor, *, answers: Tensor, counted: Tensor) -> Tensor:
    """Negative log-likelihood of the first place of each passage, as `span_loss` has it of all: (B,)."""
    return -span_likelihoods(start, end, text_mask, answers=answers, counted=counted)[:, 0]


class HardEmLoss:
    """Negative log-likelihood of the likeliest place of each passage, more and more often; else `span_loss`.

    The probability rises from 0 to `HARD_AT_MOST`, so that a reader which knows nothing does not learn its own guesses.

    Args:
        anneal: passages after which the probability would be 1
        seed: decides which passages it is
    """

    def __init__(self, anneal: int, seed: int = 0) -> None:
        self._anneal, self._seen = anneal, 0
        self._generator = np.random.default_rng(seed)

    def __call__(self, start: Tensor, end: Tensor, text_mask: Tensor, *, answers: Tensor, counted: Tensor) -> Tensor:
        """(B,)"""
        likelihoods = span_likelihoods(start, end, text_mask, answers=answers, counted=counted)
        share = min(self._seen / self._anneal, HARD_AT_MOST)
        self._seen += len(start)
        is_hard = torch.from_numpy(self._generator.random(len(start)) < share).to(start.device)
        return -torch.where(is_hard, likelihoods.amax(1), likelihoods.logsumexp(1))


def train_reader(examples: Sequence[ReaderExample], base: Model, output: Path, loss: SpanLoss) -> Model:
    """The base with a fresh reader trained with this span loss; made once."""
    if (output / "config.json").exists():
        return Model(output)
    torch.manual_seed(SETTINGS.seed)
    config = ReaderConfig(base.require_encoder().architecture)
    config = replace(config, input_form=replace(config.input_form, title=False))  # training's passages have none
    network = ReaderNetwork(config.architecture)
    start_from(network, base)
    tokenizer = Tokenizer(base.tokenizer_path)
    objective = ReaderObjective(network, examples, tokenizer=tokenizer, config=config, settings=SETTINGS)
    objective.span_loss = loss
    shutil.rmtree(output / "checkpoints", ignore_errors=True)  # they do not hold what hard EM has counted
    training = train(objective, SETTINGS, output / "checkpoints")
    print(f"{output.name}: {len(training.losses)} steps", flush=True)
    return write_model(
        output, name=output.name, tokenizer=base.tokenizer_path, reader=(config, stored_weights(network))
    )


def train_all(args: argparse.Namespace, report: Report) -> dict[str, Model]:
    """The readers, by what they are trained with."""
    mined = args.work / "ablations"  # theirs: what both mine is the same
    mined.mkdir(exist_ok=True)
    data = prepare(args.data, mined, args.examples, needed={"multi"})
    examples = marked_examples(data.multi, "the training questions")
    data.collection.close()
    several = [max(len(passage.places) for passage in example.positives) > 1 for example in examples]
    report.add("trained on", len(examples), "questions")
    report.add("several places", 100 * float(np.mean(several)), "%")
    base = starting_model(args.work / "minilm", starting_source(args))
    made = digest(base.fingerprint, args.examples, asdict(SETTINGS), HARD_AT_MOST)
    losses: dict[str, SpanLoss] = {
        "hard-em": HardEmLoss(round(SETTINGS.epochs * len(examples))),
        "marginal": span_loss,
        "first": first_place_loss,
    }
    return {
        name: train_reader(examples, base, args.work / f"hard-em-{name}-{made}", loss) for name, loss in losses.items()
    }


def measure(args: argparse.Namespace, report: Report) -> None:
    """The run of the three readers, and its figures."""
    models, runtime = train_all(args, report), RuntimeSettings(precision=args.precision)
    directory = build_pool_words(args)
    with open_collection(directory) as collection:
        retriever = Bm25Retriever(LiveSnapshot(collection))
        systems = {
            name: ReadingSystem(retriever, BertReader(model, runtime), args.passages, outcome)
            for name, model in models.items()
        }
        task = SystemTask(question_files(args), args.limit, args.passages, models["hard-em"], runtime)
        made = digest([model.fingerprint for model in models.values()], args.half, args.limit, args.passages)
        output = directory.with_name(f"{directory.name}-hard-em-{made}.jsonl")
        run = run_systems(collection, systems, task, output=output)
    add_runs(report, [run])
    if args.gold:
        add_gold(report, models, runtime, args.data.questions("squad", args.half)[: args.gold])


def add_gold(report: Report, models: Mapping[str, Model], runtime: RuntimeSettings, records: Sequence[Record]) -> None:
    """Report how well each reader answers with SQuAD's gold paragraph given, and by how much it differs from others."""
    scores = {
        name: np.array(score(BertReader(model, runtime), records, titled=True)[0]) for name, model in models.items()
    }
    for name, values in scores.items():
        for measure, interval in zip(MEASURES, bootstrap(values), strict=True):
            report.add_interval(f"gold/{name}/{measure}", interval)
    for a, b in combinations(scores, 2):
        for measure, difference in zip(MEASURES, compare(scores[a], scores[b]), strict=True):
            report.add_interval(f"gold/{a} - {b}/{measure}", difference)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = system_command_line(__doc__, limit=400)
    parser.add_argument(
        "--examples", type=int, default=6_000, help="questions to train on at most, as many of each set"
    )
    parser.add_argument(
        "--gold", type=int, default=1_521, help="questions of SQuAD read in their paragraphs, 0 for none"
    )
    args = parse(parser, arguments, limit=2, passages=2, examples=24, gold=2)
    report = Report(args, passages=args.passages)
    measure(args, report)
    report.write()


if __name__ == "__main__":
    main()
