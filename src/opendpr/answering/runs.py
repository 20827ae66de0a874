"""Runs on disk: what came of each question, one JSON object a line, so that nothing is computed twice.

    {"type": "run", ...}         first: everything that the figures depend on
    {"type": "question", ...}    one for each question and system; docs/evaluation.md names the fields
    {"type": "scan", ...}        last, of a run with reader: questions whose answer is nowhere in the collection

A run that was interrupted goes on where it stopped; one with other settings is refused.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from opendpr.errors import InputError, StateError
from opendpr.evaluation.failures import ABSENT, NOT_RETRIEVED
from opendpr.formats import read_jsonl

FORMAT = 1

Record = dict[str, Any]
Key = tuple[str, str, str]
"""Question set, question id, system."""


class RunWriter:
    """A run being written. Records are complete lines, in the file once `write` returns."""

    def __init__(self, file: IO[bytes], records: Sequence[Record]) -> None:
        self._file = file
        self.done = {key_of(record) for record in records if record["type"] == "question"}
        """What need not be computed again."""
        self.scanned = any(record["type"] == "scan" for record in records)

    def write(self, records: Sequence[Record]) -> None:
        """Append records in one piece."""
        self._file.write("".join(f"{json.dumps(record, allow_nan=False)}\n" for record in records).encode())
        self._file.flush()
        self.done.update(key_of(record) for record in records if record["type"] == "question")


@contextmanager
def open_run(path: Path, header: Record) -> Iterator[RunWriter]:
    """Begin a run, or go on with one that has the same header. A line cut off by a kill is dropped.

    Raises:
        StateError: the file is a run with other settings.
        InputError: the file is something else.
    """
    header = {"type": "run", "format": FORMAT, **header}
    size = path.stat().st_size if path.exists() else 0
    with path.open("r+b" if size else "wb") as file:
        records: list[Record] = []
        if size:
            file.truncate(_end_of_last_line(file))
            records = [_kept(record) for record in _records(path)]
        if records:
            _refuse_other(path, records[0], header)
        file.seek(0, 2)
        writer = RunWriter(file, records)
        if not records:
            writer.write([header])
        yield writer


def _end_of_last_line(file: IO[bytes]) -> int:
    """The offset after the last line that was written to its end."""
    position = file.seek(0, 2)
    while position > 0:
        step = min(position, 65_536)
        file.seek(position - step)
        found = file.read(step).rfind(b"\n")
        if found >= 0:
            return position - step + found + 1
        position -= step
    return 0


def _kept(record: Record) -> Record:
    """What going on needs of a record; the rest would be the whole run in memory."""
    return (
        record if record["type"] == "run" else {key: record.get(key) for key in ("type", "set", "question", "system")}
    )


def _records(path: Path) -> Iterator[Record]:
    for line, record in read_jsonl(path):
        if line == 1 and (record.get("type") != "run" or record.get("format") != FORMAT):
            raise InputError(
                f"{path} is not a run that 'opendpr evaluate' wrote (format {FORMAT}); name one, or a new file to write"
            )
        if line > 1 and record.get("type") not in ("question", "scan"):
            raise InputError(f"{path}:{line}: expected a record of a run, found {json.dumps(record)[:60]}")
        yield record


def _refuse_other(path: Path, found: Record, wanted: Record) -> None:
    wanted = json.loads(json.dumps(wanted))
    other = [name for name in {**found, **wanted} if found.get(name) != wanted.get(name)]
    if other:
        told = "; ".join(f"{name} is {_short(found.get(name))}, now {_short(wanted.get(name))}" for name in other)
        raise StateError(f"{path} was written with other settings ({told}); give another -o, or delete it")


def _short(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 120 else f"{text[:117]}..."


def key_of(record: Record) -> Key:
    """What a question's record is about."""
    return record["set"], record["question"], record["system"]


@dataclass(frozen=True)
class Run:
    """A run read back, without the passages: what figures are made of."""

    path: Path
    header: Record
    measured: Mapping[str, Mapping[str, Mapping[str, Mapping[str, float]]]]
    """Set -> system -> question -> measure -> value."""
    failures: Mapping[str, Mapping[str, Mapping[str, Mapping[str, list[str]]]]]
    """Set -> system -> passages read -> kind of failure -> questions."""
    problems: Mapping[str, str]
    """Question -> what hindered its judgement."""


def read_run(path: Path) -> Run:
    """Read the figures of a complete run.

    Raises:
        StateError: the run was interrupted.
        InputError: the file is not a run, or a line of it cannot be read.
    """
    records = list(map(_small, read_records(path)))
    if not records:
        raise InputError(f"{path} is empty; run the command that began it once more")
    header, questions = records[0], records[1:]
    wanted = sum(of["questions"] for of in header["sets"].values()) * len(header["systems"])
    if len(questions) != wanted:
        raise StateError(
            f"{path} is not complete: it has {len(questions):,} of {wanted:,} records; "
            "run the command that began it once more"
        )
    measured: dict[str, Any] = {name: {system: {} for system in header["systems"]} for name in header["sets"]}
    failures: dict[str, Any] = {name: {} for name in header["sets"]}
    for record in questions:
        name, question, system = key_of(record)
        measured[name][system][question] = record["measures"]
        for read, kind in record["failures"].items():
            kinds = failures[name].setdefault(system, {}).setdefault(read, {})
            kinds.setdefault(kind, []).append(question)
    problems = {f"{record['set']}/{record['question']}": record["problem"] for record in questions if record["problem"]}
    return Run(path, header, measured, failures, problems)


def _small(record: Record) -> Record:
    if record["type"] == "run":
        return record
    failures = {read: answer["failure"] for read, answer in record.get("read", {}).items() if answer["failure"]}
    return {
        **{name: record[name] for name in ("type", "set", "question", "system", "measures")},
        "failures": failures,
        "problem": record.get("problem"),
    }


def read_records(path: Path) -> Iterator[Record]:
    """Yield the header, then the records of a run with their final kinds of failure.

    Raises:
        InputError: the file is not a run, or a line of it cannot be read.
    """
    absent: set[tuple[str, str]] = set()
    for record in _records(path):
        if record["type"] == "scan":
            absent = {(name, question) for name, questions in record["absent"].items() for question in questions}
    for record in _records(path):
        for answer in record.get("read", {}).values() if record["type"] == "question" else ():
            if answer["failure"] == NOT_RETRIEVED and (record["set"], record["question"]) in absent:
                answer["failure"] = ABSENT
        if record["type"] != "scan":
            yield record
