"""Writing a set of collections as if it were one: the members' writers, all held by one process."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from opendpr.collection.collection_set import CollectionSet, same_encoder
from opendpr.collection.parts import by_part
from opendpr.collection.rows import EncoderRow
from opendpr.collection.set_manifest import SetManifest, member_of
from opendpr.collection.writer import Change, Writer
from opendpr.text.splitting import Splitter
from opendpr.types import Document, Passage, Vectors


class MemberWriter(Writer):
    """The writer of a member: passages are numbered after the last one of the whole set.

    So documents get the numbers that they would get in one collection.
    """

    siblings: Sequence[MemberWriter] = ()
    """The writers of all members, this one too."""

    def last_number_given(self) -> int:
        return max(Writer.last_number_given(sibling) for sibling in self.siblings)


class SetWriter(CollectionSet, Writer):
    """The one process that may change a set.

    A change that concerns several members is a transaction in each of them, which are committed one right after the
    other; whatever a kill leaves in between is finished by the same command.
    """

    def __init__(self, directory: Path, manifest: SetManifest, members: dict[int, MemberWriter]) -> None:
        self._writers = list(members.values())
        super().__init__(directory, manifest, dict(members))
        for writer in self._writers:
            writer.siblings = self._writers

    @property
    def parts(self) -> Sequence[Writer]:
        return self._writers

    def part_of(self, id: str) -> Writer:
        return self._writers[member_of(id, len(self._writers))]

    def close(self) -> None:
        """Nothing: who opened the members closes them."""

    @contextmanager
    def _transactions(self, writers: Sequence[Writer]) -> Iterator[dict[Writer, int]]:
        """A write transaction in each of the members; yields the version that each leaves."""
        with ExitStack() as stack:
            yield {writer: stack.enter_context(writer.transaction()) for writer in dict.fromkeys(writers)}

    def begin_encoder(self, fingerprint: str, dim: int, *, model: str, runtime: str) -> EncoderRow:
        first, *_ = (part.begin_encoder(fingerprint, dim, model=model, runtime=runtime) for part in self.parts)
        return first

    def use_encoder(self, fingerprint: str, dim: int, *, model: str, runtime: str) -> EncoderRow:
        first, *_ = (part.use_encoder(fingerprint, dim, model=model, runtime=runtime) for part in self.parts)
        return first

    def switch_encoder(self, row: EncoderRow, *, keep_old: bool) -> None:
        for part in self.parts:
            part.switch_encoder(_row_of(part, row), keep_old=keep_old)

    def resplit(self, splitter: Splitter) -> None:
        for part in self.parts:
            part.resplit(splitter)
        self.splitter = splitter

    def put_documents(self, documents: Sequence[Document]) -> list[Change]:
        owners = [self.part_of(document.id) for document in documents]
        with self._transactions(owners) as versions:
            changes = [owner.put(document, versions[owner]) for owner, document in zip(owners, documents, strict=True)]
            for owner, version in versions.items():
                owner.replace_without_vectors(version)
            return changes

    def remove_documents(self, ids: Sequence[str]) -> None:
        owned = by_part(self, ids, str)
        with self._transactions([owner for owner, _ in owned]) as versions:
            for owner, own in owned:
                owner.drop_documents(own, versions[owner])

    def put_vectors(self, encoder: EncoderRow, passages: Sequence[Passage], vectors: Vectors) -> None:
        for part, places in by_part(self, range(len(passages)), lambda place: passages[place].document_id):
            part.put_vectors(_row_of(part, encoder), [passages[place] for place in places], vectors[places])

    def change(self, statement: str, rows: Sequence[Sequence[object]], *, table: str = "") -> None:
        self._refuse()


def _row_of(part: Writer, encoder: EncoderRow) -> EncoderRow:
    """The row of an encoder that all members have."""
    row = same_encoder(part, encoder)
    assert row is not None, "begin_encoder makes the row in each member"
    return row
