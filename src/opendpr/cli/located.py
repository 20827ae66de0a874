"""A collection from the path that a command was given: folders and files are indexed into the cache first."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from opendpr.cli.add import no_documents, show_report
from opendpr.cli.output import say
from opendpr.cli.progress import progress
from opendpr.cli.skipped import report_skipped
from opendpr.errors import UsageError

if TYPE_CHECKING:
    from opendpr.maintenance.add import AddSettings
    from opendpr.maintenance.encode import EncodePassages
    from opendpr.maintenance.folder import Cut, Indexed
    from opendpr.model.runtime import RuntimeSettings


def located(
    path: Path,
    model: str | None = None,
    runtime: RuntimeSettings | None = None,
    *,
    vectors: bool = True,
    encode: EncodePassages | None = None,
    silent: bool = False,
) -> Path:
    """The directory of a collection, or that of the cached one of a folder or a file, brought in sync with it.

    An empty path, or a broken collection, is returned for `open_collection` to refuse.

    Args:
        vectors: False encodes nothing, and needs no model
        encode: gives passages vectors; None gives one to all
        silent: show no progress

    Raises:
        InputError: there are no documents.
    """
    from opendpr.collection.opening import holds_documents

    if not holds_documents(path):
        return path
    from opendpr.maintenance.add import AddSettings
    from opendpr.model.runtime import RuntimeSettings

    settings = AddSettings(model if vectors else None, vectors, runtime or RuntimeSettings())
    return indexed(path, settings, encode=encode, silent=silent)


def indexed(
    path: Path,
    settings: AddSettings,
    *,
    cut: Cut | None = None,
    encode: EncodePassages | None = None,
    silent: bool = False,
) -> Path:
    """The directory of the cached collection of a folder or a file, brought in sync with it; says what changed.

    Args:
        cut: how the documents are to be cut
        encode: gives passages vectors; None gives one to all

    Raises:
        InputError: there are no documents.
    """
    from opendpr.maintenance.add import NoDocumentsError
    from opendpr.maintenance.encode import encode_missing
    from opendpr.maintenance.folder import Cut, index_folder

    with progress("encoding", "passages", silent=silent) as on_progress:
        try:
            done = index_folder(
                path, settings, cut=cut or Cut(), encode=encode or encode_missing, on_progress=on_progress
            )
        except NoDocumentsError as error:
            if error.report.skipped or error.report.skipped_before or error.report.ignored:
                show_report(error.report, path, _adding(path), folder=path)
            raise no_documents(str(path)) from None
    _report(path, done)
    return done.directory


def _adding(path: Path) -> list[str]:
    """The command that makes a collection of a folder, which has options that a folder has not."""
    return ["opendpr add", "NAME", str(path)]


def _report(path: Path, done: Indexed) -> None:
    """What changed, and what cannot be read."""
    report, splitter = done.report, done.cut_again
    if done.busy:
        say(f"{path} is being indexed by another process: what follows is from what was there before")
    if splitter:
        say(f"all documents of {path} were cut again: {splitter.words} {splitter.unit}, overlap {splitter.overlap}")
    if splitter or set(report.documents) - {"unchanged"}:
        show_report(report, path, _adding(path), folder=path)
    else:
        report_skipped(report, path, folder=True)


def located_to_write(path: Path, what: str) -> Path:
    """A collection whose documents or model are to change; a folder's are settled by its files.

    Args:
        what: how they are to change, as `remove documents`

    Raises:
        UsageError: the path is a folder or a file of documents.
    """
    from opendpr.collection.opening import holds_documents

    if holds_documents(path):
        raise UsageError(
            f"{path} is not a collection, its documents are the files on disk; to {what}, make a collection of it with "
            f"'opendpr add NAME {path}', then give NAME to this command"
        )
    return path
