"""Fitting what makes answers of passages and spans: lambda, the weights of decoding, confidence and threshold.

All of it is chosen on questions whose answers are known, and none of it changes a network: the collections of a
model stay valid.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path

from opendpr.answering.asked_question import asked_question
from opendpr.answering.borders import BorderReader
from opendpr.answering.decoding import Decoding
from opendpr.choices import needs_vectors
from opendpr.collection import Collection, opened_collection
from opendpr.collection.swapped import refuse_swapped
from opendpr.errors import UsageError
from opendpr.fitting.cases import Case, count_cases, read_cases
from opendpr.fitting.confidence import FEWEST_ANSWERS, fit_confidence
from opendpr.fitting.decoding import FEWEST_RIGHT_QUESTIONS, fit_decoding
from opendpr.fitting.figures import FittingFigures
from opendpr.fitting.fitted import Fitted, write_fitted
from opendpr.fitting.hybrid import fit_lambda
from opendpr.fitting.settings import AnsweringSettings, TooFewAnswersError
from opendpr.interop import Questions, question_sets
from opendpr.iteration import OnStage
from opendpr.model.directory import Model, find_model, refuse_used
from opendpr.model.encoder import BertEncoder
from opendpr.model.reader import BertReader
from opendpr.model.runtime import RuntimeSettings, resolved
from opendpr.protocols import Retriever
from opendpr.search.copies import DistinctRetriever
from opendpr.search.live import LiveSnapshot
from opendpr.search.retrievers import make_retriever
from opendpr.storage.digests import file_sha256
from opendpr.types import Question
from opendpr.wording import counted


def fit_answering(
    collection: str | Path | Collection,
    questions: Questions,
    *,
    model: str | Path | Model | None = None,
    output: str | Path | None = None,
    settings: AnsweringSettings = AnsweringSettings(),
    runtime: RuntimeSettings = RuntimeSettings(),
    on_progress: OnStage = lambda what, done, total: None,
) -> tuple[Model, Fitted]:
    """Fit what answers are chosen by, and how sure they are; write a model with it.

    Args:
        collection: documents that hold the answers, encoded by the model
        questions: with answers; one without is known to have none in the collection
        model: a model with a reader, its directory or its package; without, the collection's
        output: the directory to write; without, the model's own
        runtime: what runs the networks
        on_progress: called with what is done, how much of it, and of how much

    Returns:
        The model with what was fitted, and what was fitted with its figures on these questions.

    Raises:
        TooFewAnswersError: there are too few right or wrong answers to tell them apart.
        StateError: the model has no reader, the collection was encoded by another, or `output` holds a model.
        UsageError: the model is an installed package and `output` is not given.
    """
    refuse_swapped(collection, questions, "opendpr.fit_answering('{collection}', '{questions}')")
    with opened_collection(collection) as opened:
        sets, data = _read(questions)
        refuse_too_few(sets, settings)
        base = model if isinstance(model, Model) else find_model(str(model or opened.require_encoder().model))
        target = _target(base, Path(output) if output is not None else None)
        fitted = fit(opened, sets, base, settings=settings, runtime=resolved(runtime), on_progress=on_progress)
    return write_fitted(base, target, fitted, {"data": data, "settings": asdict(settings)}), fitted


def fit_weight_alone(
    collection: Path,
    questions: Questions,
    *,
    encoder: BertEncoder,
    output: Path,
    reason: str,
    on_progress: OnStage = lambda what, done, total: None,
) -> Model:
    """Fit lambda alone, where answers are too few for the rest; write a model that chooses answers as before.

    Args:
        encoder: that of the model, and of the collection
        reason: why the rest is kept, for the record
    """
    sets, data = _read(questions)
    model = encoder.model
    with opened_collection(collection) as opened:
        opened.refuse_other_encoder(model.fingerprint, model.name)
        weight, ranks = _fit_weight(LiveSnapshot(opened), encoder, sets, on_progress)
    fitted = Fitted({**model.retrieval, "lambda": weight}, model.confidence, FittingFigures(None, {}, ranks))
    return write_fitted(model, _target(model, output), fitted, {"data": data, "kept": reason})


def fit(
    collection: Collection,
    sets: Mapping[str, Sequence[Question]],
    model: Model,
    *,
    settings: AnsweringSettings,
    runtime: RuntimeSettings = RuntimeSettings(),
    on_progress: OnStage = lambda what, done, total: None,
) -> Fitted:
    """Fit all that a model needs to answer from retrieved passages, and write nothing.

    Args:
        sets: questions by the name of their file, for which figures are given each by itself
    """
    reader = BorderReader(collection, BertReader(model, runtime))
    live = LiveSnapshot(collection)
    encoder = BertEncoder(model, runtime) if any(map(needs_vectors, settings.retrievers)) else None
    retrieval, ranks = dict(model.retrieval), dict[float, float]()
    if encoder is not None:
        collection.refuse_other_encoder(model.fingerprint, model.name)
    if "hybrid" in settings.retrievers and encoder is not None:
        retrieval["lambda"], ranks = _fit_weight(live, encoder, sets, on_progress)
    retrievers = make_retrievers(live, encoder, settings.retrievers, retrieval.get("lambda", 1.0))
    cases: dict[str, list[Case]] = {kind: [] for kind in retrievers}
    for name, questions in sets.items():
        ask = partial(asked_question, live=live)
        read = read_cases(questions, retrievers, reader, settings=settings, on_progress=on_progress, ask=ask)
        for kind, own in read.items():
            cases[kind] += [case._replace(set=name) for case in own]
    return fit_cases(cases, settings, retrieval, reciprocal_ranks=ranks)


def _fit_weight(
    live: LiveSnapshot, encoder: BertEncoder, sets: Mapping[str, Sequence[Question]], on_progress: OnStage
) -> tuple[float, dict[float, float]]:
    """Lambda, and the mean reciprocal rank of each that was tried, on the questions of all sets."""
    every = [question for questions in sets.values() for question in questions]
    judged = [question for question in every if question.answers or question.document_ids]
    return fit_lambda(live, encoder, judged, lambda done, total: on_progress("searching", done, total))


def refuse_too_few(sets: Mapping[str, Sequence[Question]], settings: AnsweringSettings) -> None:
    """Raises TooFewAnswersError if questions are too few to fit anything, whatever would be read for them."""
    every = [question for questions in sets.values() for question in questions]
    judged = sum(bool(question.answers) for question in every)
    if judged < FEWEST_RIGHT_QUESTIONS:
        raise TooFewAnswersError(
            f"{judged:,} of {counted(len(every), 'question')} have an answer, at least {FEWEST_RIGHT_QUESTIONS} are "
            "needed to fit what answers are chosen by; give more questions with their answers"
        )
    cases = sum(count_cases(questions, settings) for questions in sets.values())
    if cases < 2 * FEWEST_ANSWERS:
        raise TooFewAnswersError(
            f"{counted(len(every), 'question')} would be answered {cases:,} times, which is too few for "
            f"{FEWEST_ANSWERS} right and {FEWEST_ANSWERS} wrong answers, as a confidence needs; give more questions"
        )


def fit_cases(
    cases: Mapping[str, Sequence[Case]],
    settings: AnsweringSettings,
    retrieval: Mapping[str, float],
    *,
    reciprocal_ranks: Mapping[float, float] | None = None,
) -> Fitted:
    """Fit decoding and confidence on what was read for questions, of one collection or of several.

    Args:
        cases: by retriever; the decoding weights are fitted for the first of the settings
        retrieval: the `retrieval` block of a model, with the lambda to use
        reciprocal_ranks: by lambda, for the figures
    """
    fitted = fit_decoding(cases[settings.retrievers[0]], retrieval)
    decoding = Decoding.from_weights(fitted.retrieval)
    sure = {kind: fit_confidence(own, decoding, settings) for kind, own in cases.items()}
    figures = FittingFigures(fitted.figures, {kind: own.figures for kind, own in sure.items()}, reciprocal_ranks or {})
    return Fitted(fitted.retrieval, {kind: own.weights for kind, own in sure.items()}, figures)


def make_retrievers(
    live: LiveSnapshot, encoder: BertEncoder | None, kinds: Sequence[str], weight: float
) -> dict[str, Retriever]:
    """Retrievers by kind, all over one snapshot; hybrid with this lambda."""
    return {
        kind: DistinctRetriever(make_retriever(kind, live, encoder, weight=weight))
        for kind in kinds
        if not needs_vectors(kind) or encoder is not None
    }


def read_sets(questions: Questions) -> dict[str, list[Question]]:
    """Questions by the name of their file; raises as `question_sets`."""
    return _read(questions)[0]


def _read(questions: Questions) -> tuple[dict[str, list[Question]], list[dict[str, object]]]:
    """Questions by their file, and what a record says of where they come from."""
    by_name: dict[str, list[Question]] = {}
    records: list[dict[str, object]] = []
    for path, read in question_sets(questions):
        by_name.setdefault(path.name if path else "questions", []).extend(read)
        records.append({"file": path.name, "sha256": file_sha256(path)} if path else {"questions": len(read)})
    return by_name, records


def _target(model: Model, output: Path | None) -> Path:
    """Where the model is written."""
    if output is not None:
        if output.resolve() != model.directory.resolve():
            refuse_used(output)
        return output
    if model.reference != str(model.directory.absolute()):
        raise UsageError(f"{model.name} is an installed package; say with -o where the fitted model is to be written")
    return model.directory
