"""Questions to a folder: what of its cached collection is encoded before an answer and after."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import Option

from opendpr.choices import needs_words
from opendpr.cli.located import indexed
from opendpr.cli.output import say
from opendpr.cli.progress import progress
from opendpr.errors import BusyError

if TYPE_CHECKING:
    from opendpr.answering import Answerer
    from opendpr.collection import Collection
    from opendpr.maintenance.background import BackgroundEncoder
    from opendpr.maintenance.encode import EncodePassages
    from opendpr.model.reader import BertReader
    from opendpr.model.runtime import RuntimeSettings


def first_encoded(question: str | None, where: str | None, retriever: str, reader: BertReader) -> EncodePassages:
    """What of a folder is encoded before it is asked: all, unless one question or a person at a prompt waits."""
    from opendpr.maintenance.encode import encode_missing
    from opendpr.maintenance.on_demand import EncodeBesideReader, EncodeNeeded

    waits = question != "-" and (question is not None or sys.stdin.isatty())
    if not waits or not needs_words(retriever):
        return EncodeBesideReader(reader, encode_missing)
    return EncodeBesideReader(reader, EncodeNeeded([question] if question and retriever == "hybrid" else [], where))


def indexed_for(
    folder: Path,
    model: str,
    runtime: RuntimeSettings,
    *,
    encode: EncodePassages,
    cut: tuple[int | None, int | None],
    silent: bool,
) -> Path:
    """The directory of the cached collection of a folder or a file, brought in sync with it.

    Args:
        cut: words and overlap of its passages, where they are to be others
    """
    from opendpr.maintenance.add import AddSettings
    from opendpr.maintenance.folder import Cut

    return indexed(folder, AddSettings(model, runtime=runtime), cut=Cut(*cut), encode=encode, silent=silent)


WaitForRestOption = Annotated[
    bool, Option("--wait", help="After the answer encode the rest of a folder; without, a later call does.")
]


def incomplete(collection: Collection) -> tuple[int, int] | None:
    """How many passages are encoded, of how many; None if all are."""
    counts = collection.counts()
    encoded, passages = counts["passages"] - counts["to_encode"], counts["passages"]
    return (encoded, passages) if encoded < passages else None


def report_incomplete(collection: Collection) -> None:
    """Say what an answer rests on, if that is not all passages."""
    if counts := incomplete(collection):
        encoded, passages = counts
        say(
            f"answered from {encoded:,} of {passages:,} passages, those that share words with the question among them; "
            "--wait encodes the rest"
        )


def encode_rest(directory: Path, model: str, settings: RuntimeSettings, *, silent: bool) -> None:
    """Encode all that lacks a vector, with a bar."""
    from opendpr.maintenance.add import AddSettings, add

    with progress("encoding", "passages", silent=silent) as on_progress:
        add(directory, [], AddSettings(model, runtime=settings), on_progress=on_progress)


def finish(answerer: Answerer, settings: RuntimeSettings, *, wait: bool, silent: bool) -> None:
    """After an answer from a folder encode the rest of it if that is wanted, else say what the answer rests on."""
    if wait:
        encode_rest(answerer.collection.directory, answerer.model.reference, settings, silent=silent)
    elif not silent:
        report_incomplete(answerer.collection)


def encode_in_background(stack: ExitStack, answerer: Answerer, settings: RuntimeSettings) -> BackgroundEncoder | None:
    """Encode all that lacks a vector until the stack is left; None if another process does."""
    from opendpr.maintenance.background import encoding_in_background
    from opendpr.model.encoder import BertEncoder

    encoder = BertEncoder(answerer.model, settings)
    try:
        return stack.enter_context(encoding_in_background(answerer.collection.directory, encoder))
    except BusyError:
        return None
