"""Train the encoder of opendpr-minilm once more, on gold paragraphs and negatives that it takes for answers itself.

    python models/second_round.py path/to/data path/to/work     # the model is work/second
    python -m experiments.paper.compare --pool P25 --precision bf16 --start opendpr-minilm --model path/to/work/second

The second round of DPR's release of 2021, at our scale: paragraphs as positives (`gold.py`), hard negatives of BM25 and
of the first round, and beside them samples of sets without paragraphs. It runs the same commands a user would and goes
on where it was interrupted. `opendpr-minilm` is the first round alone; what the second is worth is in docs/paper.md.
"""

from __future__ import annotations

import shlex
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from data import make_collection, write_pseudo_examples
from gold import DISTANT_QUESTIONS, make_gold_collection, write_distant_questions, write_gold_questions

FIRST_ROUND = "opendpr-minilm"
GOLD_MINING = "-r bm25 -r dense --depth 20 --positive-depth 20 --negatives 6"
DISTANT_MINING = "--depth 20 --positive-depth 5 --negatives 8"
PSEUDO_QUESTIONS = 8_000
PSEUDO_WEIGHT = 0.5
"""How often an epoch goes over them; over all other examples once."""
TRAINING = (
    "--epochs 0.48 --batch-size 128 --learning-rate 5e-5 --dropout 0 --hard-negatives 1 --base-share 0.3 "
    "--precision bf16"
)


def run(*arguments: str) -> None:
    """An opendpr command, printed first."""
    print("$ opendpr", shlex.join(arguments), flush=True)  # noqa: T201
    subprocess.run([sys.executable, "-m", "opendpr", *arguments], check=True)


def mine(collection: Path, questions: Path, options: str) -> Path:
    """The examples of a file of questions, mined once."""
    examples = questions.with_name(questions.name.replace(".questions", ""))
    if not examples.exists():
        run("mine", str(collection), str(questions), "-o", str(examples), *shlex.split(options))
    return examples


def mine_gold(data: Path, work: Path) -> list[Path]:
    """Examples with gold paragraphs, and pseudo-questions of the same collection as the last."""
    collection = work / "gold"
    paragraphs, files = write_gold_questions(data, work)
    if not (work / "collected-gold").exists():
        make_gold_collection(data, collection, paragraphs.values())
        (work / "collected-gold").touch()
    run("encode", str(collection), "--model", FIRST_ROUND)
    examples = [mine(collection, questions, GOLD_MINING) for questions in files]
    pseudo = work / "pseudo.jsonl"
    if not pseudo.exists():
        write_pseudo_examples(collection, pseudo, PSEUDO_QUESTIONS, seed=2)
    return [*examples, pseudo]


def mine_distant(data: Path, work: Path) -> list[Path]:
    """Examples whose positive is the best passage with an answer, out of all of Wikipedia that is at hand."""
    collection = work / "collection"
    if not (work / "collected").exists():
        make_collection(data, collection, [])
        (work / "collected").touch()
    files = [write_distant_questions(data, name, work) for name in DISTANT_QUESTIONS]
    return [mine(collection, questions, DISTANT_MINING) for questions in files]


def train(files: Sequence[Path], output: Path) -> None:
    """The second round; the last file is that of the pseudo-questions."""
    weights = [1.0] * (len(files) - 1) + [PSEUDO_WEIGHT]
    options = [word for weight in weights for word in ("--weight", str(weight))]
    run(
        "train", "encoder", *map(str, files), *options, "--base", FIRST_ROUND, "-o", str(output), *shlex.split(TRAINING)
    )


def main(data: Path, work: Path) -> None:
    """Mine, train, and say where the model is."""
    work.mkdir(parents=True, exist_ok=True)
    output = work / "second"
    if not (output / "config.json").exists():
        train([*mine_distant(data, work), *mine_gold(data, work)], output)
    print(f"wrote {output}")  # noqa: T201


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
