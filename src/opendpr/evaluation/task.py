"""Running question files: every question through every retriever, and what comes of it into a run."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Protocol

from opendpr import __version__
from opendpr.answering import Answerer, check_question, open_answerer
from opendpr.errors import InputError, StateError, UsageError
from opendpr.evaluation.failures import NOT_RETRIEVED
from opendpr.evaluation.records import AnswerJudgement, DocumentJudgement, QuestionRecord
from opendpr.evaluation.run import Record, key_of, open_run, read_question_records
from opendpr.interop import read_questions
from opendpr.iteration import batched
from opendpr.model.runtime import RuntimeSettings, resolved
from opendpr.search.settings import EngineSettings
from opendpr.storage.compression import uncompressed_name
from opendpr.storage.digests import file_sha256
from opendpr.text import AnswerMatcher, AnswerScan
from opendpr.types import Question

logger = logging.getLogger(__name__)

QUESTIONS_PER_WRITE = 16
"""Questions between two writes of the run: what a kill costs."""


class Judge(Protocol):
    """Retrieves for questions, reads if it is to, and says what each question counts."""

    def settings(self) -> Record:
        """What the figures depend on."""
        ...

    def check(self, name: str, questions: Sequence[Question]) -> None:
        """Raises InputError if there is nothing to judge these questions by."""
        ...

    def __call__(
        self, answerer: Answerer, questions: Sequence[Question]
    ) -> Sequence[AnswerJudgement | DocumentJudgement]:
        """A judgement for each question."""
        ...


@dataclass(frozen=True)
class Task:
    """What to run: questions, through systems, with a model."""

    files: Sequence[Path]
    systems: Sequence[str] = ("hybrid",)
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
    output: Path,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> None:
    """Run a task over a collection into the file `output`, or go on with it.

    Raises:
        StateError: the file is a run with other settings, or the collection changed meanwhile.
        InputError: a question file cannot be read, or cannot be judged.
    """
    sets = read_sets(task.files, task.limit)
    for name, questions in sets.items():
        judge.check(name, questions)
    dense = [system for system in task.systems if system != "bm25"]
    reads = bool(judge.settings().get("read"))
    networks = reads or bool(dense)
    runtime = resolved(task.runtime) if networks else task.runtime
    opened = partial(open_answerer, directory, task.model, runtime=runtime, engine=task.engine)
    answerer = opened(retriever=[*dense, *task.systems][0])
    _warn_of_unknown(answerer, sets)
    header = _header(answerer, task, sets, judge) | _networks(answerer, runtime if networks else None, reads)
    total = len(task.systems) * sum(map(len, sets.values()))
    with open_run(output, header) as run:
        for system in task.systems:
            answerer = opened(retriever=system)
            for name, questions in sets.items():
                for batch in batched(
                    questions, QUESTIONS_PER_WRITE
                ):  # the same batches after a kill: the same sums to the last bit
                    if {(name, question.id, system) for question in batch} <= run.done:
                        continue
                    judgements = judge(answerer, batch)
                    _refuse_change(answerer, header)
                    records = [
                        QuestionRecord(name, system, question, judgement).as_json()
                        for question, judgement in zip(batch, judgements, strict=True)
                    ]
                    run.write([record for record in records if key_of(record) not in run.done])
                    on_progress(len(run.done), total)
        if reads and not run.scanned:
            run.write([{"type": "scan", "absent": _absent(answerer, output, sets)}])


def _warn_of_unknown(answerer: Answerer, sets: Mapping[str, Sequence[Question]]) -> None:
    """Warn of gold documents that the collection does not have: they count as not found."""
    for name, questions in sets.items():
        unknown = [
            id for question in questions for id in question.document_ids if not answerer.collection.has_document(id)
        ]
        if unknown:
            logger.warning(
                "%s: %d gold documents are not in the collection and count as not found, first %r",
                name,
                len(unknown),
                unknown[0],
            )


def read_sets(files: Sequence[Path], limit: int | None = None) -> dict[str, list[Question]]:
    """The questions of each file, under the file's name without its endings.

    Raises:
        UsageError: two files have the same name.
        InputError: a file cannot be read, holds no questions, or has an id twice.
    """
    sets: dict[str, list[Question]] = {}
    for path in files:
        name = uncompressed_name(path).stem
        if name in sets:
            raise UsageError(
                f"two question files are called {name!r}; rename one, the figures are listed under these names"
            )
        sets[name] = list(_checked(path, limit))
        if not sets[name]:
            raise InputError(f"{path} holds no questions")
    return sets


def _checked(path: Path, limit: int | None) -> Iterator[Question]:
    seen: set[str] = set()
    for number, question in enumerate(read_questions(path)):
        if number == limit:
            return
        if question.id in seen:
            raise InputError(f"{path}: the id {question.id!r} is there twice; each question needs its own")
        seen.add(question.id)
        try:
            check_question(question.text)
        except UsageError as error:
            raise InputError(f"{path}: question {question.id!r}: {error}") from None
        yield question


def _networks(answerer: Answerer, runtime: RuntimeSettings | None, reads: bool) -> Record:
    """What ran the networks and which; BM25 without a reader needs none, and no model.

    The fingerprint is the encoder's alone, so a reader and what was fitted for it are named beside it.
    """
    if runtime is None:
        return {"model": None, "runtime": None}
    model = answerer.model
    described = {"name": model.name, "fingerprint": model.fingerprint, "retrieval": dict(model.retrieval)}
    found: Record = {"model": described, "runtime": asdict(runtime)}
    if reads:
        model.require_reader()
        found["reader"] = {"sha256": file_sha256(model.weights_path("reader")), "confidence": model.confidence}
    return found


def _header(answerer: Answerer, task: Task, sets: dict[str, list[Question]], judge: Judge) -> Record:
    collection = answerer.collection
    counts = collection.counts()
    paths = {uncompressed_name(path).stem: path for path in task.files}
    return {
        "opendpr": __version__,
        "collection": {
            "name": collection.directory.resolve().name,
            "id": collection.id,
            **collection.version()._asdict(),
            "documents": counts["documents"],
            "passages": counts["passages"],
        },
        "sets": {
            name: {"file": paths[name].name, "sha256": file_sha256(paths[name]), "questions": len(questions)}
            for name, questions in sets.items()
        },
        "systems": list(task.systems),
        "limit": task.limit,
        **({"index": task.engine.address} if task.engine else {}),
        **judge.settings(),
    }


def _refuse_change(answerer: Answerer, header: Record) -> None:
    if answerer.collection.version()._asdict().items() - header["collection"].items():
        raise StateError(
            f"{answerer.collection.directory} was changed while it was being evaluated; "
            "once nothing changes it, evaluate it again with another -o"
        )


def _absent(answerer: Answerer, output: Path, sets: dict[str, list[Question]]) -> dict[str, list[str]]:
    """Questions, by set, whose answer no system retrieved and no passage of the collection holds."""
    wanted: set[tuple[str, str]] = set()
    retrieved: set[tuple[str, str]] = set()
    for record in read_question_records(output):
        if isinstance(record.judgement, AnswerJudgement):
            key = record.set, record.question.id
            if record.judgement.answer_ranks:
                retrieved.add(key)
            if any(answer.failure == NOT_RETRIEVED for answer in record.judgement.read.values()):
                wanted.add(key)
    asked = {(name, question.id): question for name, questions in sets.items() for question in questions}
    matchers = {key: AnswerMatcher(asked[key].answers, asked[key].match) for key in sorted(wanted - retrieved)}
    logger.info("looking for the answers of %d questions in every passage", len(matchers))
    missing = AnswerScan(matchers).look_through(_texts(answerer))
    return {name: [id for set_, id in sorted(missing) if set_ == name] for name in sets}


def _texts(answerer: Answerer) -> Iterator[str]:
    hidden = set(answerer.collection.hidden().tolist())
    for passage in answerer.collection.passages_after(0):
        if passage.number not in hidden:
            yield passage.text
