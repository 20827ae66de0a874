"""Runs question files: every question through every retriever, with its judgement written to a run."""

from __future__ import annotations

import logging
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

from opendpr import __version__
from opendpr.answering import Answerer, check_question, open_answerer
from opendpr.choices import DEFAULT_RETRIEVER, needs_vectors
from opendpr.collection import Collection
from opendpr.collection.lookup import served_passages
from opendpr.errors import InputError, StateError, UsageError
from opendpr.evaluation.failures import NOT_RETRIEVED
from opendpr.evaluation.header import (
    AnswerSettings,
    CollectionHeader,
    DocumentSettings,
    ModelHeader,
    ReaderHeader,
    RunHeader,
    SetHeader,
)
from opendpr.evaluation.records import AnswerJudgement, DocumentJudgement, QuestionRecord
from opendpr.evaluation.run import open_run, read_question_records
from opendpr.interop import read_questions, source_label, source_name, source_sha256
from opendpr.iteration import OnProgress, batched
from opendpr.model.runtime import RuntimeSettings, resolved
from opendpr.search.settings import EngineSettings, SearchSettings
from opendpr.storage.digests import file_sha256
from opendpr.text import AnswerMatcher, AnswerScan
from opendpr.types import Question
from opendpr.wording import counted

logger = logging.getLogger(__name__)

QUESTIONS_PER_WRITE = 16
"""Questions between two writes of the run: the most that a kill costs."""


class Judge(Protocol):
    """Retrieves passages for questions, reads them if asked to, and judges what came of it."""

    def settings(self) -> AnswerSettings | DocumentSettings:
        """What the figures depend on."""
        ...

    def check(self, name: str, questions: Sequence[Question]) -> None:
        """Raises InputError if there is nothing to judge these questions by."""
        ...

    def __call__(
        self, answerer: Answerer, questions: Sequence[Question], *, retriever: str
    ) -> Sequence[AnswerJudgement | DocumentJudgement]:
        """A judgement for each question, whose passages that retriever finds."""
        ...


@dataclass(frozen=True)
class Task:
    """What to run: questions, through systems, with a model."""

    files: Sequence[Path]
    systems: Sequence[str] = (DEFAULT_RETRIEVER,)
    limit: int | None = None
    """Questions of each file, from its beginning; None is all."""
    model: str | None = None
    """None is the collection's."""
    runtime: RuntimeSettings = field(default_factory=RuntimeSettings)
    engine: EngineSettings | None = None
    """Finds candidates by vectors; None means what lies beside the collection."""


def evaluate(
    directory: Path,
    task: Task,
    judge: Judge,
    *,
    output: Path,
    on_progress: OnProgress = lambda done, total: None,
) -> None:
    """Run a task over a collection into the file `output`, or go on with it.

    Raises:
        StateError: the file is a run with other settings, or the collection changed meanwhile.
        InputError: a question file cannot be read, or cannot be judged.
    """
    sets = _sets_to_judge(task, judge)
    dense = [system for system in task.systems if needs_vectors(system)]
    settings = judge.settings()
    reads = isinstance(settings, AnswerSettings) and bool(settings.read)
    networks = reads or bool(dense)
    runtime = resolved(task.runtime) if networks else task.runtime
    first = [*dense, *task.systems][0]
    search = SearchSettings(engine=task.engine)
    answerer = open_answerer(directory, task.model, retriever=first, runtime=runtime, search=search)
    _warn_of_unknown(answerer, sets)
    header = _header(answerer, task, sets, settings)
    if networks:
        header = _with_networks(header, answerer, runtime)
    total = len(task.systems) * header.questions
    with open_run(output, header) as run:
        for system in task.systems:
            for name, batch in _batches_to_judge(sets, system, run.done):
                judgements = judge(answerer, batch, retriever=system)
                refuse_change(answerer.collection, header)
                run.write(
                    QuestionRecord(name, system, question, judgement)
                    for question, judgement in zip(batch, judgements, strict=True)
                )
                on_progress(len(run.done), total)
        if header.read and not run.scanned:
            run.write_scan(absent_answers(answerer.collection, output, sets))


def _sets_to_judge(task: Task, judge: Judge) -> dict[str, list[Question]]:
    """The questions of the task; raises InputError if there is nothing to judge those of a file by."""
    sets = read_sets(task.files, task.limit)
    for name, questions in sets.items():
        judge.check(name, questions)
    return sets


def _batches_to_judge(
    sets: Mapping[str, Sequence[Question]], system: str, done: Container[tuple[str, str, str]]
) -> Iterator[tuple[str, list[Question]]]:
    """Yield questions that are judged together, with the name of their set, unless the run has them all.

    They are the same after a kill: other batches would give other sums in the last bit.

    Args:
        done: set, question and system of each record that the run has
    """
    for name, questions in sets.items():
        for batch in batched(questions, QUESTIONS_PER_WRITE):
            if not all((name, question.id, system) in done for question in batch):
                yield name, batch


def _warn_of_unknown(answerer: Answerer, sets: Mapping[str, Sequence[Question]]) -> None:
    """Warn of gold documents that the collection does not have: they count as not found."""
    for name, questions in sets.items():
        unknown = [
            id for question in questions for id in question.document_ids if not answerer.collection.has_document(id)
        ]
        if unknown:
            logger.warning(
                "%s: the collection lacks %s, which no system can find, first %r",
                name,
                counted(len(unknown), "gold document"),
                unknown[0],
            )


def read_sets(files: Sequence[Path], limit: int | None = None) -> dict[str, list[Question]]:
    """The questions of each file, under the file's name without its endings.

    Raises:
        UsageError: two files have the same name.
        InputError: there is no file, or one cannot be read, holds no questions, or has an id twice.
    """
    if not files:
        raise InputError("no questions were given; give at least one, with its answers or documents")
    sets: dict[str, list[Question]] = {}
    for path in files:
        name = source_name(path)
        if name in sets:
            raise UsageError(
                f"two question files are called {name!r}; rename one, the figures are listed under these names"
            )
        sets[name] = list(_checked(path, limit))
        if not sets[name]:
            raise InputError(f"{path} holds no questions; give a file that has some")
    return sets


def _checked(path: Path, limit: int | None) -> Iterator[Question]:
    ids: set[str] = set()
    for number, question in enumerate(read_questions(path)):
        if number == limit:
            return
        if question.id in ids:
            raise InputError(f"{path}: the id {question.id!r} is there twice; each question needs its own")
        ids.add(question.id)
        try:
            check_question(question.text)
        except UsageError as error:
            raise InputError(f"{path}: question {question.id!r}: {error}") from None
        yield question


def _with_networks(header: RunHeader, answerer: Answerer, runtime: RuntimeSettings) -> RunHeader:
    """The header with the networks, and what runs them."""
    model, reader = answerer.model, None
    if header.read:
        model.require_reader()
        reader = ReaderHeader(file_sha256(model.weights_path("reader")), dict(model.confidence))
    encoder = ModelHeader(model.name, model.fingerprint, dict(model.retrieval))
    return replace(header, model=encoder, runtime=runtime, reader=reader)


def _header(
    answerer: Answerer, task: Task, sets: dict[str, list[Question]], settings: AnswerSettings | DocumentSettings
) -> RunHeader:
    """The header of a run without networks."""
    paths = {source_name(path): path for path in task.files}
    return RunHeader(
        opendpr=__version__,
        collection=collection_header(answerer.collection),
        sets={
            name: SetHeader(source_label(paths[name]), source_sha256(paths[name]), len(questions))
            for name, questions in sets.items()
        },
        systems=list(task.systems),
        limit=task.limit,
        judging=settings,
        index=task.engine.address if task.engine else None,
    )


def collection_header(collection: Collection) -> CollectionHeader:
    """The collection as it is now."""
    counts = collection.counts()
    return CollectionHeader(
        collection.directory.resolve().name,
        collection.id,
        *collection.version(),
        documents=counts["documents"],
        passages=counts["passages"],
    )


def refuse_change(collection: Collection, header: RunHeader) -> None:
    """Raises StateError if a collection is no longer as the header of its run says."""
    then = header.collection
    if then is None or collection.version() != (then.version, then.commit_id):
        raise StateError(
            f"{collection.directory} was changed while it was being evaluated; "
            "once nothing changes it, evaluate it again with another -o"
        )


def absent_answers(
    collection: Collection, output: Path, sets: Mapping[str, Sequence[Question]]
) -> dict[str, list[str]]:
    """Questions of a run, by set, whose answer no system retrieved and no passage of the collection holds."""
    wanted: set[tuple[str, str]] = set()
    retrieved: set[tuple[str, str]] = set()
    for record in read_question_records(output):
        if isinstance(record.judgement, AnswerJudgement):
            key = record.set, record.question.id
            if record.judgement.answer_ranks:
                retrieved.add(key)
            if any(answer.failure == NOT_RETRIEVED for answer in record.judgement.read.values()):
                wanted.add(key)
    by_key = {(name, question.id): question for name, questions in sets.items() for question in questions}
    matchers = {key: AnswerMatcher(by_key[key].answers, by_key[key].match) for key in sorted(wanted - retrieved)}
    logger.info("looking for the answers of %s in every passage", counted(len(matchers), "question"))
    missing = AnswerScan(matchers).look_through(passage.text for passage in served_passages(collection))
    return {name: [id for set_, id in sorted(missing) if set_ == name] for name in sets}
