"""What sixty judged questions gain: `opendpr improve` over a part of the handbooks, as a user runs it.

The plain questions of `dev/handbooks` are added as judged, with their answers and documents. The collection holds the
documents that they name and some others. What is reported is what `opendpr improve` decides by: the questions that it
keeps apart, before and after.

    python -m experiments.paper.improve
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from experiments.common.command import command_line, make_encoder, parse
from experiments.common.data import Record
from experiments.common.report import Report
from experiments.paper.fit import question_of
from opendpr.collection import open_collection
from opendpr.evaluation.contrasts import after_minus_before
from opendpr.improving.judging import add_questions
from opendpr.improving.round import Improvement, improve
from opendpr.model.directory import find_model
from opendpr.model.runtime import RuntimeSettings

MEASURES = ("answer@1", "answer@5", "answer@20", "EM@20", "F1@20")


def chosen_records(args: argparse.Namespace) -> list[Record]:
    """The questions that a user judged: those in plain words that the handbooks answer."""
    every = [record for half in ("fit", "report") for record in args.data.handbooks(half)]
    return [
        record
        for record in every
        if record["answers"] and record["style"] in args.styles and not record.get("paraphrase_of")
    ]


def fill_part(args: argparse.Namespace, fingerprint: str, records: Sequence[Record]) -> Path:
    """A collection of the files that the questions name, and of the first others in order of name."""
    folder, part = args.data.unpack_handbooks(args.work / "handbooks"), args.work / f"handbooks-{args.others}"
    names = {name for record in records for name in record.get("document_ids") or ()}
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    named = [path for path in files if any(path.as_posix().endswith(f"/{name}") for name in names)]
    for path in [*named, *[path for path in files if path not in named][: args.others]]:
        copy = part / path.relative_to(folder)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, copy)
    directory: Path = args.work / f"handbooks-{args.others}-{fingerprint[:8]}-{args.precision}"
    options = ["--model", args.model, "--precision", args.precision]
    command = [sys.executable, "-m", "opendpr", "add", str(directory), str(part), *options]
    subprocess.run(command, check=True, stdout=sys.stderr)
    return directory


def judge_all(collection: Path, records: Sequence[Record]) -> int:
    """Add the questions as judged, under the ids that their documents have here; returns how many have a place."""
    with open_collection(collection) as opened:
        ids = [summary.id for summary in opened.summaries()]
    questions = []
    for question in map(question_of, records):
        there = tuple(id for name in question.document_ids for id in ids if f"/{id}".endswith(f"/{name}"))
        questions.append(replace(question, document_ids=there))
    return len({judgement.question for judgement in add_questions(collection, questions).judgements})


def add_figures(report: Report, made: Improvement) -> None:
    """Report both models on the questions kept apart, and what the new one gains."""
    [figures] = made.decision.summary.sets.values()
    for figure in figures.figures:
        if figure.measure in MEASURES:
            report.add_interval(f"{figure.system.partition(':')[0]}/{figure.measure}", figure.value)
    for pair in after_minus_before(figures.differences, "before:hybrid", "after:hybrid"):
        if pair.measure in MEASURES:
            report.add_interval(f"gain/{pair.measure}", pair.value)
    report.add_interval("gain/squared error of the confidence", made.decision.confidence_error, "", scale=1)
    report.add("before/lambda", find_model(made.before).hybrid_weight)
    report.add("after/lambda", find_model(str(made.model)).hybrid_weight)
    report.add("questions/learned", len(made.parts.learned))
    report.add("questions/apart", len(made.parts.apart))
    report.add("switch", made.decision.switch)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = command_line(__doc__)
    parser.add_argument("--others", type=int, default=300, help="files beside those that the questions name")
    parser.add_argument("--styles", nargs="+", default=["plain"], help="styles of the questions that are judged")
    args = parse(parser, arguments, others=5, styles=["plain", "informal"])
    records = chosen_records(args)
    collection = fill_part(args, make_encoder(args).model.fingerprint, records)
    report = Report(args)
    report.add("questions/judged", judge_all(collection, records))
    output = args.work / f"{collection.name}-improved"
    shutil.rmtree(output, ignore_errors=True)
    made = improve(collection, output, runtime=RuntimeSettings(precision=args.precision))
    print(made.decision.sentence, made.changes, sep="\n", file=sys.stderr)
    add_figures(report, made)
    report.write()


if __name__ == "__main__":
    main()
