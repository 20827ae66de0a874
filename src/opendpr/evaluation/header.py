"""The first line of a run: what its figures depend on. Names and order of the fields are those of the file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from opendpr.model.runtime import RuntimeSettings

RUN_FORMAT = 1
HEADER_BEGINNING: Mapping[str, object] = {"type": "run", "format": RUN_FORMAT}
"""What every header begins with."""


@dataclass(frozen=True)
class CollectionHeader:
    """The collection that was asked, at the version that answered."""

    name: str
    id: str
    version: int
    commit_id: str
    documents: int
    passages: int


@dataclass(frozen=True)
class SetHeader:
    """A file of questions."""

    file: str
    sha256: str
    questions: int


@dataclass(frozen=True)
class AnswerSettings:
    """How far questions with known answers or documents are judged."""

    k: Sequence[int]
    """Depths of top-k accuracy, rising."""
    read: Sequence[int]
    """Numbers of passages read, rising; none without a reader."""


@dataclass(frozen=True)
class DocumentSettings:
    """What judges the questions of a test collection."""

    qrels: str
    """Name of the file of judgements, with its SHA-256."""
    measures: Sequence[str]
    documents: int
    """How many are ranked."""


@dataclass(frozen=True)
class ModelHeader:
    """The model; its fingerprint is the encoder's alone."""

    name: str
    fingerprint: str
    retrieval: Mapping[str, float]
    """Weights of the retrievers' scores."""


@dataclass(frozen=True)
class ReaderHeader:
    """The reader, and what was fitted for it."""

    sha256: str
    confidence: Mapping[str, Any]


@dataclass(frozen=True)
class ForeignHeader:
    """The runs of other systems that were judged, and how they were read."""

    runs: Mapping[str, str]
    """Name of the file -> SHA-256."""
    values: str | None
    """What they are ordered by, where that was given."""
    duplicates: str


@dataclass(frozen=True)
class RunHeader:
    """What the figures of a run depend on."""

    opendpr: str
    """The version that wrote the run."""
    collection: CollectionHeader | None
    """None where the runs of other systems hold all texts."""
    sets: Mapping[str, SetHeader]
    systems: Sequence[str]
    limit: int | None
    """Questions of each file, from its beginning; None is all."""
    judging: AnswerSettings | DocumentSettings
    model: ModelHeader | None = None
    """None, like the runtime, where no network was needed."""
    runtime: RuntimeSettings | None = None
    reader: ReaderHeader | None = None
    foreign: ForeignHeader | None = None
    index: str | None = None
    """The engine that found candidates; None where none did."""

    @property
    def k(self) -> Sequence[int]:
        """Depths of top-k accuracy."""
        return self.judging.k if isinstance(self.judging, AnswerSettings) else ()

    @property
    def read(self) -> Sequence[int]:
        """Numbers of passages read."""
        return self.judging.read if isinstance(self.judging, AnswerSettings) else ()

    @property
    def qrels(self) -> str | None:
        """The file of judgements."""
        return self.judging.qrels if isinstance(self.judging, DocumentSettings) else None

    @property
    def questions(self) -> int:
        """Questions of all sets."""
        return sum(questions.questions for questions in self.sets.values())

    def as_json(self) -> dict[str, Any]:
        """The header as it is in the file."""
        fields = asdict(self)
        judging, networks = fields.pop("judging"), {name: fields.pop(name) for name in ("model", "runtime")}
        rare = {name: value for name in ("reader", "foreign", "index") if (value := fields.pop(name))}
        return {**HEADER_BEGINNING, **fields, **judging, **networks, **rare}


def parse_header(record: Mapping[str, Any]) -> RunHeader:
    """The inverse of `as_json`.

    Raises:
        KeyError, TypeError, ValueError, AttributeError: a field is missing or of another kind.
        UsageError: there is no such runtime.
    """
    model, runtime, reader, foreign = (record.get(name) for name in ("model", "runtime", "reader", "foreign"))
    if not record["collection"] and not foreign:
        raise ValueError("a run without a collection is not of another system")
    return RunHeader(
        opendpr=record["opendpr"],
        collection=CollectionHeader(**record["collection"]) if record["collection"] else None,
        sets={name: SetHeader(**questions) for name, questions in record["sets"].items()},
        systems=record["systems"],
        limit=record["limit"],
        judging=_judging(record),
        model=ModelHeader(**model) if model else None,
        runtime=RuntimeSettings(**runtime) if runtime else None,
        reader=ReaderHeader(**reader) if reader else None,
        foreign=ForeignHeader(**foreign) if foreign else None,
        index=record.get("index"),
    )


def _judging(record: Mapping[str, Any]) -> AnswerSettings | DocumentSettings:
    if "qrels" in record:
        return DocumentSettings(record["qrels"], record["measures"], record["documents"])
    return AnswerSettings(record["k"], record["read"])
