"""Runs of other systems over a collection of ours, judged and written as `opendpr evaluate` judges and writes.

So the same tools compare them, make pages of them and say why an answer is wrong.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import NamedTuple, Protocol

from experiments.common.command import command_line
from experiments.paper.evaluate import QUESTION_SETS
from opendpr import __version__
from opendpr.collection import Collection
from opendpr.evaluation.header import ModelHeader, ReaderHeader, RunHeader, SetHeader
from opendpr.evaluation.judges import AnswerJudge, judge_answer
from opendpr.evaluation.records import AnswerJudgement, QuestionRecord, ReadAnswer
from opendpr.evaluation.run import open_run
from opendpr.evaluation.task import QUESTIONS_PER_WRITE, absent_answers, collection_header, read_sets
from opendpr.interop import source_label, source_name, source_sha256
from opendpr.iteration import batched
from opendpr.model.directory import Model
from opendpr.model.runtime import RuntimeSettings, resolved
from opendpr.protocols import Reader, Retriever
from opendpr.storage.digests import file_sha256
from opendpr.types import Hit, Outcome, Question, Span

RETRIEVED_PASSAGES = 100
"""Passages that a system that retrieves lists for a question."""


def system_command_line(description: str | None, *, pool: str = "P25", limit: int = 60) -> argparse.ArgumentParser:
    """The command line of a script that runs systems."""
    parser = command_line(description, pool=pool, half=True)
    parser.add_argument("--sets", nargs="+", choices=QUESTION_SETS, default=QUESTION_SETS, help="of questions")
    parser.add_argument("--limit", type=int, default=limit, help="questions of each set")
    parser.add_argument("--passages", type=int, default=20, help="read for a question")
    return parser


def digest(*parts: object) -> str:
    """Tells apart the names of what is made in other ways."""
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:8]


def question_files(args: argparse.Namespace) -> list[Path]:
    """A file of each set with the half of the command line."""
    return [args.data.write_questions(name, args.half, args.work / f"systems-{args.half}") for name in args.sets]


class Attempt(NamedTuple):
    """What a system makes of a question."""

    hits: Sequence[Hit]
    """Passages, best first; none where a system retrieves nothing."""
    outcome: Outcome


class System(Protocol):
    """Answers questions in its own way."""

    def attempt(self, questions: Sequence[str]) -> list[Attempt]:
        """What it makes of each question."""
        ...


@dataclass(frozen=True)
class ReadingSystem:
    """A retriever, a reader and what makes answers of spans (paper section 6).

    Args:
        passages: read for a question
        decode: from the spans of a question to its answers
    """

    retriever: Retriever
    reader: Reader
    passages: int
    decode: Callable[[Sequence[Span]], Outcome]

    def attempt(self, questions: Sequence[str]) -> list[Attempt]:
        """The passages of each question, and the answers read in the first of them."""
        lists = self.retriever.retrieve(questions, max(self.passages, RETRIEVED_PASSAGES))
        spans = self.reader.read(questions, [hits[: self.passages] for hits in lists])
        return [Attempt(hits, self.decode(own)) for hits, own in zip(lists, spans, strict=True)]


@dataclass(frozen=True)
class SystemTask:
    """What systems are run on.

    Args:
        limit: questions of each file, from its beginning
        read: passages that systems read for a question, which the measures are named by
        model: whose reader, or encoder, systems have; None where they have neither
    """

    files: Sequence[Path]
    limit: int
    read: int
    model: Model | None = None
    runtime: RuntimeSettings = field(default_factory=RuntimeSettings)


def run_systems(collection: Collection, systems: Mapping[str, System], task: SystemTask, *, output: Path) -> Path:
    """Write the run of systems, by name, or go on with it; returns its path.

    Raises:
        StateError: the file is a run with other settings.
    """
    sets = read_sets(task.files, task.limit)
    judge = AnswerJudge(read=(task.read,))
    with open_run(output, _header(collection, systems, task, sets)) as run:
        for name, system in systems.items():
            for label, questions in sets.items():
                for batch in batched(questions, QUESTIONS_PER_WRITE):
                    if all((label, question.id, name) in run.done for question in batch):
                        continue
                    attempts = system.attempt([question.text for question in batch])
                    run.write(
                        QuestionRecord(label, name, question, _judged(collection, judge, question, attempt))
                        for question, attempt in zip(batch, attempts, strict=True)
                    )
        if not run.scanned:
            run.write_scan(absent_answers(collection, output, sets))
    return output


def _judged(collection: Collection, judge: AnswerJudge, question: Question, attempt: Attempt) -> AnswerJudgement:
    ids = collection.passage_ids([hit.passage for hit in attempt.hits])
    return judge.judge_hits(
        question, attempt.hits, ids=ids, read=partial(_answer, question, attempt, ids, judge.read[0])
    )


def _answer(
    question: Question, attempt: Attempt, ids: Mapping[int, str], read: int, holding: Sequence[int]
) -> dict[int, ReadAnswer]:
    answer = judge_answer(question, attempt.outcome, hits=attempt.hits, ids=ids, holding=holding, read=read)
    return {read: answer}


def _header(
    collection: Collection, systems: Mapping[str, System], task: SystemTask, sets: Mapping[str, Sequence[Question]]
) -> RunHeader:
    files = {source_name(path): path for path in task.files}
    model, encoder, reader = task.model, None, None
    if model:
        encoder = ModelHeader(model.name, model.fingerprint, dict(model.retrieval))
        reader = ReaderHeader(file_sha256(model.weights_path("reader")), {})
    return RunHeader(
        opendpr=__version__,
        collection=collection_header(collection),
        sets={
            name: SetHeader(source_label(files[name]), source_sha256(files[name]), len(questions))
            for name, questions in sets.items()
        },
        systems=list(systems),
        limit=task.limit,
        judging=AnswerJudge(read=(task.read,)).settings(),
        model=encoder,
        runtime=resolved(task.runtime) if model else None,
        reader=reader,
    )
