"""Largest differences of imported models from the libraries that they come from.

Networks of two layers with random weights that fp16 holds exactly, written by their own libraries, in fp32 on both
sides: each architecture as an encoder, a reader and a re-ranker, then the other forms of models that are read. The same
texts go through both, and the largest difference of any number is reported, in millionths.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from experiments.common.command import command_line, parse, require
from experiments.common.report import Report
from opendpr.model.foreign import ImportSettings, import_model
from opendpr.model.foreign.checking import compare

MILLION = 1e6


def largest_difference(source: Mapping[str, Path], directory: Path, settings: ImportSettings) -> float:
    """Of any number, in millionths, after a model was imported into a directory."""
    differences = compare(import_model(source, directory, settings), source)
    return MILLION * max(value for value in differences.values() if isinstance(value, float))


def measure_family(report: Report, family: str, folder: Path) -> None:
    """An architecture as an encoder, a reader and a re-ranker."""
    from experiments.common.foreign_models import write_network

    tasks = {"vectors": "", "logits": "QuestionAnswering", "scores": "SequenceClassification"}
    for name, task in tasks.items():
        labels = {"num_labels": 1} if name == "scores" else {}
        source = {"": write_network(folder / f"{family}-{name}", family, task, **labels)}
        settings = ImportSettings(pooling="mean") if name == "vectors" else ImportSettings()
        report.add(f"{family}/{name}", largest_difference(source, folder / f"ours-{family}-{name}", settings))


def measure_forms(report: Report, folder: Path) -> None:
    """Models of sentence-transformers, with one tower and two, and DPR's classes."""
    from experiments.common.foreign_models import write_dpr, write_sentence_transformer

    sources = {
        "one tower": {"": write_sentence_transformer(folder / "one tower", dense="Tanh", normalize=True)},
        "two towers": {"": write_sentence_transformer(folder / "two towers", router=True, normalize=True)},
        "DPR's encoders": {
            "question": write_dpr(folder / "question", "DPRQuestionEncoder", 16),
            "passage": write_dpr(folder / "passage", "DPRContextEncoder", 16),
        },
        "DPR's reader": {"reader": write_dpr(folder / "reader", "DPRReader")},
    }
    for name, source in sources.items():
        report.add(name, largest_difference(source, folder / f"ours-{name}", ImportSettings()))


def main(arguments: Sequence[str] | None = None) -> None:
    parser = command_line(__doc__, data=False, precision=None)
    parser.add_argument("--families", nargs="*", help="of networks; all without")
    args = parse(parser, arguments, families=["bert"])
    for package in ("transformers", "sentence_transformers"):
        require(package, f"{package.replace('_', '-')}")
    from experiments.common.foreign_models import FAMILIES

    report = Report(args)
    with tempfile.TemporaryDirectory() as name:
        for family in args.families or FAMILIES:
            measure_family(report, family, Path(name))
        measure_forms(report, Path(name))
    report.write()


if __name__ == "__main__":
    main()
