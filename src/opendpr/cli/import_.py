"""`opendpr import`: data and models of other systems, brought into our forms."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from typer import Argument, Exit, Option

from opendpr.choices import AnswerMatch
from opendpr.cli.import_model import import_model
from opendpr.cli.options import (
    AsJson,
    DuplicatesOption,
    OutputOption,
    QuotingOption,
    ValuesOption,
    WaitOption,
)
from opendpr.cli.output import print_json, say
from opendpr.cli.progress import display
from opendpr.errors import InputError
from opendpr.wording import counted

if TYPE_CHECKING:
    from opendpr.interop import MarkedQuestion
    from opendpr.maintenance.import_embeddings import ImportedEmbeddings, Trouble
    from opendpr.types import Question, TrainingExample

IMPORT_HELP = """Bring data and models of other systems into the forms of opendpr.

The form of a file is recognised by its content; docs/formats.md describes them all. Files may
be compressed.

\b
Example:
  opendpr import questions nq-test.qa.csv -o nq-test.jsonl
"""
app = typer.Typer(help=IMPORT_HELP, no_args_is_help=True, rich_markup_mode=None)
app.command("model")(import_model)

FileArgument = Annotated[Path, Argument(help="File of another system.", show_default=False)]
SourceArgument = Annotated[
    Path,
    Argument(help="File of another system, or a data set of ir_datasets, as irds:beir/nq.", show_default=False),
]


@app.command("passages")
def import_passages(file: SourceArgument, output: OutputOption, quoting: QuotingOption = "csv") -> None:
    """Passages as JSON lines for 'opendpr add': psgs_w100.tsv, corpora of BEIR, MS MARCO, Pyserini, Tevatron.

    \b
    Examples:
      opendpr import passages scifact/corpus.jsonl -o scifact.jsonl
      opendpr add scifact scifact.jsonl --whole
    """
    from opendpr.interop import read_passages, useful, write_passages

    passages = read_passages(file, quoting=quoting)
    passages = useful(passages, lambda passage: passage.text.strip(), file, "a passage with text")
    say(f"wrote {output}: {counted(write_passages(output, passages, 'jsonl'), 'passage')}")


@app.command("questions")
def import_questions(
    file: SourceArgument,
    output: OutputOption,
    match: Annotated[
        AnswerMatch | None,
        Option(
            "--match",
            help="regex: the answers are regular expressions, as CuratedTREC's.",
            show_default="what each question says, or string",
        ),
    ] = None,
    quoting: QuotingOption = "csv",
) -> None:
    """Questions as JSON lines: DPR's tables and training files, SQuAD, MRQA, KILT, BEIR, MS MARCO and others.

    \b
    Examples:
      opendpr import questions nq-test.qa.csv -o nq-test.jsonl
      opendpr import questions curatedtrec-test.qa.csv -o trec.jsonl --match regex
      opendpr import questions irds:natural-questions/dev -o nq.jsonl
    """
    from opendpr.interop import read_questions, useful, write_questions

    questions = read_questions(file, match=match, quoting=quoting)
    questions = useful(questions, lambda question: question.text, file, "a question")
    answered = 0

    def with_answers_counted() -> Iterator[Question]:
        nonlocal answered
        for question in questions:
            answered += bool(question.answers)
            yield question

    written = write_questions(output, with_answers_counted(), "jsonl")
    say(f"wrote {output}: {counted(written, 'question')}, {answered:,} with answers")


@app.command("examples")
def import_examples(
    file: FileArgument,
    output: OutputOption,
    questions: Annotated[
        Path | None, Option("--questions", help="The questions, where FILE has ids alone, as ColBERT's triples.")
    ] = None,
    passages: Annotated[Path | None, Option("--passages", help="The passages, where FILE has ids alone.")] = None,
    quoting: QuotingOption = "csv",
) -> None:
    """Training examples for encoders as JSON lines: DPR's training files, triples and pairs of texts or ids.

    Files of MS MARCO, ColBERT, Tevatron, FlagEmbedding and sentence-transformers are read too.

    \b
    Examples:
      opendpr import examples biencoder-nq-train.json.gz -o nq-train.jsonl.gz
      opendpr import examples triples.jsonl --questions queries.tsv --passages collection.tsv -o train.jsonl
    """
    from opendpr.interop import read_examples, useful, write_examples

    examples = read_examples(file, questions=questions, passages=passages, quoting=quoting)
    examples = useful(examples, lambda example: example.positives, file, "an example with a positive passage")
    without = 0

    def with_lacks_counted() -> Iterator[TrainingExample]:
        nonlocal without
        for example in examples:
            without += not example.positives
            yield example

    say(f"wrote {output}: {counted(write_examples(output, with_lacks_counted(), 'jsonl'), 'example')}")
    if without:
        say(f"{without:,} of them {'has' if without == 1 else 'have'} no positive passage")


@app.command("spans")
def import_spans(file: FileArgument, output: OutputOption) -> None:
    """Questions with their answer marked in a passage, for 'opendpr train reader': SQuAD 1 and 2, MRQA.

    Questions without an answer marked in their passage are left out, and counted.

    \b
    Example:
      opendpr import spans train-v2.0.json -o squad.jsonl
    """
    from opendpr.interop import read_marked, useful, write_marked

    left_out = 0

    def answered() -> Iterator[MarkedQuestion]:
        nonlocal left_out
        for question in useful(read_marked(file), lambda question: question.marks, file, "a question with an answer"):
            left_out += not question.marks
            if question.marks:
                yield question

    say(f"wrote {output}: {counted(write_marked(output, answered()), 'question')}")
    if left_out:
        say(f"left out {counted(left_out, 'question')} without an answer marked in the passage")


@app.command("run")
def import_run(
    file: FileArgument,
    output: OutputOption,
    values: ValuesOption = None,
    duplicates: DuplicatesOption = "refuse",
) -> None:
    """What another system found, as JSON lines: DPR's and Pyserini's results, TREC, MS MARCO and ColBERT runs.

    \b
    Example:
      opendpr import run nq-test.json -o nq-test.jsonl
    """
    from opendpr.evaluation.rankings import read_rankings
    from opendpr.interop import useful, write_run

    rankings = read_rankings(file, values=values, duplicates=duplicates)
    rankings = useful(rankings, lambda ranking: ranking.hits, file, "a ranking with passages")
    say(f"wrote {output}: {counted(write_run(output, rankings, 'jsonl'), 'question')}")


@app.command("qrels")
def import_qrels(file: SourceArgument, output: OutputOption, duplicates: DuplicatesOption = "refuse") -> None:
    """Judgements in TREC's form, from BEIR's or MS MARCO's.

    \b
    Example:
      opendpr import qrels scifact/qrels/test.tsv -o scifact.qrels
    """
    from opendpr.interop import read_qrels, useful, write_qrels

    judgements = read_qrels(file, duplicates=duplicates)
    judgements = useful(judgements, lambda judgement: judgement.relevance > 0, file, "a judgement that is relevant")
    say(f"wrote {output}: {counted(write_qrels(output, judgements, 'trec'), 'judgement')}")


@app.command("embeddings")
def import_embeddings(
    collection: Annotated[
        Path, Argument(help="Directory of the collection; made if it is not there.", show_default=False)
    ],
    shards: Annotated[
        list[Path], Argument(help="Pickles of (id, vector), as DPR's generate_dense_embeddings.py writes them.")
    ],
    passages: Annotated[
        Path, Option("--passages", help="The passages of the vectors: psgs_w100.tsv, or another such file.")
    ],
    model: Annotated[
        str, Option("--model", "-m", help="The model that made the vectors; questions will be encoded by it.")
    ],
    id_prefix: Annotated[
        str, Option("--id-prefix", help="What ids begin with in the shards and not in the passages, as wiki:.")
    ] = "",
    wait: WaitOption = 0,
    as_json: AsJson = False,
) -> None:
    """Fill COLLECTION with passages and the vectors that another system computed for them.

    Nothing in a pickle is executed: all but arrays of numbers and plain lists is refused. A passage
    without a vector, and a vector without a passage, are counted and named, and the command then
    ends with exit code 3. After an interruption the same command goes on.

    \b
    Example:
      opendpr import embeddings wikipedia wikipedia_passages_*.pkl --passages psgs_w100.tsv.gz --model ./dpr-nq
    """
    from opendpr.collection import open_writer
    from opendpr.maintenance.import_embeddings import import_embeddings as run
    from opendpr.model.directory import find_model
    from opendpr.text.splitting import Splitter

    opened = find_model(model)
    opened.require_encoder()
    with open_writer(collection, Splitter(unit="whole"), wait_seconds=wait) as writer:
        with display(silent=as_json) as show:
            report = run(
                writer,
                passages,
                shards,
                model=opened,
                id_prefix=id_prefix,
                on_stored=lambda what, done: show("storing", what, done, 0),
            )
        counts = writer.counts()
    if as_json:
        troubles = {name: vars(trouble) for name, trouble in _troubles(report).items()}
        print_json({"passages": report.passages, "vectors": report.vectors, **troubles, "collection": counts})
    else:
        said = f"{counted(counts['passages'], 'passage')}, {counted(counts['vectors'], 'vector')}"
        say(f"{collection}: {said} ({report.vectors:,} new)")
        _say_troubles(report, model, collection)
    if any(trouble.count for trouble in _troubles(report).values()):
        raise Exit(InputError.exit_code)


def _troubles(report: ImportedEmbeddings) -> dict[str, Trouble]:
    return {name: getattr(report, name) for name in ("empty", "without_passage", "without_vector")}


def _say_troubles(report: ImportedEmbeddings, model: str, collection: Path) -> None:
    problems = {
        "empty": ("passage", "without text", "left out"),
        "without_passage": ("vector", "without a passage", "left out"),
        "without_vector": (
            "passage",
            "without a vector",
            f"'opendpr encode {collection} --model {model}' computes what is missing",
        ),
    }
    for name, trouble in _troubles(report).items():
        noun, problem, remedy = problems[name]
        if trouble.count:
            more = " ..." if trouble.count > len(trouble.ids) else ""
            say(f"{counted(trouble.count, noun)} {problem}, {remedy}: {', '.join(trouble.ids)}{more}")
