"""One round: what users judged becomes a model, which is judged by questions kept apart from it.

model/improve/state.json      what the round is made of; another round needs a directory of its own
model/improve/learned.jsonl   the questions that are learned from
model/improve/apart.jsonl     those kept apart
model/improve/examples.jsonl  training examples mined from the first
model/improve/encoder/, reader/   trained networks, where there were enough examples
model/improve/collection/     a copy of the collection with the new vectors, until it has been judged
model/improve/before.jsonl, after.jsonl   the runs over the questions kept apart
model/improve/result.json     what came of it; model/improve/lock is held as long as a process works on it
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from opendpr.choices import DEFAULT_RETRIEVER, READ_PASSAGES
from opendpr.collection import Collection, open_collection, open_writer
from opendpr.collection.backup import write_backup
from opendpr.collection.database import DATABASE
from opendpr.collection.judgements import count_questions, judgements, refuse_judging_set
from opendpr.errors import InputError, StateError
from opendpr.evaluation.judges import AnswerJudge
from opendpr.evaluation.run import read_run
from opendpr.evaluation.task import Task, evaluate
from opendpr.fitting.answering import fit_answering, fit_weight_alone
from opendpr.fitting.settings import TooFewAnswersError
from opendpr.improving.deciding import Decision, decide
from opendpr.improving.directory import begin_round, free_directory, round_state
from opendpr.improving.networks import Learned, train_networks
from opendpr.improving.parts import Parts, divide
from opendpr.improving.questions import JudgedQuestions, judged_questions
from opendpr.improving.rounds import Round, working_on
from opendpr.improving.settings import LEAST_QUESTIONS, ImproveSettings
from opendpr.iteration import OnStage
from opendpr.maintenance.encode import encode
from opendpr.model.directory import ROUND_FOLDER, Model, find_model
from opendpr.model.encoder import BertEncoder
from opendpr.model.runtime import RuntimeSettings
from opendpr.search.bm25 import update_bm25
from opendpr.wording import counted

JUDGED_KS = (1, 5, READ_PASSAGES)
"""Depths at which retrieval is judged."""


@dataclass(frozen=True)
class Improvement:
    """What a round made, and what the questions kept apart say of it."""

    model: Path
    """Directory of the new model."""
    before: str
    """Name or directory of the model before, which goes on being used until another is asked for."""
    judged: JudgedQuestions
    parts: Parts
    changes: Mapping[str, str]
    """lambda, confidence, encoder and reader -> what became of it, and why."""
    decision: Decision

    def as_json(self) -> dict[str, Any]:
        """What `opendpr improve --json` prints."""
        return {
            "model": str(self.model),
            "before": self.before,
            "questions": {"learned": len(self.parts.learned), "apart": len(self.parts.apart)},
            "left_out": {reason: len(texts) for reason, texts in self.judged.left_out.items()},
            "changes": dict(self.changes),
            "switch": self.decision.switch,
            "verdict": self.decision.sentence,
            "exact_match": self.decision.exact_match._asdict(),
            "confidence_error": self.decision.confidence_error._asdict(),
            **self.decision.summary.as_json(),
        }


@dataclass(frozen=True)
class _Round:
    """What the steps of a round share."""

    collection: Path
    output: Path
    base: Model
    settings: ImproveSettings
    runtime: RuntimeSettings
    on_progress: OnStage = field(repr=False)

    @property
    def work(self) -> Path:
        return self.output / ROUND_FOLDER

    def stage(self, what: str) -> Callable[[int, int], None]:
        """What reports how far a stage is."""
        return partial(self.on_progress, what)


def improve(
    collection: Path,
    output: Path | None = None,
    *,
    settings: ImproveSettings = ImproveSettings(),
    runtime: RuntimeSettings = RuntimeSettings(),
    on_progress: OnStage = lambda what, done, total: None,
) -> Improvement:
    """Make a model of what was said of a collection's answers, and judge it; the collection stays as it is.

    Run again with the same arguments, it goes on where it was interrupted.

    Args:
        output: directory of the model; None is a new one beside the collection, or that of a round of the same state
        on_progress: called with what is done, how much of it, and of how much

    Raises:
        InputError: there are too few judged questions.
        StateError: there is no such collection, it has no vectors or its model no reader, or `output` is a file, or
            holds anything but a round of the same questions, model and documents.
        CorruptionError: the state of an interrupted round is not readable.
        BusyError: another process works on the same round.
        UsageError: it is a set of collections, which has no judged questions.
    """
    refuse_judging_set(collection)
    with open_collection(collection) as opened:
        judged, parts = _parts(opened)
        base = _base(opened)
        version = [opened.id, *opened.version()]
    state = round_state(version, base, parts)
    target = output or free_directory(collection, state)
    begin_round(target, state, parts)
    with working_on(target):
        changes, decision = _work(_Round(collection, target, base, settings, runtime, on_progress))
        made = Improvement(target, base.reference, judged, parts, changes, decision)
        Round(target, state).write_result(made.as_json())
    return made


def _work(current: _Round) -> tuple[dict[str, str], Decision]:
    """The steps of a round, each unless it was done: what became of the parts of the model, and what to do."""
    base, collection = current.base, current.collection
    _judge(current, collection, base.reference, "before")
    learned = train_networks(
        current.work, collection, base, settings=current.settings, runtime=current.runtime, stage=current.stage
    )
    place = collection if learned.model.fingerprint == base.fingerprint else _encoded_copy(current, learned.model)
    model = _fitted(current, learned, place)
    _judge(current, place, str(model.directory), "after")
    shutil.rmtree(current.work / "collection", ignore_errors=True)
    decision = decide(current.work / "before.jsonl", current.work / "after.jsonl")
    return _changes(base, model, learned), decision


def _parts(collection: Collection) -> tuple[JudgedQuestions, Parts]:
    """The judged questions in two parts; raises InputError, before anything else is read, if there are too few."""
    refuse_few(collection)
    judged = judged_questions(judgements(collection))
    refuse_few_usable(collection, judged)
    parts = divide(judged.questions)
    parts.refuse_few()
    return judged, parts


def _base(collection: Collection) -> Model:
    """The collection's model; raises StateError if it cannot answer, or is another version now."""
    base = find_model(collection.require_encoder().model)
    base.require_reader()
    collection.refuse_other_encoder(base.fingerprint, base.name)
    return base


def refuse_few(collection: Collection) -> None:
    """Raises InputError, before anything is read, if too few questions were judged."""
    count, name = count_questions(collection), collection.directory
    if count < LEAST_QUESTIONS:
        raise InputError(
            f"{name} has {counted(count, 'judged question')}, at least {LEAST_QUESTIONS} are needed to learn something "
            f"and to know whether it helped; judge more at the page of 'opendpr serve {name} --judgements', or with "
            f"'opendpr questions {name} --add FILE'"
        )


def refuse_few_usable(collection: Collection, judged: JudgedQuestions) -> None:
    """Raises InputError if too many of the judged questions teach nothing."""
    if len(judged.questions) < LEAST_QUESTIONS:
        raise InputError(
            f"{counted(len(judged.questions), 'judged question')} of {collection.directory} can be learned from, at "
            f"least {LEAST_QUESTIONS} are needed ({'; '.join(judged.describe())}); judge more"
        )


def _judge(current: _Round, collection: Path, model: str, name: str) -> None:
    """Evaluate a model on the questions kept apart, unless that was done."""
    path = current.work / f"{name}.jsonl"
    if path.exists() and _is_complete(path):
        return
    task = Task([current.work / "apart.jsonl"], [DEFAULT_RETRIEVER], model=model, runtime=current.runtime)
    judge, show = AnswerJudge(JUDGED_KS, (READ_PASSAGES,)), current.stage(f"judging {name}")
    show(0, 0)  # the first questions may take long
    evaluate(collection, task, judge, output=path, on_progress=show)


def _is_complete(path: Path) -> bool:
    try:
        read_run(path)
    except (InputError, StateError):
        return False
    return True


def _encoded_copy(current: _Round, model: Model) -> Path:
    """A copy of the collection encoded by another model, so that the collection answers as before meanwhile."""
    copy = current.work / "collection"
    if (current.work / "after.jsonl").exists() and _is_complete(current.work / "after.jsonl"):
        return copy
    if not (copy / DATABASE).exists():
        with open_collection(current.collection) as opened:
            write_backup(opened, copy)
    with open_writer(copy) as writer:
        encode(writer, BertEncoder(model, current.runtime), on_progress=current.stage("encoding"))
        update_bm25(writer)
    return copy


def _fitted(current: _Round, learned: Learned, collection: Path) -> Model:
    """The model with lambda, weights and confidence fitted on the questions that are learned from."""
    if (current.output / "config.json").exists():
        return Model(current.output)
    kinds = tuple(dict.fromkeys([DEFAULT_RETRIEVER, *current.base.confidence]))
    settings = replace(current.settings.answering, retrievers=kinds)
    questions, model, output = current.work / "learned.jsonl", learned.model, current.output
    runtime, show = current.runtime, current.on_progress
    try:
        return fit_answering(
            collection, questions, model=model, output=output, settings=settings, runtime=runtime, on_progress=show
        )[0]
    except TooFewAnswersError as error:
        encoder, reason = BertEncoder(model, runtime), str(error)
        return fit_weight_alone(collection, questions, encoder=encoder, output=output, reason=reason, on_progress=show)


def _changes(base: Model, model: Model, learned: Learned) -> dict[str, str]:
    """What became of each part of the model."""
    record = model.training_record() or {}
    kept = record.get("answering", {}).get("kept")
    return {
        "lambda": f"{base.hybrid_weight:g} -> {model.hybrid_weight:g}",
        "confidence": f"kept: {kept}" if kept else "fitted",
        "encoder": learned.encoder,
        "reader": learned.reader,
    }
