"""What a report shows of runs: their figures, curves over all k, and examples, out of the records alone."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from opendpr.errors import UsageError
from opendpr.evaluation import top_k_accuracy
from opendpr.evaluation.calibration import area_under_roc, expected_calibration_error, reliability
from opendpr.evaluation.contrasts import CONTRASTED_QUESTIONS, Contrast, Named, contrasts_of, named_questions
from opendpr.evaluation.failures import FAILURE_KINDS
from opendpr.evaluation.header import CollectionHeader, RunHeader
from opendpr.evaluation.page import Calibration, EvaluationReport, SetReport, ShownContrast, write_page
from opendpr.evaluation.page.charts import ChartLine
from opendpr.evaluation.page.examples import Example, ShownPassage
from opendpr.evaluation.page.tables import RIGHT_OUTCOME
from opendpr.evaluation.records import AnswerJudgement, QuestionRecord, ReadAnswer
from opendpr.evaluation.run import Run, read_question_records, read_run
from opendpr.evaluation.statistics import Interval
from opendpr.evaluation.summary import SetSummary, run_labels, summary
from opendpr.text.occurrences import answer_places
from opendpr.wording import counted

EXAMPLES_PER_OUTCOME = 3
"""Examples of each outcome for each system: the first of the file."""
CURVE_EVERY_K = 100
"""Up to here a curve has a point for every k, beyond for steps of about five per cent."""
COVERAGE_PERCENTS = range(5, 101, 5)
"""Per cent of the questions answered: the points of a curve."""
RETRIEVAL_OUTCOMES = ("an answer in the first passage", "an answer in a later passage", "no answer in the passages")
"""Outcomes where nothing was read."""


@dataclass
class _Kept:
    """What is kept of the records of one set and system."""

    ranks: dict[str, list[int | None]] = field(default_factory=dict)
    """`answer`, `document` -> first rank for each question that has one to be found."""
    answers: list[tuple[float, float]] = field(default_factory=list)
    """Confidence and exact match of each answer."""
    answers_given: list[bool] = field(default_factory=list)
    """Whether it was given, rather than "no answer found"."""
    examples: dict[str, list[Example]] = field(default_factory=dict)
    named: dict[str, Example] = field(default_factory=dict)
    """Examples of the questions that a comparison names, by id."""


def write_report(paths: Sequence[Path], output: Path) -> int:
    """Write the page of runs over the same questions; returns its size in bytes.

    Raises:
        UsageError: the name does not end in `.html`; and all that `make_report` raises.
    """
    if output.suffix.lower() not in (".html", ".htm"):
        raise UsageError(f"{output} is to be a page; give a name that ends in .html")
    page = write_page(make_report(paths)).encode("utf-8", "xmlcharrefreplace")  # lone surrogates, of damaged files
    return output.write_bytes(page)


def make_report(paths: Sequence[Path]) -> EvaluationReport:
    """Everything that `write_page` shows of runs over the same questions.

    Raises:
        StateError: a run was interrupted, or the runs are not over the same questions.
        InputError: a file is not a run.
        UsageError: two runs have the same name.
    """
    runs = [read_run(path) for path in paths]
    summarised = summary(runs)
    labels = run_labels(paths)
    contrasts = {name: contrasts_of(name, runs, labels) for name in summarised.sets}
    named = named_questions(contrasts)
    kept: dict[str, dict[str, _Kept]] = {name: {} for name in summarised.sets}
    for run, label in zip(runs, labels, strict=True):
        for name, system, system_kept in _read_kept(run, label, named):
            kept[name][label + system] = system_kept
    depths = {
        label + system: max([*run.header.k, *run.header.read], default=0)
        for run, label in zip(runs, labels, strict=True)
        for system in run.header.systems
    }
    sets = [
        replace(
            _set(name, figures, kept[name], depths),
            contrasts=[_shown_contrast(contrast, kept[name]) for contrast in contrasts[name]],
        )
        for name, figures in summarised.sets.items()
    ]
    headers = [run.header for run in runs]
    settings = {run.path.name: _settings(run.header) for run in runs}
    collections = _joined(header.collection.name for header in headers if header.collection)
    title = ", ".join(summarised.sets) + (f" on {collections}" if collections else "")
    return EvaluationReport(title, _about(headers), settings, sets, summarised.problems)


def _shown_contrast(compared: Contrast, kept: Mapping[str, _Kept]) -> ShownContrast:
    before, after = (kept[system].named for system in (compared.before, compared.after))

    def beside(ids: Sequence[str]) -> list[tuple[Example, Example]]:
        return [(before[id], after[id]) for id in ids[:CONTRASTED_QUESTIONS] if id in before and id in after]

    return ShownContrast(compared, beside(compared.won), beside(compared.lost))


def _joined(names: Iterable[str]) -> str:
    """The names, each once."""
    return ", ".join(dict.fromkeys(names))


def _about(headers: Sequence[RunHeader]) -> str:
    questions = counted(headers[0].questions, "question")
    passages = max((header.collection.passages for header in headers if header.collection), default=0)
    over = f" over {counted(passages, 'passage')}" if passages else ""
    systems = _joined(system for header in headers for system in header.systems)
    models = _joined(header.model.name for header in headers if header.model)
    return (
        f"{questions}{over}, by {systems}{f' with {models}' if models else ''}. "
        "Every figure is a mean over questions, with its 95 % bootstrap interval."
    )


def _read_kept(run: Run, label: str, named: Named) -> Iterator[tuple[str, str, _Kept]]:
    by_system: dict[tuple[str, str], _Kept] = {}
    for record in read_question_records(run.path):
        kept = by_system.setdefault((record.set, record.system), _Kept())
        if isinstance(record.judgement, AnswerJudgement):
            _keep(kept, record, record.judgement)
            if record.question.id in named.get((record.set, label + record.system), ()):
                kept.named[record.question.id] = _example(record, record.judgement)
    for (name, system), kept in by_system.items():
        yield name, system, kept


def _keep(kept: _Kept, record: QuestionRecord, judgement: AnswerJudgement) -> None:
    question = record.question
    if question.answers:
        kept.ranks.setdefault("answer", []).append(judgement.answer_rank)
    if question.document_ids:
        kept.ranks.setdefault("document", []).append(judgement.document_rank)
    read = _last_read(judgement)
    if read and read.EM is not None:
        kept.answers.append((read.confidence, read.EM))
        kept.answers_given.append(read.answerable)
    if not question.answers:
        return  # nothing is known that the question could be judged by
    outcome = _outcome(judgement, read)
    examples = kept.examples.setdefault(outcome, [])
    if len(examples) < EXAMPLES_PER_OUTCOME:
        examples.append(_example(record, judgement))


def _last_read(judgement: AnswerJudgement) -> ReadAnswer | None:
    """The answer after the most passages; None if nothing was read."""
    return judgement.read[max(judgement.read)] if judgement.read else None


def _outcome(judgement: AnswerJudgement, read: ReadAnswer | None) -> str:
    """What came of a question with answers."""
    if read:
        return read.failure or RIGHT_OUTCOME
    rank = judgement.answer_rank
    return RETRIEVAL_OUTCOMES[2 if rank is None else int(rank > 1)]


def _example(record: QuestionRecord, judgement: AnswerJudgement) -> Example:
    """The passage that the answer is from and the first that holds an answer; without either the first of all."""
    read = _last_read(judgement)
    chosen = read.rank if read else None
    ranks = sorted({rank for rank in (chosen, judgement.answer_rank) if rank} or {1})
    return Example(
        outcome=_outcome(judgement, read),
        system=record.system,
        id=record.question.id,
        question=record.question.text,
        answers=record.question.answers,
        given_answer=read.text if read else None,
        confidence=read.confidence if read else None,
        passages=[
            _passage(rank, record, judgement, read if rank == chosen else None)
            for rank in ranks
            if rank in judgement.shown
        ],
    )


def _passage(rank: int, record: QuestionRecord, judgement: AnswerJudgement, read: ReadAnswer | None) -> ShownPassage:
    shown = judgement.shown[rank]
    places = answer_places(record.question.answers, shown.text, record.question.match)
    given_place = None
    if read and read.start is not None and read.end is not None:
        given_place = read.start - shown.start, read.end - shown.start
    return ShownPassage(rank, shown.id, shown.title, shown.text, places, given_place)


def _set(name: str, summarised: SetSummary, kept: Mapping[str, _Kept], depths: Mapping[str, int]) -> SetReport:
    intervals: dict[tuple[str, str], dict[float, Interval]] = {}
    for figure in summarised.figures:
        what, _, k = figure.measure.partition("@")
        intervals.setdefault((figure.system, what), {})[float(k or 0)] = figure.value
    curves: dict[str, list[ChartLine]] = {}
    for system, own in kept.items():
        for what, ranks in own.ranks.items():
            marks = intervals.get((system, what), {})
            values = [(float(k), top_k_accuracy(ranks, k)) for k in curve_ks(depths[system], marks)]
            curves.setdefault(what, []).append(ChartLine(system, values, marks))
    outcomes = (RIGHT_OUTCOME, *FAILURE_KINDS, *RETRIEVAL_OUTCOMES)
    return SetReport(
        name,
        summarised,
        curves,
        [ChartLine(system, coverage(own.answers)) for system, own in kept.items() if own.answers],
        [
            Example(**{**vars(example), "system": system})
            for outcome in outcomes
            for system, own in kept.items()
            for example in own.examples.get(outcome, ())
        ],
        [ChartLine(system, *_reliability(own.answers)) for system, own in kept.items() if own.answers],
        {system: _calibration(own) for system, own in kept.items() if own.answers},
    )


def _reliability(answers: Sequence[tuple[float, float]]) -> tuple[list[tuple[float, float]], dict[float, Interval]]:
    """Points and marks of a reliability diagram, confidences in per cent."""
    confidences, right = zip(*answers, strict=True)
    bins = reliability(confidences, right)
    points = [(100 * group.confidence, group.right.mean) for group in bins]
    return points, {100 * group.confidence: group.right for group in bins}


def _calibration(kept: _Kept) -> Calibration:
    confidences, right = zip(*kept.answers, strict=True)
    error, area = expected_calibration_error(confidences, right), area_under_roc(confidences, right)
    matches = [match for match, is_given in zip(right, kept.answers_given, strict=True) if is_given]
    exact = sum(matches) / len(matches) if matches else math.nan
    return Calibration(error, area, len(right), len(matches), exact)


def curve_ks(depth: int, marks: Mapping[float, Interval]) -> list[int]:
    """The k of a curve's points: every one at first, then ever fewer; those with a mark, and the last, are there."""
    ks, k = {*range(1, min(depth, CURVE_EVERY_K) + 1), *map(int, marks), depth}, CURVE_EVERY_K
    while k < depth:
        ks.add(k)
        k += max(1, k // 20)
    return sorted(ks)


def coverage(answers: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """The exact match of the surest 5, 10, ... 100 % of the questions (rounded up); equally sure ones as they come.

    Args:
        answers: confidence and exact match of each answer
    """
    matches = [match for _, match in sorted(answers, key=lambda answer: -answer[0])]
    counts = [-(-len(matches) * percent // 100) for percent in COVERAGE_PERCENTS]
    return [(float(percent), sum(matches[:n]) / n) for percent, n in zip(COVERAGE_PERCENTS, counts, strict=True)]


def _settings(header: RunHeader) -> dict[str, str]:
    """What the figures of a run depend on, in words."""
    collection, model, runtime = header.collection, header.model, header.runtime
    settings = {
        "collection": _collection(collection) if collection else "",
        "model": f"{model.name} {model.fingerprint}" if model else "",
        "retrieval weights": ", ".join(f"{name} {value:g}" for name, value in model.retrieval.items()) if model else "",
        "reader": header.reader.sha256 if header.reader else "",
        "systems": ", ".join(header.systems),
        "k": ", ".join(map(str, header.k)),
        "passages read": ", ".join(map(str, header.read)),
        "judgements": header.qrels or "",
        "networks": f"{runtime.runtime}, {runtime.precision}, {runtime.device}" if runtime else "",
        "opendpr": header.opendpr,
    }
    for name, digest in header.foreign.runs.items() if header.foreign else ():
        settings[f"run: {name}"] = f"SHA-256 {digest}"
    for name, questions in header.sets.items():
        which = f"{'the first' if header.limit else 'all'} {questions.questions:,}"
        settings[f"questions: {name}"] = f"{which} of {questions.file}; SHA-256 {questions.sha256}"
    return {name: value for name, value in settings.items() if value}


def _collection(collection: CollectionHeader) -> str:
    documents, passages = counted(collection.documents, "document"), counted(collection.passages, "passage")
    return f"{collection.name}, {documents}, {passages}; {collection.id}, version {collection.version}"
