"""`opendpr evaluate`: how good retrieval and answers are, and how sure that is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Any

from typer import Argument, Option, echo

from opendpr.cli.options import (
    DeviceOption,
    Devices,
    IndexOption,
    ModelOption,
    PrecisionOption,
    Precisions,
    Retrievers,
    RuntimeOption,
    Runtimes,
    engine_settings,
)
from opendpr.cli.output import print_json, progress, say
from opendpr.errors import UsageError

if TYPE_CHECKING:
    from opendpr.evaluation.task import Judge

KS = (1, 5, 20, 100)
READ = (10, 20)


def evaluate(
    collection: Annotated[Path, Argument(help="A collection; with --compare a run.", show_default=False)],
    questions: Annotated[
        list[Path] | None,
        Argument(help="Question files; with --compare more runs.", show_default=False),
    ] = None,
    retriever: Annotated[
        list[Retrievers] | None,
        Option("--retriever", "-r", help="How passages are found; again for several systems.", show_default="hybrid"),
    ] = None,
    k: Annotated[
        list[int] | None,
        Option("-k", min=1, max=10_000, help="Passages retrieved; again for several.", show_default="1, 5, 20, 100"),
    ] = None,
    reader: Annotated[bool, Option("--reader", help="Answer too: exact match and F1.")] = False,
    read: Annotated[
        list[int] | None,
        Option("--read", "-n", min=1, max=10_000, help="Passages read; again for several.", show_default="10, 20"),
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
    precision: PrecisionOption = Precisions.auto,
    runtime: RuntimeOption = Runtimes.auto,
    device: DeviceOption = Devices.auto,
    as_json: Annotated[bool, Option("--json", help="Write one JSON object.")] = False,
) -> None:
    """Measure retrieval, and answers with --reader, by questions whose answers or documents are known.

    \b
    Examples:
      opendpr evaluate notes questions.jsonl -r dense -r bm25 -r hybrid -o run.jsonl
      opendpr evaluate notes questions.jsonl --reader --read 10 --read 50
      opendpr evaluate notes queries.jsonl --qrels qrels.txt
      opendpr evaluate --compare run.jsonl other.jsonl
    """
    from opendpr.collection import open_collection
    from opendpr.evaluation.run import read_run
    from opendpr.evaluation.summary import summary
    from opendpr.evaluation.task import Task
    from opendpr.evaluation.task import evaluate as run_task
    from opendpr.model.runtime import RuntimeSettings

    if compare:
        if retriever or k or reader or read or qrels or limit or output or index:
            raise UsageError("--compare takes runs and --json alone; all else is settled in the runs")
        if not questions:
            raise UsageError(
                f"--compare compares two runs or more, got one, {collection}; name another that 'opendpr evaluate -o' "
                "wrote over the same questions"
            )
        _show(summary([read_run(path) for path in (collection, *questions)]), as_json)
        return
    if not questions:
        raise UsageError(f"no file of questions was given to evaluate {collection} with; name one after it")
    open_collection(collection).close()  # before the questions: arguments are judged in their order
    judge = _judge(k, reader, read, qrels)
    systems = list(dict.fromkeys(kind.value for kind in retriever or [Retrievers.hybrid]))
    settings = RuntimeSettings(runtime.value, precision.value, device.value)
    with ExitStack() as stack:
        path = output or Path(stack.enter_context(TemporaryDirectory())) / "run.jsonl"
        show = stack.enter_context(progress("evaluating", "questions"))
        run_task(
            collection,
            Task(questions, systems, limit, model, settings, engine_settings(index, allow_partial=False)),
            judge,
            path,
            show,
        )
        _show(summary([read_run(path)]), as_json)


def _judge(k: Sequence[int] | None, reader: bool, read: Sequence[int] | None, qrels: Path | None) -> Judge:
    from opendpr.evaluation.judges import AnswerJudge, DocumentJudge, read_judgements
    from opendpr.storage.digests import file_sha256

    if qrels:
        if k or reader or read:
            raise UsageError("--qrels has measures and depths of its own; leave out -k, --reader and --read")
        return DocumentJudge(read_judgements(qrels), f"{qrels.name} {file_sha256(qrels)}")
    if read and not reader:
        raise UsageError("--read says how many passages the reader reads; give --reader too")
    return AnswerJudge(tuple(k or KS), tuple(read or READ) if reader else ())


def _show(found: Mapping[str, Any], as_json: bool) -> None:
    from opendpr.evaluation.tables import tables

    if as_json:
        print_json(found)
    else:
        for text in tables(found):
            echo(f"{text}\n")
    for question, problem in found["problems"].items():
        say(f"question {question}: {problem}")
