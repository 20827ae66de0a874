"""What the reading of a corpus yields, one event after the other, and the same gathered for whoever counts it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

from opendpr.corpus.known import KnownFile
from opendpr.types import Document


@dataclass(frozen=True)
class Skipped:
    """Something that did not become a document. `place` is a path, or `path:line`."""

    place: str
    reason: str


class SkippedBefore(NamedTuple):
    """A file that did not become a document before, and is as it was; it is not read again."""

    skipped: Skipped


class Ignored(NamedTuple):
    """Files that are of no known kind (`.png.gz`, empty without a suffix), or left out for a reason."""

    kind: str
    files: int = 1


@dataclass(frozen=True, slots=True)
class Unchanged:
    """A file that is as it was when it became a document."""

    path: str
    id: str
    """What it is called now; `before`, what the collection calls it."""
    before: str
    modified: str


class FileRead(NamedTuple):
    """What to remember of a file that was read; it follows the document or the problem that was found in it."""

    file: KnownFile
    problem: str
    """Why it did not become a document; empty if it did."""


Event: TypeAlias = Document | Skipped | SkippedBefore | Ignored | Unchanged | FileRead


@dataclass
class Events:
    """Events by their kind."""

    documents: list[Document] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    skipped_before: list[Skipped] = field(default_factory=list)
    ignored: Counter[str] = field(default_factory=Counter)
    """How many files were ignored, by kind."""
    unchanged: list[Unchanged] = field(default_factory=list)
    files_read: list[FileRead] = field(default_factory=list)

    def append(self, event: Event) -> None:
        """Take in one more."""
        match event:
            case Document():
                self.documents.append(event)
            case Skipped():
                self.skipped.append(event)
            case SkippedBefore():
                self.skipped_before.append(event.skipped)
            case Ignored():
                self.ignored[event.kind] += event.files
            case Unchanged():
                self.unchanged.append(event)
            case FileRead():
                self.files_read.append(event)


def event_batches(events: Iterable[Event], batch_documents: int) -> Iterator[Events]:
    """Gather events until there are `batch_documents` documents; the last batch has fewer, perhaps none."""
    batch = Events()
    for event in events:
        batch.append(event)
        if len(batch.documents) == batch_documents:
            yield batch
            batch = Events()
    yield batch
