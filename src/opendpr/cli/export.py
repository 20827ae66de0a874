"""`opendpr export`: data in the forms of other systems."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from typer import Argument, Option

from opendpr.choices import ExampleForm, ModelForm, PassageForm, QrelsForm, QuestionForm, RunForm
from opendpr.cli.located import located
from opendpr.cli.options import CollectionArgument, DuplicatesOption, OutputOption, ValuesOption
from opendpr.cli.output import say
from opendpr.wording import counted

if TYPE_CHECKING:
    pass

EXPORT_HELP = """Write data in the forms of other systems: DPR, BEIR, MS MARCO, TREC, SQuAD and others.

What is written from a file may be of any form that 'opendpr import' reads. docs/formats.md
describes them all.

\b
Example:
  opendpr export run nq-test.jsonl --format trec -o nq-test.run
"""
app = typer.Typer(help=EXPORT_HELP, no_args_is_help=True, rich_markup_mode=None)

FileArgument = Annotated[Path, Argument(help="File, of any form that is known.", show_default=False)]


@app.command("passages")
def export_passages(
    collection: CollectionArgument,
    output: OutputOption,
    format: Annotated[
        PassageForm,
        Option(
            "--format",
            "-f",
            help="psgs: psgs_w100.tsv; beir: corpus.jsonl; msmarco: collection.tsv (ColBERT's); others: JSON lines.",
        ),
    ],
) -> None:
    """Write the passages of COLLECTION, with the ids that searches give.

    \b
    Example:
      opendpr export passages notes --format psgs -o psgs.tsv.gz
    """
    from opendpr.collection import open_collection
    from opendpr.interop import useful, write_passages
    from opendpr.maintenance.export_passages import passage_documents

    with open_collection(located(collection, vectors=False)) as opened:
        passages = useful(passage_documents(opened), lambda passage: passage.text, collection, "a passage")
        say(f"wrote {output}: {counted(write_passages(output, passages, format), 'passage')}")


@app.command("questions")
def export_questions(
    file: FileArgument,
    output: OutputOption,
    format: Annotated[
        QuestionForm, Option("--format", "-f", help="dpr: question and answers; beir, msmarco: id and question.")
    ],
) -> None:
    """Write questions.

    \b
    Example:
      opendpr export questions mine.jsonl --format dpr -o mine.qa.csv
    """
    from opendpr.interop import read_questions, useful, write_questions

    answers_wanted = format == "dpr"
    what = "a question with answers" if answers_wanted else "a question"
    questions = useful(read_questions(file), lambda question: question.answers or not answers_wanted, file, what)
    say(f"wrote {output}: {counted(write_questions(output, questions, format), 'question')}")


@app.command("examples")
def export_examples(
    file: FileArgument,
    output: OutputOption,
    format: Annotated[
        ExampleForm,
        Option(
            "--format",
            "-f",
            help="dpr: JSON, or JSON lines by OUTPUT's name; msmarco: triples of texts; colbert: of ids; rest: lines.",
        ),
    ],
) -> None:
    """Write training examples for encoders.

    \b
    Example:
      opendpr export examples mine.jsonl --format dpr -o mine.json
    """
    from opendpr.interop import read_examples, useful, write_examples

    noun = {"msmarco": "triple", "colbert": "triple", "sentence-transformers": "line"}.get(format, "example")
    what = "an example with a positive passage"
    examples = useful(read_examples(file), lambda example: example.positives, file, what)
    say(f"wrote {output}: {counted(write_examples(output, examples, format), noun)}")


@app.command("spans")
def export_spans(file: FileArgument, output: OutputOption) -> None:
    """Write questions with marked answers as SQuAD, version 2.

    \b
    Example:
      opendpr export spans mine.jsonl -o mine-v2.0.json
    """
    from opendpr.interop import read_marked, useful, write_squad

    questions = useful(read_marked(file), lambda question: question.question, file, "a question")
    say(f"wrote {output}: {counted(write_squad(output, questions), 'question')}")


@app.command("run")
def export_run(
    file: FileArgument,
    output: OutputOption,
    format: Annotated[
        RunForm,
        Option(
            "--format",
            "-f",
            help="trec: trec_eval and its kin; dpr, pyserini: JSON with the passages; msmarco: ranks; colbert: both.",
        ),
    ],
    documents: Annotated[
        bool, Option("--documents", help="Rank documents, each by its best passage: what most qrels judge.")
    ] = False,
    collection: Annotated[
        Path | None,
        Option("--collection", help="The collection that was searched; for texts and documents not in the run."),
    ] = None,
    questions: Annotated[
        Path | None,
        Option("--questions", help="The questions, by id; for texts and answers not in the run."),
    ] = None,
    system: Annotated[str | None, Option("--system", help="Only this system, of a run of several.")] = None,
    question_set: Annotated[
        str | None, Option("--set", help="Only this set of questions, of a run over several.")
    ] = None,
    values: ValuesOption = None,
    duplicates: DuplicatesOption = "refuse",
) -> None:
    """Write what was found, for other people's evaluators.

    \b
    Examples:
      opendpr export run run.jsonl --format trec --documents -o run.trec
      opendpr export run run.jsonl --format dpr --collection notes --system hybrid -o results.json
    """
    from opendpr.evaluation.rankings import read_rankings, selected
    from opendpr.interop import best_of_documents, read_questions, useful, write_run
    from opendpr.interop.ids import by_id
    from opendpr.maintenance.export_run import completed, with_questions

    every = read_rankings(file, values=values, duplicates=duplicates)
    rankings = selected(every, file, system=system, question_set=question_set)
    rankings = useful(rankings, lambda ranking: ranking.hits, file, "a ranking with passages")
    if questions:
        rankings = with_questions(rankings, by_id(read_questions(questions), questions))
    with completed(rankings, collection) as complete:
        if documents:
            complete = map(best_of_documents, complete)
        count = write_run(output, complete, format)
    say(f"wrote {output}: {counted(count, 'question')}")


@app.command("qrels")
def export_qrels(
    file: FileArgument,
    output: OutputOption,
    format: Annotated[
        QrelsForm, Option("--format", "-f", help="trec, msmarco: four columns; beir: three and a header.")
    ],
) -> None:
    """Write judgements.

    \b
    Example:
      opendpr export qrels cacm.qrels --format beir -o qrels/test.tsv
    """
    from opendpr.interop import read_qrels, useful, write_qrels

    judgements = useful(read_qrels(file), lambda judgement: True, file, "a judgement")
    say(f"wrote {output}: {counted(write_qrels(output, judgements, format), 'judgement')}")


@app.command("model")
def export_model(
    model: Annotated[str, Argument(help="Name of a model package, or a model directory.", show_default=False)],
    output: Annotated[Path, Option("--output", "-o", help="Directory to write.", show_default=False)],
    to: Annotated[
        ModelForm,
        Option(
            "--to",
            help="hf-dpr: DPR's classes of transformers; hf-qa: the reader, for question answering of transformers; "
            "dpr: DPR's own checkpoints; onnx: a file for each network.",
        ),
    ],
) -> None:
    """Write a model in the form of another system, with a model card.

    What would change a vector and has no place in the form is refused by name; what is left out is said.
    'opendpr import model' reads all but onnx again.

    \b
    Example:
      opendpr export model opendpr-minilm --to sentence-transformers -o minilm-st
    """
    from opendpr.model.directory import find_model
    from opendpr.model.foreign import export_model, left_out

    opened = find_model(model)
    export_model(opened, output, to)
    for note in left_out(opened, to):
        say(f"left out {note}")
    say(f"wrote {output}")
