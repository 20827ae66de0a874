"""`opendpr evaluate`: how good retrieval and answers are, and how sure that is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Protocol

from typer import Argument, Option

from opendpr.choices import DEFAULT_RETRIEVER, MOST_PASSAGES, needs_vectors
from opendpr.cli.located import located
from opendpr.cli.options import (
    RETRIEVER_CHOICES,
    DeviceOption,
    DuplicatesOption,
    IndexOption,
    ModelOption,
    PrecisionOption,
    RuntimeOption,
    ValuesOption,
    engine_settings,
    retriever_name,
)
from opendpr.cli.output import print_json, put, say
from opendpr.cli.progress import progress
from opendpr.errors import UsageError

if TYPE_CHECKING:
    from opendpr.evaluation.judges import AnswerJudge, DocumentJudge
    from opendpr.evaluation.summary import Summary

DEFAULT_READ = (10, 20)
"""Numbers of passages read where no others are asked for."""


def evaluate(
    collection: Annotated[
        Path | None,
        Argument(help="A collection; with --compare a run, with --run the questions.", show_default=False),
    ] = None,
    questions: Annotated[
        list[Path] | None,
        Argument(help="Question files; with --compare more runs.", show_default=False),
    ] = None,
    runs: Annotated[
        list[Path] | None,
        Option("--run", help="Judge the run of another system: TREC, JSON of DPR, Pyserini; again for several."),
    ] = None,
    searched: Annotated[
        Path | None,
        Option("--collection", help="With --run: the collection that was searched, for texts that the run lacks."),
    ] = None,
    values: ValuesOption = None,
    duplicates: DuplicatesOption = "refuse",
    retriever: Annotated[
        list[str] | None,
        Option(
            "--retriever",
            "-r",
            parser=retriever_name,
            metavar=RETRIEVER_CHOICES,
            help="How passages are found; again for several systems.",
            show_default=DEFAULT_RETRIEVER,
        ),
    ] = None,
    k: Annotated[
        list[int] | None,
        Option(
            "-k", min=1, max=MOST_PASSAGES, help="Passages retrieved; again for several.", show_default="1, 5, 20, 100"
        ),
    ] = None,
    reader: Annotated[bool, Option("--reader", help="Answer too: exact match and F1.")] = False,
    read: Annotated[
        list[int] | None,
        Option(
            "--read", "-n", min=1, max=MOST_PASSAGES, help="Passages read; again for several.", show_default="10, 20"
        ),
    ] = None,
    qrels: Annotated[
        Path | None, Option("--qrels", help="Judgements of documents, as TREC writes them: MAP, nDCG, recall, MRR.")
    ] = None,
    limit: Annotated[int | None, Option("--limit", min=1, help="Questions of each file.", show_default="all")] = None,
    output: Annotated[
        Path | None,
        Option("--output", "-o", help="Run to write, one JSON object a line; interrupted, it goes on from there."),
    ] = None,
    compare: Annotated[
        bool, Option("--compare", help="Compare runs written before; nothing is computed again.")
    ] = False,
    index: IndexOption = None,
    model: ModelOption = None,
    precision: PrecisionOption = "auto",
    runtime: RuntimeOption = "auto",
    device: DeviceOption = "auto",
    as_json: Annotated[bool, Option("--json", help="Write one JSON object.")] = False,
) -> None:
    """Measure retrieval, and answers with --reader, by questions whose answers or documents are known.

    \b
    Examples:
      opendpr evaluate notes questions.jsonl -r dense -r bm25 -r hybrid -o run.jsonl
      opendpr evaluate notes questions.jsonl --reader --read 10 --read 50
      opendpr evaluate notes queries.jsonl --qrels qrels.txt
      opendpr evaluate --compare run.jsonl other.jsonl
      opendpr evaluate --run bm25.trec --run dpr.json questions.jsonl --collection notes
    """
    from opendpr.collection import open_collection
    from opendpr.collection.swapped import refuse_swapped
    from opendpr.evaluation.foreign import ForeignTask, evaluate_runs
    from opendpr.evaluation.task import Task
    from opendpr.evaluation.task import evaluate as run_task
    from opendpr.model.runtime import RuntimeSettings

    if runs:
        if retriever or reader or read or compare or questions or index:
            raise UsageError(
                "--run takes one file of questions, --collection, --qrels, -k, --limit and -o alone; leave out the rest"
            )
        ranked = ForeignTask(runs, collection, searched, limit, values, duplicates)
        _write_and_show(partial(evaluate_runs, ranked, _judge(k, reader, read, qrels)), output, as_json)
        return
    if searched or values or duplicates != "refuse":
        raise UsageError("--collection, --values and --duplicates are about runs of other systems; give --run too")
    if collection is None:
        raise UsageError("nothing to evaluate was named; give a collection and questions, or runs with --run")
    if compare:
        if retriever or k or reader or read or qrels or limit or output or index:
            raise UsageError("--compare takes runs and --json alone; all else is settled in the runs")
        _compare(collection, questions or (), as_json)
        return
    if not questions:
        raise UsageError(f"no file of questions was given to evaluate {collection} with; name one after it")
    refuse_swapped(collection, questions, "'opendpr evaluate {collection} {questions}'")
    systems = list(dict.fromkeys(retriever or [DEFAULT_RETRIEVER]))
    running, vectors = RuntimeSettings(runtime, precision, device), any(map(needs_vectors, systems))
    collection = located(collection, model, running, vectors=vectors, silent=as_json)
    open_collection(collection).close()  # before the questions: arguments are judged in their order
    engine = engine_settings(index, allow_partial=False, collection=collection)
    task = Task(questions, systems, limit, model, running, engine)
    _write_and_show(partial(run_task, collection, task, _judge(k, reader, read, qrels)), output, as_json)


def _judge(
    k: Sequence[int] | None, reader: bool, read: Sequence[int] | None, qrels: Path | None
) -> AnswerJudge | DocumentJudge:
    from opendpr.evaluation.judges import DEFAULT_KS, AnswerJudge, document_judge

    if qrels:
        if k or reader or read:
            raise UsageError("--qrels has measures and depths of its own; leave out -k, --reader and --read")
        return document_judge(qrels)
    if read and not reader:
        raise UsageError("--read says how many passages the reader reads; give --reader too")
    return AnswerJudge(tuple(k or DEFAULT_KS), tuple(read or DEFAULT_READ) if reader else ())


def _compare(run: Path, others: Sequence[Path], as_json: bool) -> None:
    from opendpr.evaluation.run import read_run
    from opendpr.evaluation.summary import summary

    if not others:
        raise UsageError(
            f"--compare compares two runs or more, got one, {run}; name another that 'opendpr evaluate -o' "
            "wrote over the same questions"
        )
    _show(summary([read_run(path) for path in (run, *others)]), as_json)


class _WriteRun(Protocol):
    def __call__(self, *, output: Path, on_progress: Callable[[int, int], None]) -> None: ...


def _write_and_show(write: _WriteRun, output: Path | None, as_json: bool) -> None:
    """Write a run, to a place that goes away if none is wanted, and show its figures."""
    from opendpr.evaluation.run import read_run
    from opendpr.evaluation.summary import summary

    with ExitStack() as stack:
        path = output or Path(stack.enter_context(TemporaryDirectory())) / "run.jsonl"
        with progress("evaluating", "questions", silent=as_json) as show:
            write(output=path, on_progress=show)
        _show(summary([read_run(path)]), as_json)


def _show(result: Summary, as_json: bool) -> None:
    from opendpr.evaluation.tables import tables

    if as_json:
        print_json(result.as_json())
    else:
        for text in tables(result):
            put(f"{text}\n")
    for question, problem in result.problems.items():
        say(f"question {question}: {problem}")
