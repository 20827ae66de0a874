"""Building the cache of vectors in stages, each of which survives a kill; see `dense.py` for its files."""

from __future__ import annotations

import logging
import os
import shutil
import time
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np

from opendpr.collection import Writer
from opendpr.collection.rows import VECTOR_DTYPE
from opendpr.errors import ResourceError, StateError
from opendpr.iteration import OnStage
from opendpr.search.built import DENSE_FORMAT, BuiltIndex
from opendpr.search.cost import LIST_SAMPLE_VECTORS, estimates, ivf_lists
from opendpr.search.dense import (
    CODES_FILE,
    DENSE_DIRECTORY,
    NUMBER_DTYPE,
    NUMBERS_FILE,
    VECTORS_FILE,
    built_index,
    map_vectors,
)
from opendpr.search.effort import choose_effort
from opendpr.search.faiss import Codes, factory
from opendpr.search.ivf import Effort, IvfIndex
from opendpr.search.recall import Ask
from opendpr.search.seen import read_seen, write_seen
from opendpr.search.settings import BuildSettings
from opendpr.storage.atomic import make_directory, sync
from opendpr.storage.digests import file_sha256
from opendpr.wording import readable_size

logger = logging.getLogger(__name__)

PROGRESS_FILE, TRAINED_FILE, PARTIAL_FILE = "progress.json", "trained.faiss", "partial.faiss"


class _Build(NamedTuple):
    """A build in progress."""

    directory: Path
    dim: int
    progress: dict[str, Any]
    """The content of `progress.json`: what of a `BuiltIndex` is known, and how far the stages have come."""
    begun: float
    """When it would have begun, on this process's clock, had it not been interrupted."""

    def note(self, **changes: object) -> None:
        """Record what is safely on the disk."""
        self.progress.update(changes, seconds=round(time.monotonic() - self.begun, 1))
        write_seen(self.directory, self.progress, PROGRESS_FILE)


def build_dense(
    writer: Writer,
    *,
    ask: Ask | None = None,
    on_progress: OnStage = lambda what, done, total: None,
    settings: BuildSettings = BuildSettings(),
) -> BuiltIndex:
    """Build the cache from all vectors, and find the effort that reaches the recall.

    A kill costs at most the stage that it interrupts: the same call goes on from there. If nothing changed since the
    last build, only the effort is chosen again.

    Args:
        ask: makes the questions that recall is measured with; None if the vectors of passages serve

    Raises:
        ResourceError: the disk or the memory is too small.
        StateError: the first passage has no vector.
    """
    directory = writer.directory / DENSE_DIRECTORY
    try:
        make_directory(directory)
        build = _begin(writer, directory, settings.recall)
        codes = _complete_codes(writer, build, on_progress, settings)
        rows, dim = build.progress["rows"], build.dim
        numbers = np.fromfile(build.directory / NUMBERS_FILE, dtype=NUMBER_DTYPE)
        vectors = map_vectors(build.directory, rows, dim)
        index = IvfIndex(codes, numbers, vectors, Effort(1, 1), settings=settings.ivf)
        measured = choose_effort(index, settings.recall, ask=ask, on_progress=on_progress, settings=settings.effort)
        build_fields = {"factory": factory(dim, index.lists), "build": build.directory.name}
        built = BuiltIndex.from_json({**build.progress, **measured.as_json(), **build_fields})
        sync(build.directory)
        write_seen(directory, built.as_json())  # from here on it serves
        _clear(directory, keep=build.directory.name)
    except OSError as error:
        raise ResourceError(
            f"the index in {directory} could not be written ({error.strerror or error}); free disk and run the same "
            "command again, which goes on; the documents themselves are safe"
        ) from None
    return built


def _complete_codes(writer: Writer, build: _Build, on_progress: OnStage, settings: BuildSettings) -> Codes:
    """The codes of all vectors: those of a complete build, else made now.

    Raises:
        StateError: the first passage has no vector.
    """
    if "files" in build.progress:
        return Codes.load(build.directory / CODES_FILE)
    _copy(writer, build, on_progress, settings)
    if not build.progress["rows"]:
        raise StateError(
            f"the first passage of {writer.directory} has no vector, and an index takes those up to the first "
            f"one without; run 'opendpr encode {writer.directory}' first"
        )
    codes = _code(build, on_progress, settings)
    codes.save(build.directory / CODES_FILE)
    build.note(files={name: file_sha256(build.directory / name) for name in (CODES_FILE, VECTORS_FILE, NUMBERS_FILE)})
    for name in (TRAINED_FILE, PARTIAL_FILE):
        (build.directory / name).unlink(missing_ok=True)
    return codes


def _begin(writer: Writer, directory: Path, recall: float) -> _Build:
    """The build of this state of the collection if there is one, complete or interrupted, else a new one."""
    row, version = writer.require_encoder(), writer.version()
    identity: dict[str, Any] = {
        "format": DENSE_FORMAT,
        "collection_id": writer.id,
        **version._asdict(),
        "fingerprint": row.fingerprint,
        "dim": row.dim,
    }
    serving = built_index(writer)
    numbered = {int(path.name[6:]): path for path in directory.glob("build-*") if path.name[6:].isdecimal()}
    builds = [numbered[number] for number in sorted(numbered)]
    for path in reversed(builds):
        try:
            progress = read_seen(path, PROGRESS_FILE)
        except (OSError, ValueError):
            continue
        if {key: progress.get(key) for key in identity} == identity and _is_whole(path, progress):
            logger.info("%s goes on", path)
            for half_written in path.glob("*.tmp"):  # by the process that was killed
                half_written.unlink()
            return _Build(path, row.dim, progress, time.monotonic() - progress["seconds"])
    _clear(directory, keep=serving.build if serving else "")
    offers = estimates(writer.count_passages(), row.dim, recall=recall)
    needed = next(offer.index_bytes for offer in offers if offer.kind == "ivf")
    if (free := shutil.disk_usage(directory).free) < needed:
        raise ResourceError(
            f"the index in {directory} takes {readable_size(needed)}, {readable_size(free)} are free; free disk "
            "and run the same command again"
        )
    build = _Build(directory / f"build-{max(numbered, default=0) + 1}", row.dim, identity, time.monotonic())
    build.directory.mkdir()
    sync(directory)
    build.note(rows=0, last_number=0)
    return build


def _is_whole(path: Path, progress: dict[str, Any]) -> bool:
    """Whether the files that were noted are there; those of a complete build must also be what was written."""
    try:
        if "files" in progress:
            return all(file_sha256(path / name) == stored for name, stored in progress["files"].items())
        sizes = (
            [(path / VECTORS_FILE).stat().st_size, (path / NUMBERS_FILE).stat().st_size] if progress["rows"] else [0, 0]
        )
    except OSError:
        return False
    rows = int(progress["rows"])
    return sizes[0] >= rows * int(progress["dim"]) * VECTOR_DTYPE.itemsize and sizes[1] >= rows * NUMBER_DTYPE.itemsize


def _clear(directory: Path, *, keep: str) -> None:
    """Remove the builds that do not serve."""
    for path in directory.glob("build-*"):
        if path.name != keep:
            shutil.rmtree(path, ignore_errors=True)


def _copy(writer: Writer, build: _Build, on_progress: OnStage, settings: BuildSettings) -> None:
    """Copy the vectors of the store to files, up to the first passage that has none yet."""
    if build.progress.get("copied"):
        return
    missing = next(writer.without_vector(writer.require_encoder().encoder), None)
    end = missing[0].number if missing else np.iinfo(np.int64).max
    rows, last, total = build.progress["rows"], build.progress["last_number"], writer.count_passages()
    noted = rows
    with (build.directory / VECTORS_FILE).open("ab") as vectors, (build.directory / NUMBERS_FILE).open("ab") as numbers:
        vectors.truncate(rows * build.dim * VECTOR_DTYPE.itemsize)
        numbers.truncate(rows * NUMBER_DTYPE.itemsize)
        for piece, stored in writer.vectors(last):
            kept = int(np.searchsorted(piece, end))
            vectors.write(stored[:kept].astype(VECTOR_DTYPE, copy=False).tobytes())
            numbers.write(piece[:kept].astype(NUMBER_DTYPE, copy=False).tobytes())
            rows += kept
            last = int(piece[kept - 1]) if kept else last
            on_progress("copying", rows, total)
            if rows - noted >= settings.vectors_per_note:
                _sync(vectors, numbers)
                build.note(rows=rows, last_number=last)
                noted = rows
            if kept < len(piece):
                break
        _sync(vectors, numbers)
    build.note(rows=rows, last_number=last, copied=True)


def _sync(*files: BinaryIO) -> None:
    for file in files:
        file.flush()
        os.fsync(file.fileno())


def _code(build: _Build, on_progress: OnStage, settings: BuildSettings) -> Codes:
    """The codes of all vectors, in their order."""
    rows = build.progress["rows"]
    vectors = map_vectors(build.directory, rows, build.dim)
    codes = _load_noted(build, PARTIAL_FILE) or _load_noted(build, TRAINED_FILE)
    if codes is None:
        lists = ivf_lists(rows)
        on_progress("training", 0, 0)
        chosen = np.random.default_rng(settings.sample_seed).choice(
            rows, min(rows, LIST_SAMPLE_VECTORS * lists), replace=False
        )
        codes = Codes.train(vectors[np.sort(chosen)].astype(np.float32), lists)
        _save_noted(build, TRAINED_FILE, codes)
    done = noted = len(codes)
    while done < rows:
        batch = vectors[done : done + settings.coding_batch_vectors].astype(np.float32)
        codes.add(batch)
        done += len(batch)
        on_progress("indexing", done, rows)
        if done - noted >= settings.vectors_per_save:
            _save_noted(build, PARTIAL_FILE, codes)
            noted = done
    return codes


def _save_noted(build: _Build, name: str, codes: Codes) -> None:
    codes.save(build.directory / name)
    build.note(**{name: file_sha256(build.directory / name)})


def _load_noted(build: _Build, name: str) -> Codes | None:
    """The index of an interrupted build, if it is the one that was noted: a kill can come between file and note."""
    path = build.directory / name
    if path.exists() and file_sha256(path) == build.progress.get(name):
        return Codes.load(path)
    return None
