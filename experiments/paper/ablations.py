"""The ablations of Karpukhin et al. (2020, section 5) at the scale of two cores.

Every row trains a small encoder from the same start: the embeddings of all-MiniLM-L6-v2 and one fresh layer (or
with `--layers`, its first layers and one fresh on top), since the whole model is a retriever already and would hide
what training brings. Each is judged by top-k accuracy over P25, gold paragraph, report half.

    python -m experiments.paper.ablations     # all but transfer and a teacher
    python -m experiments.paper.ablations --all --device cuda --layers 3 --epochs 10 --seeds 0 1 2 3 4
    python -m experiments.paper.ablations --rows in-batch-128 --seeds 0 --half fit   # for choosing

Each run is a line of `ablations.jsonl` in the folder `--work`; one that is there is not repeated.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Container, Mapping, Sequence
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch

from experiments.common.accuracy import ACCURACY_KS, joined
from experiments.common.command import command_line, parse
from experiments.common.models import starting_model
from experiments.common.pools import build_pool_words
from experiments.common.report import Report
from experiments.paper.ablation_data import Pool, Search, TrainingData, prepare
from experiments.paper.ablation_plot import plot
from experiments.paper.ablation_rows import ABLATION_ROWS, BASE_SETTINGS, OwnHardNegatives, OwnNegatives, Row
from opendpr.model.directory import Model, write_model
from opendpr.model.encoder import EncoderInput
from opendpr.model.tokenizer import Tokenizer
from opendpr.model.torch import choose_device
from opendpr.training.encoder_objective import EncoderObjective, epoch_batches
from opendpr.training.example_teacher import ExampleTeacher
from opendpr.training.loop import train
from opendpr.training.objective import Start
from opendpr.training.settings import EncoderSettings
from opendpr.training.sources import ExampleSource, InverseClozeSource, PairSource
from opendpr.training.towers import Towers
from opendpr.types import TrainingExample

FRESH_DEVIATION = 0.02
"""Standard deviation of the weights of a fresh layer, as BERT's."""


class Ledger:
    """Runs that are done, by what was run."""

    def __init__(self, path: Path) -> None:
        self._path = path
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True) if path.exists() else []
        whole = [line for line in lines if line.endswith("\n")]
        if whole != lines:  # killed while it wrote
            path.write_text("".join(whole), encoding="utf-8")
        self._records = [json.loads(line) for line in whole]

    def find(self, key: Mapping[str, object]) -> dict[str, Any] | None:
        """What is known of a run."""
        return next((record for record in self._records if record["key"] == key), None)

    def add(self, record: dict[str, Any]) -> dict[str, Any]:
        """Note a run that is done."""
        self._records.append(record)
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(record) + "\n")
        return record


class Bench:
    """Runs rows.

    Args:
        args: the command line
        needed: the examples that rows train on
    """

    def __init__(self, args: argparse.Namespace, *, needed: Container[str]) -> None:
        self.args, self.work = args, args.work / "ablations"
        self.work.mkdir(parents=True, exist_ok=True)
        self.ledger = Ledger(args.work / "ablations.jsonl")
        self.pool = Pool(args.data, build_pool_words(args), args.half)
        self.data: TrainingData = prepare(args.data, self.work, args.questions, needed=needed)
        self.minilm = starting_model(self.work / "minilm", title=False)

    def run(self, row: Row, seed: int) -> dict[str, Any]:
        """The record of a row with a seed, old or new."""
        settings = self.settings(row, seed)
        key = self.key(row, seed, settings)
        if known := self.ledger.find(key):
            return known
        started = time.perf_counter()
        with tempfile.TemporaryDirectory(dir=self.work) as folder:
            search, losses = self.search(row, seed, settings, Path(folder))
            figures = self.pool.by_answer(search) if row.group == "transfer" else self.pool.by_gold(search)
        return self.ledger.add(
            {
                "key": key,
                "figures": figures,
                "steps": len(losses),
                "loss": float(np.mean(losses[-10:])) if losses else None,
                "seconds": time.perf_counter() - started,
            }
        )

    def search(self, row: Row, seed: int, settings: EncoderSettings, folder: Path) -> tuple[Search, list[float]]:
        """How a row searches, and the loss of each step that it was trained in."""
        if row.name.endswith("bm25"):
            return self.pool.bm25(), []
        losses: list[float] = []
        if row.name.endswith("minilm"):
            model = self.minilm
        else:
            model = write_start(self.minilm, self.work / f"start-{self.args.layers}-{seed}", self.args.layers, seed)
        if row.examples != "none":
            model, losses = self.trained(row, model, settings, folder)
        device = choose_device(self.args.device)
        return self.pool.dense(model, device, by_distance=row.similarity == "distance"), losses

    def settings(self, row: Row, seed: int) -> EncoderSettings:
        """What a row trains with; epochs grow as its examples are fewer, so that all rows make as many steps."""
        args = self.args
        common = replace(BASE_SETTINGS, learning_rate=args.learning_rate, device=args.device, seed=seed)
        pairs = args.questions if row.examples in ("cloze", "none") else len(self.examples(row))
        return replace(common, epochs=args.epochs * args.questions / pairs, **row.settings)

    def key(self, row: Row, seed: int, settings: EncoderSettings) -> dict[str, object]:
        """Everything that decides a run."""
        key: dict[str, object] = {"row": row.name, "pool": self.args.pool, "half": self.args.half}
        if not row.seeded:
            return key
        key |= {"seed": seed, "layers": self.args.layers}
        return key if row.examples == "none" else key | {"questions": self.args.questions} | asdict(settings)

    def trained(self, row: Row, start: Model, settings: EncoderSettings, folder: Path) -> tuple[Model, list[float]]:
        """A model trained from `start`, and the loss of each step."""
        source = self.source(row)
        if row.examples == "cloze":  # as many pairs as the others
            epochs = settings.epochs * self.args.questions / len(source.order(np.random.default_rng(0)))
            settings = replace(settings, epochs=epochs)
        config = start.require_encoder()
        similarity: Literal["cosine", "dot"] = "cosine" if row.similarity == "cosine" else "dot"
        scale = config.scale if row.similarity == "cosine" else 1.0
        config = replace(config, tied=not settings.untie, similarity=similarity, scale=scale)
        torch.manual_seed(settings.seed)
        network = Towers(config)
        network.load(start)
        network.to(choose_device(settings.device))
        inputs = EncoderInput(config, Tokenizer(start.tokenizer_path))
        if isinstance(source, ExampleSource) and settings.is_taught:
            source = self.taught(source, settings)
        objective = EncoderObjective(network, source, inputs=inputs, settings=settings, loss=row.loss)
        training = train(objective, settings, folder / "checkpoints")
        model = write_model(
            folder / "model", name=row.name, tokenizer=start.tokenizer_path, encoder=(config, network.stored())
        )
        return model, training.losses

    def taught(self, source: ExampleSource, settings: EncoderSettings) -> ExampleSource:
        """The source with a teacher's scores, which all seeds share."""
        start = Start(
            torch.device(choose_device(settings.device)), self.work / "teacher", 60.0, lambda done, total: None
        )
        teacher = ExampleTeacher(settings, *source.count_examples())
        return teacher.taught(source, partial(epoch_batches, source, settings), start)

    def source(self, row: Row) -> PairSource:
        """The pairs that a row trains on."""
        if row.examples == "cloze":
            return InverseClozeSource(self.data.collection)
        examples = self.examples(row)
        if row.own_kind == "bm25":
            return OwnHardNegatives(ExampleSource([examples], [1.0], row.own))
        source = ExampleSource([examples], [1.0], int(row.settings.get("hard_negatives", 0)))
        if not row.own:
            return source
        gold = {passage.text: passage for example in self.data.gold for passage in example.positives}
        return OwnNegatives(source, [*gold.values()] if row.own_kind == "gold" else self.data.texts(), row.own)

    def examples(self, row: Row) -> list[TrainingExample]:
        """The examples that a row trains on."""
        examples: list[TrainingExample] = getattr(self.data, row.examples)
        examples = examples[: round(row.share * len(examples))]
        if row.own_kind == "bm25":
            examples = [example for example in examples if len(example.hard_negatives) >= row.own]
        return examples


def write_start(base: Model, directory: Path, layers: int, seed: int) -> Model:
    """A model with the embeddings of `base`, its first layers and a fresh last one, `layers` in all."""
    if (directory / "config.json").exists():
        return Model(directory)
    last, generator = f"encoder.layer.{layers - 1}.", np.random.default_rng(seed)
    weights = {}
    for name, value in sorted(base.load_weights("question").items()):
        layer = int(name.split(".")[2]) if name.startswith("encoder.layer.") else -1
        if layer < layers - 1:
            weights[name] = value
        elif layer == layers - 1:
            fresh = generator.normal(0, FRESH_DEVIATION, value.shape) if value.ndim > 1 else np.zeros(value.shape)
            weights[name] = (np.ones(value.shape) if name.endswith("LayerNorm.weight") else fresh).astype(np.float32)
    assert any(name.startswith(last) for name in weights), f"{base.directory} has no layer {layers - 1}"
    config = base.require_encoder()
    config = replace(config, architecture=replace(config.architecture, num_hidden_layers=layers))
    return write_model(directory, name="start", tokenizer=base.tokenizer_path, encoder=(config, {"encoder": weights}))


def parse_arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = command_line(__doc__, pool="P25", half=True, precision=None)
    names = [row.name for row in ABLATION_ROWS]
    parser.add_argument("--all", action="store_true", help="transfer between data sets and a teacher too")
    parser.add_argument("--rows", nargs="+", choices=names, metavar="ROW", help=", ".join(names))
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--questions", type=int, default=2_000, help="that rows train on")
    parser.add_argument("--epochs", type=float, default=BASE_SETTINGS.epochs)
    parser.add_argument("--learning-rate", type=float, default=BASE_SETTINGS.learning_rate)
    parser.add_argument("--layers", type=int, default=1, help="of the network, the last of them fresh")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    parser.add_argument("--plot", type=Path, help="SVG file that the rows are drawn into")
    return parse(parser, arguments, rows=["bm25", "start", "in-batch-32"], seeds=[0], questions=32, epochs=1.0)


def chosen(args: argparse.Namespace) -> list[Row]:
    """The rows of the command line."""
    if args.rows:
        return [row for row in ABLATION_ROWS if row.name in args.rows]
    return [row for row in ABLATION_ROWS if args.all or row.group in ("methods", "sizes")]


def add_row(report: Report, row: Row, records: Sequence[Mapping[str, Any]]) -> None:
    """Report the mean of the seeds, with the lowest and the highest, at each of `ACCURACY_KS`."""
    for name in records[0]["figures"]:
        for place, k in enumerate(ACCURACY_KS):
            values = [record["figures"][name][place] for record in records]
            kind = "answer" if row.group == "transfer" else "gold"
            spread = float(np.mean(values)), min(values), max(values)
            report.add_interval(f"{row.name}/{name}/{kind}@{k}", spread, scale=1)


def main(arguments: Sequence[str] | None = None) -> None:
    args = parse_arguments(arguments)
    rows = chosen(args)
    bench = Bench(args, needed={row.examples for row in rows})
    about = {"passages": len(bench.pool), "questions": bench.pool.questions, "trained_on": len(bench.data.gold)}
    report = Report(args, **about, layers=args.layers, epochs=args.epochs, seeds=args.seeds)
    results: list[tuple[Row, list[dict[str, Any]]]] = []
    for row in rows:
        records = []
        for seed in args.seeds if row.seeded else args.seeds[:1]:
            record = bench.run(row, seed)
            records.append(record)
            figures = "   ".join(f"{name} {joined(values)}" for name, values in record["figures"].items())
            print(f"{row.name:22} seed {seed}   {figures}   {record['steps']} steps   {record['seconds']:.0f} s")
        add_row(report, row, records)
        results.append((row, records))
    report.add("distant positives that are gold", 100 * bench.data.same_share, "%")
    if args.plot:
        args.plot.write_text(plot([pair for pair in results if pair[0].group != "transfer"]) + "\n", encoding="utf-8")
    report.write()


if __name__ == "__main__":
    main()
