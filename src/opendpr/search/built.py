"""What is known of an approximate index: how it was built, how it searches, and what it finds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from opendpr.collection.rows import Version
from opendpr.search.ivf import Effort

DENSE_FORMAT = 1
"""Version of the files' format; a build of another one is not used."""
RecallQuestions: TypeAlias = Literal["pieces", "vectors"]
"""What recall is measured with: words of passages, encoded as questions are, or the passages' own vectors."""


@dataclass(frozen=True)
class MeasuredEffort:
    """How far a search goes, and the recall measured with that."""

    effort: Effort
    recall: Mapping[int, float]
    """By depth, the share of the best passages that is found, from 0 to 1."""
    questions: int
    """How many questions it was measured with."""
    asked: RecallQuestions
    target: float
    """The recall that was asked for."""

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> MeasuredEffort:
        """What `as_json` returned, perhaps among other keys."""
        return cls(
            Effort(int(record["lists"]), int(record["factor"])),
            {int(depth): value for depth, value in record["recall"].items()},
            int(record["questions"]),
            record.get("asked", "vectors"),
            record["target"],
        )

    def as_json(self) -> dict[str, Any]:
        """Its part of `seen.json`."""
        return {
            **self.effort._asdict(),
            "recall": {str(depth): value for depth, value in self.recall.items()},
            "questions": self.questions,
            "asked": self.asked,
            "target": self.target,
        }


@dataclass(frozen=True)
class BuiltIndex:
    """A complete build: the content of `dense/seen.json`."""

    collection_id: str
    version: Version
    """The state of the collection that it knows."""
    fingerprint: str
    """Of the model that made the vectors."""
    dim: int
    rows: int
    """How many vectors it holds."""
    last_number: int
    """It holds every vector up to this passage's number."""
    seconds: float
    """How long building took."""
    files: Mapping[str, str]
    """SHA-256 by the file's name."""
    measured: MeasuredEffort
    factory: str
    """What FAISS's `index_factory` calls the codes."""
    build: str
    """Name of the directory with the files."""

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> BuiltIndex:
        """What `as_json` returned, perhaps among other keys.

        Raises:
            KeyError: a key is missing.
        """
        return cls(
            record["collection_id"],
            Version(record["version"], record["commit_id"]),
            record["fingerprint"],
            int(record["dim"]),
            int(record["rows"]),
            int(record["last_number"]),
            record["seconds"],
            record["files"],
            MeasuredEffort.from_json(record),
            record["factory"],
            record["build"],
        )

    def as_json(self) -> dict[str, Any]:
        """The content of `seen.json`, without its checksum."""
        return {
            "format": DENSE_FORMAT,
            "collection_id": self.collection_id,
            **self.version._asdict(),
            "fingerprint": self.fingerprint,
            "dim": self.dim,
            "rows": self.rows,
            "last_number": self.last_number,
            "seconds": self.seconds,
            "files": dict(self.files),
            **self.measured.as_json(),
            "factory": self.factory,
            "build": self.build,
        }
