"""What a report shows of runs: their figures, curves over all k, and examples, out of the records alone."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from opendpr.evaluation import top_k_accuracy
from opendpr.evaluation.calibration import area_under_roc, expected_calibration_error, reliability
from opendpr.evaluation.failures import KINDS
from opendpr.evaluation.page import Report, SetReport, Sureness
from opendpr.evaluation.page.charts import Line
from opendpr.evaluation.page.examples import Example, ShownPassage
from opendpr.evaluation.page.tables import RIGHT
from opendpr.evaluation.records import AnswerJudgement, QuestionRecord, ReadAnswer
from opendpr.evaluation.run import Record, Run, read_question_records, read_run
from opendpr.evaluation.statistics import Interval
from opendpr.evaluation.summary import run_labels, summary
from opendpr.text.marks import answer_places

EXAMPLES_PER_OUTCOME = 3
"""Examples of each outcome for each system: the first of the file."""
EVERY_K = 100
"""Up to here a curve has a point for every k, beyond for steps of about five per cent."""
COVERAGES = range(5, 101, 5)
"""Per cent of the questions answered: the points of a curve."""
RETRIEVED = ("an answer in the first passage", "an answer in a later passage", "no answer in the passages")
"""Outcomes where nothing was read."""


@dataclass
class _Kept:
    """What is kept of the records of one set and system."""

    ranks: dict[str, list[int | None]] = field(default_factory=dict)
    """`answer`, `document` -> first rank for each question that has one to be found."""
    sure: list[tuple[float, float]] = field(default_factory=list)
    """Confidence and exact match of each answer."""
    given: list[bool] = field(default_factory=list)
    """Whether it was given, rather than "no answer found"."""
    examples: dict[str, list[Example]] = field(default_factory=dict)


def make_report(paths: Sequence[Path]) -> Report:
    """Everything that `write_page` shows of runs over the same questions.

    Raises:
        StateError: a run was interrupted, or the runs are not over the same questions.
        InputError: a file is not a run.
        UsageError: two runs have the same name.
    """
    runs = [read_run(path) for path in paths]
    found = summary(runs)
    labels = run_labels(paths)
    kept: dict[str, dict[str, _Kept]] = {name: {} for name in found["sets"]}
    for run, label in zip(runs, labels, strict=True):
        for name, system, system_kept in _read_kept(run):
            kept[name][label + system] = system_kept
    depths = {
        label + system: max([*run.header.get("k", ()), *run.header.get("read", ())], default=0)
        for run, label in zip(runs, labels, strict=True)
        for system in run.header["systems"]
    }
    sets = [_set(name, summarised, kept[name], depths) for name, summarised in found["sets"].items()]
    settings = {run.path.name: _settings(run.header) for run in runs}
    collections = _names(runs, "collection")
    title = ", ".join(found["sets"]) + (f" on {collections}" if collections else "")
    return Report(title, _about(runs), settings, sets, found["problems"])


def _names(runs: Sequence[Run], what: str) -> str:
    return ", ".join(dict.fromkeys(str(run.header[what]["name"]) for run in runs if run.header[what]))


def _about(runs: Sequence[Run]) -> str:
    header = runs[0].header
    questions = sum(about["questions"] for about in header["sets"].values())
    systems = ", ".join(dict.fromkeys(system for run in runs for system in run.header["systems"]))
    passages = max((run.header["collection"]["passages"] for run in runs if run.header["collection"]), default=0)
    models = _names(runs, "model")
    over = f" over {passages:,} passages" if passages else ""
    return (
        f"{questions:,} questions{over}, by {systems}{f' with {models}' if models else ''}. "
        "Every figure is a mean over questions, with its 95 % bootstrap interval."
    )


def _read_kept(run: Run) -> Iterator[tuple[str, str, _Kept]]:
    found: dict[tuple[str, str], _Kept] = {}
    for record in read_question_records(run.path):
        kept = found.setdefault((record.set, record.system), _Kept())
        if isinstance(record.judgement, AnswerJudgement):
            _keep(kept, record, record.judgement)
    for (name, system), kept in found.items():
        yield name, system, kept


def _keep(kept: _Kept, record: QuestionRecord, judgement: AnswerJudgement) -> None:
    question = record.question
    if question.answers:
        kept.ranks.setdefault("answer", []).append(judgement.answer_rank)
    if question.document_ids:
        kept.ranks.setdefault("document", []).append(judgement.document_rank)
    read = judgement.read[max(judgement.read)] if judgement.read else None  # after the most passages
    if read and read.EM is not None:
        kept.sure.append((read.confidence, read.EM))
        kept.given.append(read.answerable)
    if not question.answers:
        return  # nothing is known that the question could be judged by
    outcome = _outcome(judgement, read)
    examples = kept.examples.setdefault(outcome, [])
    if len(examples) < EXAMPLES_PER_OUTCOME:
        examples.append(_example(record, judgement, read, outcome))


def _outcome(judgement: AnswerJudgement, read: ReadAnswer | None) -> str:
    """What came of a question with answers."""
    if read:
        return read.failure or RIGHT
    rank = judgement.answer_rank
    return RETRIEVED[2 if rank is None else int(rank > 1)]


def _example(record: QuestionRecord, judgement: AnswerJudgement, read: ReadAnswer | None, outcome: str) -> Example:
    """The passage that the answer is from and the first that holds an answer; without either the first of all."""
    chosen = read.rank if read else None
    ranks = sorted({rank for rank in (chosen, judgement.answer_rank) if rank} or {1})
    return Example(
        outcome=outcome,
        system=record.system,
        id=record.question.id,
        question=record.question.text,
        answers=record.question.answers,
        given=read.text if read else None,
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
    given = None
    if read and read.start is not None and read.end is not None:
        given = read.start - shown.start, read.end - shown.start
    return ShownPassage(rank, shown.id, shown.title, shown.text, places, given)


def _set(name: str, summarised: Mapping[str, Any], kept: Mapping[str, _Kept], depths: Mapping[str, int]) -> SetReport:
    intervals: dict[tuple[str, str], dict[float, Interval]] = {}
    for figure in summarised["figures"]:
        what, _, k = figure["measure"].partition("@")
        interval = Interval(figure["mean"], figure["low"], figure["high"])
        intervals.setdefault((figure["system"], what), {})[float(k or 0)] = interval
    curves: dict[str, list[Line]] = {}
    for system, own in kept.items():
        for what, ranks in own.ranks.items():
            marks = intervals.get((system, what), {})
            values = [(float(k), top_k_accuracy(ranks, k)) for k in curve_ks(depths[system], marks)]
            curves.setdefault(what, []).append(Line(system, values, marks))
    outcomes = (RIGHT, *KINDS, *RETRIEVED)
    return SetReport(
        name,
        summarised["questions"],
        summarised["figures"],
        summarised["differences"],
        summarised["failures"],
        curves,
        [Line(system, coverage(own.sure)) for system, own in kept.items() if own.sure],
        [
            Example(**{**vars(example), "system": system})
            for outcome in outcomes
            for system, own in kept.items()
            for example in own.examples.get(outcome, ())
        ],
        [Line(system, *_reliability(own.sure)) for system, own in kept.items() if own.sure],
        {system: _sureness(own) for system, own in kept.items() if own.sure},
    )


def _reliability(sure: Sequence[tuple[float, float]]) -> tuple[list[tuple[float, float]], dict[float, Interval]]:
    """Points and marks of a reliability diagram, confidences in per cent."""
    confidences, right = zip(*sure, strict=True)
    bins = reliability(confidences, right)
    points = [(100 * group.confidence, group.right.mean) for group in bins]
    return points, {100 * group.confidence: group.right for group in bins}


def _sureness(kept: _Kept) -> Sureness:
    confidences, right = zip(*kept.sure, strict=True)
    error, area = expected_calibration_error(confidences, right), area_under_roc(confidences, right)
    given = [match for match, given in zip(right, kept.given, strict=True) if given]
    return Sureness(error, area, len(right), len(given), sum(given) / len(given) if given else math.nan)


def curve_ks(depth: int, marks: Mapping[float, Interval]) -> list[int]:
    """The k of a curve's points: every one at first, then ever fewer; those with a mark, and the last, are there."""
    ks, k = {*range(1, min(depth, EVERY_K) + 1), *map(int, marks), depth}, EVERY_K
    while k < depth:
        ks.add(k)
        k += max(1, k // 20)
    return sorted(ks)


def coverage(sure: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """The exact match of the surest 5, 10, ... 100 % of the questions (rounded up); equally sure ones as they come.

    Args:
        sure: confidence and exact match of each question
    """
    matches = [match for _, match in sorted(sure, key=lambda answer: -answer[0])]
    counts = [-(-len(matches) * percent // 100) for percent in COVERAGES]
    return [(float(percent), sum(matches[:n]) / n) for percent, n in zip(COVERAGES, counts, strict=True)]


def _settings(header: Record) -> dict[str, str]:
    """What the figures of a run depend on, in words."""
    collection, model, runtime = header["collection"], header["model"], header["runtime"]
    weights = model["retrieval"] if model else {}
    found = {
        "collection": f"{collection['name']}, {collection['documents']:,} documents, "
        f"{collection['passages']:,} passages; {collection['id']}, version {collection['version']}"
        if collection
        else "",
        "model": f"{model['name']} {model['fingerprint']}" if model else "",
        "retrieval weights": ", ".join(f"{name} {value:g}" for name, value in weights.items()),
        "reader": header.get("reader", {}).get("sha256", ""),
        "systems": ", ".join(header["systems"]),
        "k": ", ".join(map(str, header.get("k", ()))),
        "passages read": ", ".join(map(str, header.get("read", ()))),
        "judgements": header.get("qrels", ""),
        "networks": ", ".join(filter(None, (runtime or {}).values())),
        "opendpr": header["opendpr"],
    }
    for name, digest in header.get("runs", {}).items():
        found[f"run: {name}"] = f"SHA-256 {digest}"
    for name, about in header["sets"].items():
        which = f"the first {about['questions']:,}" if header["limit"] else f"all {about['questions']:,}"
        found[f"questions: {name}"] = f"{which} of {about['file']}; SHA-256 {about['sha256']}"
    return {name: value for name, value in found.items() if value}
