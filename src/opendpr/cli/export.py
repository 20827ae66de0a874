"""`opendpr export`: data in the forms of other systems."""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from typer import Argument, Option

from opendpr.cli.options import CollectionArgument, OutputOption
from opendpr.cli.output import many, say

if TYPE_CHECKING:
    from opendpr.interop.runs import Ranking

HELP = """Write data in the forms of other systems: DPR, BEIR, MS MARCO, TREC, SQuAD.

What is written from a file may be of any form that 'opendpr import' reads. docs/formats.md
describes them all.

\b
Example:
  opendpr export run nq-test.jsonl --format trec -o nq-test.run
"""
app = typer.Typer(help=HELP, no_args_is_help=True, rich_markup_mode=None)


class Passages(str, Enum):
    """Forms of passages."""

    psgs = "psgs"
    beir = "beir"
    msmarco = "msmarco"
    jsonl = "jsonl"


class Questions(str, Enum):
    """Forms of questions."""

    dpr = "dpr"
    beir = "beir"
    msmarco = "msmarco"


class Examples(str, Enum):
    """Forms of training examples."""

    dpr = "dpr"
    msmarco = "msmarco"


class Runs(str, Enum):
    """Forms of what was found."""

    trec = "trec"
    dpr = "dpr"
    msmarco = "msmarco"


class Qrels(str, Enum):
    """Forms of judgements."""

    trec = "trec"
    beir = "beir"
    msmarco = "msmarco"


FileArgument = Annotated[Path, Argument(help="File, of any form that is known.", show_default=False)]


@app.command("passages")
def export_passages(
    collection: CollectionArgument,
    output: OutputOption,
    format: Annotated[
        Passages, Option("--format", "-f", help="psgs: psgs_w100.tsv; beir: corpus.jsonl; msmarco: collection.tsv.")
    ],
) -> None:
    """Write the passages of COLLECTION, with the ids that searches give.

    \b
    Example:
      opendpr export passages notes --format psgs -o psgs.tsv.gz
    """
    from opendpr.collection import open_collection
    from opendpr.interop.passages import write_passages
    from opendpr.maintenance.export_passages import passages_of

    with open_collection(collection) as opened:
        say(f"wrote {output}: {many(write_passages(output, passages_of(opened), format.value), 'passage')}")


@app.command("questions")
def export_questions(
    file: FileArgument,
    output: OutputOption,
    format: Annotated[
        Questions, Option("--format", "-f", help="dpr: question and answers; beir, msmarco: id and question.")
    ],
) -> None:
    """Write questions.

    \b
    Example:
      opendpr export questions mine.jsonl --format dpr -o mine.qa.csv
    """
    from opendpr.interop.questions import read_questions, write_questions

    say(f"wrote {output}: {many(write_questions(output, read_questions(file), format.value), 'question')}")


@app.command("examples")
def export_examples(
    file: FileArgument,
    output: OutputOption,
    format: Annotated[
        Examples,
        Option("--format", "-f", help="dpr: JSON, or JSON lines if OUTPUT ends so; msmarco: triples of texts."),
    ],
) -> None:
    """Write training examples for encoders.

    \b
    Example:
      opendpr export examples mine.jsonl --format dpr -o mine.json
    """
    from opendpr.interop.examples import read_examples, write_examples

    what = "triples" if format is Examples.msmarco else "examples"
    say(f"wrote {output}: {write_examples(output, read_examples(file), format.value):,} {what}")


@app.command("spans")
def export_spans(file: FileArgument, output: OutputOption) -> None:
    """Write questions with marked answers as SQuAD, version 2.

    \b
    Example:
      opendpr export spans mine.jsonl -o mine-v2.0.json
    """
    from opendpr.interop.squad import read_marked, write_squad

    say(f"wrote {output}: {many(write_squad(output, read_marked(file)), 'question')}")


@app.command("run")
def export_run(
    file: FileArgument,
    output: OutputOption,
    format: Annotated[
        Runs, Option("--format", "-f", help="trec: trec_eval and its kin; dpr: JSON with the passages; msmarco: ranks.")
    ],
    documents: Annotated[
        bool, Option("--documents", help="Rank documents, each by its best passage: what most qrels judge.")
    ] = False,
    collection: Annotated[
        Path | None,
        Option("--collection", help="The collection that was searched; for texts and documents the run lacks."),
    ] = None,
    questions: Annotated[
        Path | None, Option("--questions", help="The questions, by id; for texts and answers the run lacks.")
    ] = None,
    system: Annotated[str | None, Option("--system", help="Of a run of several systems this one.")] = None,
    question_set: Annotated[
        str | None, Option("--set", help="Of a run over several sets of questions this one.")
    ] = None,
) -> None:
    """Write what was found, for other people's evaluators.

    \b
    Examples:
      opendpr export run run.jsonl --format trec --documents -o run.trec
      opendpr export run run.jsonl --format dpr --collection notes --system hybrid -o results.json
    """
    from opendpr.interop.questions import read_questions
    from opendpr.interop.runs import best_of_documents, read_run, write_run
    from opendpr.maintenance.export_runs import completed, with_questions

    rankings: Iterator[Ranking] = (
        ranking
        for ranking in read_run(file)
        if system in (None, ranking.system) and question_set in (None, ranking.set)
    )
    if questions:
        rankings = with_questions(rankings, read_questions(questions))
    with completed(rankings, collection) as found:
        if documents:
            found = map(best_of_documents, found)
        count = write_run(output, found, format.value)
    say(f"wrote {output}: {many(count, 'question')}")


@app.command("qrels")
def export_qrels(
    file: FileArgument,
    output: OutputOption,
    format: Annotated[Qrels, Option("--format", "-f", help="trec, msmarco: four columns; beir: three and a header.")],
) -> None:
    """Write judgements.

    \b
    Example:
      opendpr export qrels cacm.qrels --format beir -o qrels/test.tsv
    """
    from opendpr.interop.qrels import read_qrels, write_qrels

    say(f"wrote {output}: {write_qrels(output, read_qrels(file), format.value):,} judgements")
