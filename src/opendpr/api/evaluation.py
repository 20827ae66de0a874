"""How good retrieval and answers are: question files or objects to figures, comparisons and a page."""

from __future__ import annotations

import atexit
import itertools
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeAlias

from opendpr.api.arguments import check_retriever, depths
from opendpr.api.located import located
from opendpr.api.opened import OpenCollection
from opendpr.choices import DEFAULT_RETRIEVER
from opendpr.collection import open_collection
from opendpr.collection.swapped import refuse_swapped
from opendpr.errors import UsageError
from opendpr.evaluation import task
from opendpr.evaluation.judges import DEFAULT_KS, AnswerJudge, document_judge
from opendpr.evaluation.report import write_report
from opendpr.evaluation.run import read_run
from opendpr.evaluation.summary import Summary, summary
from opendpr.evaluation.tables import tables
from opendpr.interop import write_questions
from opendpr.interop.question_sets import Questions, files_or_objects
from opendpr.model.runtime import RuntimeSettings

Files: TypeAlias = str | os.PathLike[str]
_run_numbers = itertools.count(1)


def evaluate(
    collection: str | os.PathLike[str] | OpenCollection,
    questions: Questions,
    *,
    systems: str | Sequence[str] = (DEFAULT_RETRIEVER,),
    k: int | Sequence[int] = DEFAULT_KS,
    read: int | Sequence[int] = (),
    qrels: Files | None = None,
    output: Files | None = None,
) -> Evaluation:
    """Put questions with known answers or documents to a collection, and measure what it gives.

    Args:
        collection: a path; or an opened one, whose model and runtime are used
        questions: files, or questions with answers or gold documents; answers may be patterns
        systems: of `dense`, `bm25` and `hybrid`
        k: one or several depths at which top-k accuracy is measured (paper section 5)
        read: one or several numbers of passages read, for exact match and F1 (paper section 6); none without the reader
        qrels: judgements of documents as TREC writes them, for MAP, nDCG, recall and MRR
        output: where the run is kept; interrupted, the same call goes on from there. None keeps it until the
            process ends.

    Raises:
        InputError: the questions cannot be read, or there is nothing to judge them by.
        StateError: there is no such collection, or `output` is a run with other settings.
        UsageError: there is no such system, or `k` or `read` is given with `qrels`.
    """
    refuse_swapped(collection, questions, "opendpr.evaluate('{collection}', '{questions}')")
    chosen = _chosen(systems)
    judge = _judge(depths(k, "k"), depths(read, "read"), qrels)
    opened = collection if isinstance(collection, OpenCollection) else None
    model, runtime = (opened.model, opened.runtime) if opened is not None else (None, RuntimeSettings())
    directory = located(Path(collection), model, runtime)
    open_collection(directory).close()  # before the questions: arguments are judged in their order
    path = Path(output) if output is not None else _kept_until_exit()
    with _files(questions) as files:
        task.evaluate(directory, task.Task(files, chosen, model=model, runtime=runtime), judge, output=path)
    return Evaluation([path])


def _chosen(systems: str | Sequence[str]) -> list[str]:
    """Each system once; raises UsageError if there is no such system."""
    chosen = [systems] if isinstance(systems, str) else list(dict.fromkeys(systems))
    for system in chosen:
        check_retriever(system)
    return chosen


def _judge(k: tuple[int, ...], read: tuple[int, ...], qrels: Files | None) -> task.Judge:
    if qrels is None:
        return AnswerJudge(k, read)
    if read or k != DEFAULT_KS:
        raise UsageError("qrels has measures and depths of its own; leave out k and read")
    return document_judge(Path(qrels))


def _kept_until_exit() -> Path:
    """A new file for a run, under a name of its own: runs that are compared need different ones."""
    folder = tempfile.mkdtemp(prefix="opendpr-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder) / f"run{next(_run_numbers)}.jsonl"


@contextmanager
def _files(questions: Questions) -> Iterator[list[Path]]:
    """The question files; questions that are given as objects are in one called `questions.jsonl`."""
    paths, objects = files_or_objects(questions)
    if not objects:
        yield paths
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "questions.jsonl"
        write_questions(path, objects, "jsonl")
        yield [path]


class Evaluation:
    """One run, or several over the same questions: figures with 95 % intervals, and what differs.

    With several runs a system is called `run:system`, by the names of their files.
    """

    def __init__(self, paths: Sequence[Files]) -> None:
        """Read runs that `evaluate` or `opendpr evaluate -o` wrote.

        Raises:
            InputError: a file is not a run.
            StateError: a run was interrupted, or the runs are not over the same questions.
            UsageError: two runs have the same name.
        """
        self.paths = [Path(path) for path in paths]
        self._summary = summary([read_run(path) for path in self.paths])

    def summary(self) -> Summary:
        """All figures, differences and counts of wrong answers; its `as_json()` gives them as plain values."""
        return self._summary

    def figure(self, measure: str, system: str | None = None) -> float:
        """The mean of a measure, as `answer@20` or `EM@20`, in [0, 1].

        Args:
            system: may be left out if there is one alone

        Raises:
            UsageError: there is no such figure, or several.
        """
        figures = [figure for result in self._summary.sets.values() for figure in result.figures]
        means = [
            figure.value.mean for figure in figures if figure.measure == measure and system in (None, figure.system)
        ]
        if len(means) != 1:
            names = ", ".join(dict.fromkeys(f"{figure.measure} of {figure.system}" for figure in figures))
            raise UsageError(f"{len(means)} figures are {measure} of {system or 'any system'}; there are {names}")
        return means[0]

    def table(self) -> str:
        """Figures, differences and reasons of wrong answers, as `opendpr evaluate` shows them."""
        return "\n\n".join(tables(self._summary))

    def compare(self, *others: Evaluation | Files) -> Evaluation:
        """These runs and others side by side, each pair of systems with its difference and p.

        Args:
            others: or the files of runs
        """
        paths = list(self.paths)
        for other in others:
            paths += other.paths if isinstance(other, Evaluation) else [Path(other)]
        if len(paths) < 2:
            raise UsageError("a comparison needs another run; give an evaluation or the file of one")
        return Evaluation(paths)

    def report(self, path: Files) -> Path:
        """Write one HTML page with curves, tables and examples; returns its path.

        Raises:
            UsageError: the name does not end in `.html`.
        """
        output = Path(path)
        write_report(self.paths, output)
        return output

    def __str__(self) -> str:
        return self.table()

    def __repr__(self) -> str:
        return f"Evaluation({', '.join(path.name for path in self.paths)})"
