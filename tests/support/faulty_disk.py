"""A disk that fails at the k-th call, below SQLite and its page checksums; and jobs to be disturbed by it.

A program of its own, because the page checksums stack on whatever file system SQLite knows first:

    python faulty_disk.py COLLECTION MODEL JOB STRIDE

Runs JOB on copies of COLLECTION with the 1st call failing, then with the (1 + STRIDE)-th, and so on to the last; only
this call, or also all after it. Prints what came of each as a line of JSON.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import apsw

REASONS = {
    "xOpen": (apsw.CantOpenError, apsw.SQLITE_CANTOPEN),
    "xDelete": (apsw.IOError, apsw.SQLITE_IOERR_DELETE),
    "xRead": (apsw.IOError, apsw.SQLITE_IOERR_READ),
    "xWrite": (apsw.IOError, apsw.SQLITE_IOERR_WRITE),
    "xSync": (apsw.IOError, apsw.SQLITE_IOERR_FSYNC),
    "xTruncate": (apsw.IOError, apsw.SQLITE_IOERR_TRUNCATE),
    "xFileSize": (apsw.IOError, apsw.SQLITE_IOERR_FSTAT),
    "xLock": (apsw.IOError, apsw.SQLITE_IOERR_LOCK),
}
"""What can fail, and as what SQLite would report it of a real disk."""


class Disk:
    """Counts calls; at call `first` it fails, once or for good."""

    def __init__(self) -> None:
        self.calls, self.first, self.for_good, self.failed = 0, 0, False, ""

    def arm(self, first: int, *, for_good: bool) -> None:
        self.calls, self.first, self.for_good, self.failed = 0, first, for_good, ""

    def call(self, name: str) -> None:
        self.calls += 1
        if self.first and (self.calls == self.first or (self.for_good and self.calls > self.first)):
            self.failed = self.failed or name
            kind, code = REASONS[name]
            error = kind(f"the test lets {name} fail")
            error.result, error.extendedresult = code & 0xFF, code
            raise error


disk = Disk()


class FaultyFile(apsw.VFSFile):
    """A file of the real file system whose calls may fail."""

    def __init__(self, name: str | apsw.URIFilename | None, flags: list[int]) -> None:
        disk.call("xOpen")
        super().__init__("unix", name, flags)


class FaultyFileSystem(apsw.VFS):
    """The real file system, some of whose calls may fail."""

    def __init__(self) -> None:
        super().__init__("faulty", "unix", makedefault=True)

    def xOpen(self, name, flags):
        return FaultyFile(name, flags)

    def xDelete(self, name, sync):
        disk.call("xDelete")
        return super().xDelete(name, sync)


def counted(name: str) -> Callable[..., Any]:
    def method(self, *arguments):
        disk.call(name)
        return getattr(apsw.VFSFile, name)(self, *arguments)

    return method


for _name in REASONS.keys() - {"xOpen", "xDelete"}:
    setattr(FaultyFile, _name, counted(_name))


def main(collection: Path, model: Path, job: str, stride: int) -> None:
    file_system = FaultyFileSystem()  # before the page checksums, which stack on it

    from opendpr.collection import open_collection, open_writer
    from opendpr.collection.backup import write_backup
    from opendpr.collection.database import DATABASE
    from opendpr.collection.verify import verify_store
    from opendpr.errors import OpendprError
    from opendpr.maintenance.add import add_documents
    from opendpr.maintenance.remove import remove
    from opendpr.model.directory import find_model
    from opendpr.model.encoder import BertEncoder
    from opendpr.model.runtime import RuntimeSettings
    from opendpr.search.bm25 import verify_bm25
    from opendpr.search.live import LiveSnapshot
    from opendpr.search.retrievers import HybridRetriever
    from opendpr.types import Document

    encoder = BertEncoder(find_model(str(model)), RuntimeSettings(precision="fp32"))
    given = [Document(f"d{number}", "T", f"new words {number} " * 30) for number in range(3)]

    def put(directory: Path, document: Document) -> None:
        with open_writer(directory) as writer:
            add_documents(writer, [document], encoder)

    def take(directory: Path) -> None:
        with open_writer(directory) as writer:
            remove(writer, ["d0"])

    def search(directory: Path) -> object:
        with open_collection(directory) as opened:
            [hits] = HybridRetriever(LiveSnapshot(opened), encoder, 1.0).retrieve(["words 1"], 5)
            return [(hit.passage.number, hit.passage.text, round(hit.score, 3)) for hit in hits]

    def verify(directory: Path) -> object:
        with open_collection(directory) as opened:
            if problems := verify_store(opened) + verify_bm25(opened):
                raise OpendprError(problems[0])

    def back_up(directory: Path) -> None:
        shutil.rmtree(directory.with_name("backup"), ignore_errors=True)
        with open_collection(directory) as opened:
            write_backup(opened, directory.with_name("backup"))

    jobs: dict[str, Callable[[Path], object]] = {
        "create": lambda directory: put(directory, given[2]),
        "add": lambda directory: put(directory, given[2]),
        "replace": lambda directory: put(directory, given[1]),
        "remove": take,
        "search": search,
        "verify": verify,
        "backup": back_up,
    }

    def state(directory: Path) -> object:
        """What the collection holds, once it is found to be sound."""
        if not (directory / DATABASE).exists():
            return {}
        verify(directory)
        with open_collection(directory) as opened:
            return {summary.id: opened.document(summary.id).text for summary in opened.summaries()}

    def attempt(function: Callable[[Path], object], directory: Path) -> tuple[object, str, int]:
        """What the function returns; or the class and exit code of its error, 0 where it is none of ours."""
        try:
            return function(directory), "", 0
        except OpendprError as error:
            return None, f"{type(error).__name__}: {error}", error.exit_code
        except Exception as error:  # noqa: BLE001  # what must not happen is what is looked for
            return None, f"{type(error).__name__}: {error}", 0

    def copy(folder: Path) -> Path:
        if job != "create":
            shutil.copytree(collection, folder / "notes")
        return folder / "notes"

    sys.unraisablehook = lambda unraisable: None  # of calls whose failure SQLite takes no notice of
    with tempfile.TemporaryDirectory() as name:
        directory = copy(Path(name))
        before = state(directory)
        disk.arm(0, for_good=False)
        outcome = jobs[job](directory)
        last, after = disk.calls, state(directory)
    print(json.dumps({"calls": last, "changed": before != after}))
    failing = [(first, for_good) for first in range(1, last + 1, stride) for for_good in (False, True)]
    for first, for_good in failing:
        with tempfile.TemporaryDirectory() as name:
            directory = copy(Path(name))
            disk.arm(first, for_good=for_good)
            result, error, code = attempt(jobs[job], directory)
            failed = disk.failed
            disk.arm(0, for_good=False)
            left, unsound, _ = attempt(state, directory)
            again, again_error, _ = attempt(jobs[job], directory)
            end, end_error, _ = attempt(state, directory)
        left_is = [name for name, one in (("before", before), ("after", after)) if one == left]
        record = {
            "call": first,
            "failed": failed,
            "error": error,
            "code": code,
            "wrong": not error and result != outcome,
            "unsound": unsound,
            "left": left_is,
            "again": again_error or end_error,
            "complete": again == outcome and end == after,
        }
        print(json.dumps(record), flush=True)
    file_system.unregister()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], int(sys.argv[4]))
