"""Reading a set of collections as if it were one.

Passages keep numbers that are unique in the whole set, so lists by number are the members' lists merged by number, and
equal those of one collection with the same documents.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from heapq import merge
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import NoReturn

import apsw
import numpy as np
from numpy.typing import NDArray

from opendpr.collection.collection import QUERY_ROWS, Collection
from opendpr.collection.members import of_each
from opendpr.collection.parts import by_part, rising, union
from opendpr.collection.rows import COMPARED_IDS, EncoderRow, ListedDocument, Version, unknown_document
from opendpr.collection.set_manifest import SET_FILE, SetManifest, member_name, member_of
from opendpr.errors import BusyError, StateError, UsageError
from opendpr.types import Document, Numbers, Passage


class CollectionSet(Collection):
    """A set of collections, for reading.

    Args:
        members: by place; of those that are not there, nothing is read
    """

    def __init__(self, directory: Path, manifest: SetManifest, members: dict[int, Collection]) -> None:
        self.directory, self.path, self.manifest = directory, directory / SET_FILE, manifest
        self._members = members
        first = self.parts[0]
        self.settings = {**first.settings, "collection_id": manifest.set_id}
        self.splitter = first.splitter

    @property
    def parts(self) -> Sequence[Collection]:
        """The members that are there."""
        return list(self._members.values())

    @property
    def missing(self) -> tuple[str, ...]:
        """Names of the members that are not."""
        places = range(len(self.manifest.members))
        return tuple(member_name(place) for place in places if place not in self._members)

    def part_of(self, id: str) -> Collection:
        """The member that a document of this id belongs to.

        Raises:
            BusyError: it is not there.
        """
        place = member_of(id, len(self.manifest.members))
        if place not in self._members:
            raise BusyError(f"{self.directory / member_name(place)}, which holds {id!r}, is not there; try again")
        return self._members[place]

    def refuse_fork(self) -> None:
        for part in self.parts:
            part.refuse_fork()

    def close(self) -> None:
        for part in self.parts:
            part.close()

    def version(self) -> Version:
        """The sum of the members' versions, which grows with each commit, and a digest of their commits."""
        return self._version_of(of_each(self.parts, Collection.version))

    def _version_of(self, versions: Sequence[Version]) -> Version:
        commits = hashlib.sha256("".join(version.commit_id for version in versions).encode()).hexdigest()
        return Version(sum(version.version for version in versions), commits[:32].upper())

    def has_commit(self, version: Version) -> bool:
        return version == self.version()

    def encoder(self) -> EncoderRow | None:
        return self._encoder_of(of_each(self.parts, Collection.encoder))

    def state(self) -> tuple[Version, EncoderRow | None]:
        versions, rows = zip(*of_each(self.parts, Collection.state), strict=True)
        return self._version_of(versions), self._encoder_of(rows)

    def _encoder_of(self, rows: Sequence[EncoderRow | None]) -> EncoderRow | None:
        if len({row.fingerprint if row else "" for row in rows}) > 1:
            models = ", ".join(sorted({row.model if row else "no model" for row in rows}))
            raise StateError(
                f"the members of {self.directory} are encoded by {models}, as a change of the model was interrupted; "
                f"give the same 'opendpr encode {self.directory} --model MODEL' again"
            )
        return rows[0]

    def encoders(self) -> list[EncoderRow]:
        return self.parts[0].encoders()

    def counts(self) -> dict[str, int]:
        total: Counter[str] = Counter()
        for counts in of_each(self.parts, Collection.counts):
            total.update(counts)  # keeps what is 0
        return dict(total)

    def count_passages(self) -> int:
        return sum(of_each(self.parts, Collection.count_passages))

    def has_documents(self) -> bool:
        return any(of_each(self.parts, Collection.has_documents))

    def passages(self, numbers: Sequence[int]) -> dict[int, Passage]:
        passages = union(of_each(self.parts, Collection.passages, numbers))
        return {number: passages[number] for number in sorted(passages)}

    def passages_after(self, number: int) -> Iterator[Passage]:
        return merge(*(part.passages_after(number) for part in self.parts), key=attrgetter("number"))

    def passages_of(self, id: str) -> list[Passage]:
        return self.part_of(id).passages_of(id)

    def without_vector(self, encoder: int, chunk: int = QUERY_ROWS) -> Iterator[list[Passage]]:
        parts = self.parts_encoded(encoder)
        lists = merge(*(part.without_vector(own, chunk) for part, own in parts), key=lambda own: own[0].number)
        for _, same in groupby(lists, key=lambda own: (own[0].number - 1) // chunk):
            yield sorted((passage for own in same for passage in own), key=attrgetter("number"))

    def parts_encoded(self, encoder: int) -> Sequence[tuple[Collection, int]]:
        """The members, each with the number that an encoder, numbered as in the first of them, has there."""
        row = next(row for row in self.encoders() if row.encoder == encoder)
        return [(part, own.encoder) for part in self.parts if (own := same_encoder(part, row))]

    def vectors(self, after: int = 0) -> Iterator[tuple[Numbers, NDArray[np.float16]]]:
        waiting = [(pieces, piece) for part in self.parts if (piece := next(pieces := part.vectors(after), None))]
        while waiting:
            last = min(numbers[-1] for _, (numbers, _) in waiting)
            numbers = np.concatenate([numbers[numbers <= last] for _, (numbers, _) in waiting])
            vectors = np.concatenate([vectors[numbers <= last] for _, (numbers, vectors) in waiting])
            order = np.argsort(numbers)
            yield numbers[order], vectors[order]
            left = [(pieces, (own[own > last], stored[own > last])) for pieces, (own, stored) in waiting]
            nexts = [(pieces, piece if len(piece[0]) else next(pieces, None)) for pieces, piece in left]
            waiting = [(pieces, piece) for pieces, piece in nexts if piece is not None]

    def count_vectors_after(self, number: int) -> int:
        return sum(part.count_vectors_after(number) for part in self.parts)

    def vectors_of(self, row: EncoderRow, numbers: Numbers) -> tuple[Numbers, NDArray[np.float16]]:
        pieces = [part.vectors_of(own, numbers) for part in self.parts if (own := same_encoder(part, row))]
        there, vectors = (np.concatenate(column) for column in zip(*pieces, strict=True))
        order = np.argsort(there)
        return there[order], vectors[order]

    def hidden(self) -> Numbers:
        return rising(of_each(self.parts, Collection.hidden))

    def summaries(self, after: str = "") -> Iterator[ListedDocument]:
        return merge(*(part.summaries(after) for part in self.parts), key=attrgetter("id"))

    def passage_ids(self, passages: Sequence[Passage]) -> dict[int, str]:
        owned = by_part(self, passages, lambda passage: passage.document_id)
        begun = [part.begin(Collection.passage_ids, own) for part, own in owned]
        return union(ids() for ids in begun)

    def has_document(self, id: str) -> bool:
        return self.part_of(id).has_document(id)

    def document(self, id: str) -> Document:
        part = self.part_of(id)
        if part.has_document(id):
            return part.document(id)
        near = [
            row[0] for other in self.parts for row in other.select(f"SELECT id FROM documents LIMIT {COMPARED_IDS}")
        ]
        raise unknown_document(id, near)

    @contextmanager
    def one_state(self) -> Iterator[None]:
        """What is read inside is of one state of each member."""
        with ExitStack() as stack:
            for part in self.parts:
                stack.enter_context(part.one_state())
            yield

    def copy_into(self, other: apsw.Connection) -> None:
        self._refuse()

    def select(self, query: str, values: Sequence[object] = ()) -> list[tuple[object, ...]]:
        """Raises UsageError: what was not written for sets ends here, before anything is read or changed."""
        self._refuse()

    def deleted_since(self, version: int) -> list[int]:
        self._refuse()

    def _refuse(self) -> NoReturn:
        raise UsageError(
            f"{self.directory} is a set of collections, which this command or option does not take yet; give it the "
            f"members, {self.directory / member_name(0)} and so on, one by one"
        )


def refuse_set(collection: Collection) -> None:
    """Raises UsageError if a collection is a set of them, for what must say so before it begins something else."""
    if isinstance(collection, CollectionSet):
        collection._refuse()


def same_encoder(part: Collection, row: EncoderRow) -> EncoderRow | None:
    """The row of an encoder in a member, which may have met it under another number."""
    return next((own for own in part.encoders() if own.fingerprint == row.fingerprint), None)


def misplaced(collection: Collection) -> list[str]:
    """What is wrong with how documents are divided between the members of a set; nothing of a plain collection."""
    problems = []
    for part in collection.parts:
        strays = [summary.id for summary in part.summaries() if collection.part_of(summary.id) is not part]
        if strays:
            problems.append(
                f"{part.directory} holds {strays[0]!r}, which belongs to another member; remove it there, and add it "
                f"to {collection.directory}"
            )
    return problems
