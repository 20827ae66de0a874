"""Runs on disk: what came of each question, one JSON object a line, so that nothing is computed twice.

    {"type": "run", ...}         first: everything that the figures depend on (`header.py`)
    {"type": "question", ...}    for each question and system what came of it (`records.py`)
    {"type": "scan", ...}        last, of a run with reader: questions whose answer is nowhere in the collection

A run that was interrupted goes on where it stopped; one with other settings is refused.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any

from opendpr.errors import InputError, OpendprError, StateError, UsageError
from opendpr.evaluation.failures import NOT_IN_COLLECTION, NOT_RETRIEVED
from opendpr.evaluation.header import HEADER_BEGINNING, RUN_FORMAT, RunHeader, parse_header
from opendpr.evaluation.records import (
    QUESTION_TYPE,
    SCAN_TYPE,
    AnswerJudgement,
    FigureRecord,
    Key,
    QuestionRecord,
    ScanRecord,
    key_of,
    parse_figure_record,
    parse_question_record,
)
from opendpr.storage.compression import COMPRESSED
from opendpr.storage.lines import read_jsonl
from opendpr.wording import counted

RUN_BEGINNING = json.dumps(HEADER_BEGINNING)[:-1].encode()
"""How every run begins."""

Line = dict[str, Any]
"""A record as it is in the file."""


class RunWriter:
    """A run being written. Records are complete lines, in the file once `write` returns."""

    def __init__(self, file: IO[bytes], done: Iterable[Key] = (), *, scanned: bool = False) -> None:
        self._file = file
        self.done = set(done)
        """What need not be computed again."""
        self.scanned = scanned

    def write(self, records: Iterable[QuestionRecord]) -> None:
        """Append the records that the run does not have yet, in one piece."""
        missing = [record for record in records if record.key not in self.done]
        self._append(missing)
        self.done.update(record.key for record in missing)

    def write_header(self, header: RunHeader) -> None:
        """Begin the run."""
        self._append([header])

    def write_scan(self, absent: Mapping[str, Sequence[str]]) -> None:
        """End a run with reader: the questions, by set, whose answer is nowhere in the collection."""
        self._append([ScanRecord(absent)])

    def _append(self, records: Iterable[RunHeader | QuestionRecord | ScanRecord]) -> None:
        self._file.write("".join(f"{json.dumps(record.as_json(), allow_nan=False)}\n" for record in records).encode())
        self._file.flush()


@contextmanager
def open_run(path: Path, header: RunHeader) -> Iterator[RunWriter]:
    """Begin a run, or go on with one that has the same header. A line cut off by a kill is dropped.

    Raises:
        StateError: the file is a run with other settings.
        InputError: the file is something else; it stays as it is.
        UsageError: its name asks for a compression, which could not go on after a kill.
    """
    if path.suffix.lower() in COMPRESSED:
        raise UsageError(f"{path}: a run is not compressed while it is written; leave out {path.suffix}")
    size = path.stat().st_size if path.exists() else 0
    with path.open("r+b" if size else "wb") as file:
        header_line: Line | None = None
        writer = RunWriter(file)
        if size:
            if not RUN_BEGINNING.startswith(file.read(len(RUN_BEGINNING))):  # less of it was written before a kill
                raise _no_run(path)
            file.truncate(_end_of_last_line(file))
            header_line, writer = _going_on(path, file)
        if header_line:
            _refuse_other(path, header_line, header.as_json())
        file.seek(0, 2)
        if not header_line:
            writer.write_header(header)
        yield writer


def _going_on(path: Path, file: IO[bytes]) -> tuple[Line | None, RunWriter]:
    """The header of a run, if it was written, and what writes the rest."""
    header, done, scanned = None, set(), False
    for line in _lines(path):
        match line["type"]:
            case "question":
                done.add(key_of(line))
            case "scan":
                scanned = True
            case _:
                header = line
    return header, RunWriter(file, done, scanned=scanned)


def _end_of_last_line(file: IO[bytes]) -> int:
    """The offset after the last line that was written to its end."""
    position = file.seek(0, 2)
    while position > 0:
        step = min(position, 65_536)
        file.seek(position - step)
        line_end = file.read(step).rfind(b"\n")
        if line_end >= 0:
            return position - step + line_end + 1
        position -= step
    return 0


def _no_run(path: Path) -> InputError:
    return InputError(
        f"{path} is not a run that 'opendpr evaluate' wrote (format {RUN_FORMAT}); name one, or a new file to write"
    )


def _lines(path: Path) -> Iterator[Line]:
    """The one reader: yields the records of a run, which have what figures are made of."""
    for line, record in read_jsonl(path):
        if line == 1 and (record.get("type") != "run" or record.get("format") != RUN_FORMAT):
            raise _no_run(path)
        if (line == 1) != (record.get("type") == "run") or not _is_sound(record):
            raise InputError(f"{path}:{line}: expected a record of a run, found {json.dumps(record)[:60]}")
        yield record


def _is_sound(record: Line) -> bool:
    """Whether a record has the fields that figures are made of."""
    match record:
        case {"type": "run", "sets": dict() as sets, "systems": list() as systems}:
            counts = (file.get("questions") if isinstance(file, dict) else None for file in sets.values())
            return all(isinstance(count, int) for count in counts) and all(isinstance(name, str) for name in systems)
        case {"type": "question", "set": str(), "question": str(), "system": str(), "measures": dict() as measures}:
            read = record.get("read", {})
            answers = list(read.values()) if isinstance(read, dict) and all(map(str.isdecimal, read)) else [None]
            return all(isinstance(value, int | float) for value in measures.values()) and all(
                isinstance(answer, dict) and isinstance(answer.get("failure", 0), str | None) for answer in answers
            )
        case {"type": "scan", "absent": dict() as absent}:
            return all(isinstance(ids, list) and all(isinstance(id, str) for id in ids) for ids in absent.values())
    return False


def _refuse_other(path: Path, written: Line, wanted: Line) -> None:
    wanted = json.loads(json.dumps(wanted))
    other = [name for name in {**written, **wanted} if written.get(name) != wanted.get(name)]
    if other:
        changes = "; ".join(f"{name} is {_short(written.get(name))}, now {_short(wanted.get(name))}" for name in other)
        raise StateError(f"{path} was written with other settings ({changes}); give another -o, or delete it")


def _short(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 120 else f"{text[:117]}..."


@dataclass(frozen=True)
class Run:
    """A run read back, without the passages: what figures are made of."""

    path: Path
    header: RunHeader
    measured: Mapping[str, Mapping[str, Mapping[str, Mapping[str, float]]]]
    """Set -> system -> question -> measure -> value."""
    failures: Mapping[str, Mapping[str, Mapping[int, Mapping[str, list[str]]]]]
    """Set -> system -> passages read -> kind of failure -> questions."""
    unjudged: Mapping[str, Mapping[str, Mapping[int, int]]]
    """Set -> system -> passages read -> how many questions without measures got an answer."""
    problems: Mapping[str, str]
    """Set and id of a question -> why it could not be judged as wanted."""


def read_run(path: Path) -> Run:
    """Read the figures of a complete run.

    Raises:
        StateError: the run was interrupted.
        InputError: the file is not a run, or a line of it cannot be read.
    """
    header, records, scans = _figure_records(path)
    measured: dict[str, dict[str, dict[str, Mapping[str, float]]]]
    measured = {name: {system: {} for system in header.systems} for name in header.sets}
    failures: dict[str, dict[str, dict[int, dict[str, list[str]]]]] = {name: {} for name in header.sets}
    unjudged: dict[str, dict[str, Counter[int]]] = {name: {} for name in header.sets}
    absent = _absent(scans)
    for record in records:
        name, question, system = record.key
        if name not in measured or system not in measured[name]:
            raise InputError(
                f"{path}: question {question!r} is of {name!r} by {system!r}, which its first line lacks; the file was "
                "put together from several runs, evaluate again"
            )
        measured[name][system][question] = record.measures
        for read, kind in record.failures.items():
            kinds = failures[name].setdefault(system, {}).setdefault(read, {})
            kinds.setdefault(_final(kind, record.key, absent), []).append(question)
        if not record.measures:
            unjudged[name].setdefault(system, Counter()).update(record.answered)
    wanted = header.questions * len(header.systems)
    there = sum(len(questions) for systems in measured.values() for questions in systems.values())
    if there != wanted or (header.read and not scans):
        last = "" if there != wanted else ", and not yet the last, on answers that are nowhere"
        raise StateError(
            f"{path} is not complete: it has {there:,} of {counted(wanted, 'record')}{last}; "
            "run the command that began it again"
        )
    problems = {f"{record.key[0]}/{record.key[1]}": record.problem for record in records if record.problem}
    return Run(path, header, measured, failures, unjudged, problems)


def _figure_records(path: Path) -> tuple[RunHeader, list[FigureRecord], list[ScanRecord]]:
    """What figures are made of in a run, so that the rest is not in memory."""
    header: RunHeader | None = None
    records: list[FigureRecord] = []
    scans: list[ScanRecord] = []
    for line in _lines(path):
        match line["type"]:
            case "question":
                records.append(parse_figure_record(line))
            case "scan":
                scans.append(ScanRecord(line["absent"]))
            case _:
                header = _header(path, line)
    if header is None:
        raise InputError(f"{path} is empty; run the command that began it again")
    return header, records, scans


def _header(path: Path, record: Line) -> RunHeader:
    try:
        return parse_header(record)
    except (AttributeError, KeyError, TypeError, ValueError, OpendprError) as error:
        raise InputError(f"{path}:1: not a whole header ({error}); evaluate again, with another -o") from None


def read_question_lines(path: Path) -> Iterator[Line]:
    """Yield the questions of a run as they are in the file, some of which may lack what their rankings need not.

    Raises:
        InputError: the file is not a run, or a line of it cannot be read.
    """
    return (line for line in _lines(path) if line["type"] == QUESTION_TYPE)


def read_question_records(path: Path) -> Iterator[QuestionRecord]:
    """Yield the questions of a run with their final kinds of failure.

    Raises:
        InputError: the file is not a run, or a record of it lacks something.
    """
    absent = _absent(ScanRecord(line["absent"]) for line in _lines(path) if line["type"] == SCAN_TYPE)
    for line in read_question_lines(path):
        try:
            yield _with_final(parse_question_record(line), absent)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            place = f"{path}: question {line['question']!r:.60} by {line['system']!r:.60}"
            raise InputError(f"{place}: not a whole record ({error}); evaluate again, with another -o") from None


def _absent(scans: Iterable[ScanRecord]) -> set[tuple[str, str]]:
    """Set and id of the questions whose answer is nowhere, as the scan found."""
    return {(name, question) for scan in scans for name, questions in scan.absent.items() for question in questions}


def _final(failure: str, key: Key, absent: Container[tuple[str, str]]) -> str:
    """The kind of a failure, once it is known whose answers are nowhere."""
    return NOT_IN_COLLECTION if failure == NOT_RETRIEVED and key[:2] in absent else failure


def _with_final(record: QuestionRecord, absent: Container[tuple[str, str]]) -> QuestionRecord:
    """The record with the final kinds of its failures."""
    judgement = record.judgement
    if not isinstance(judgement, AnswerJudgement):
        return record
    read = {
        count: replace(answer, failure=_final(answer.failure, record.key, absent)) if answer.failure else answer
        for count, answer in judgement.read.items()
    }
    return replace(record, judgement=replace(judgement, read=read))
