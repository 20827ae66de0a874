"""What a process did to a folder, as strace saw it, and the disks that a power cut could have left behind."""

from __future__ import annotations

import os
import random
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

CALLS = (
    "openat,creat,write,pwrite64,pwritev,pwritev2,writev,ftruncate,truncate,fallocate,copy_file_range,sendfile,fsync,"
    "fdatasync,rename,renameat,renameat2,unlink,unlinkat,rmdir,link,linkat,symlink,symlinkat,mkdir,mkdirat"
)
SECTOR_BYTES = 512
"""What a disk writes wholly or not at all."""

_LINE = re.compile(r"(?P<call>\w+)\((?P<arguments>.*)\) += (?P<result>-?\d+)")
_STRING = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')
_DESCRIPTOR = re.compile(r"(\w+)<((?:\\x[0-9a-f]{2})*)>")


@dataclass(frozen=True)
class Event:
    """Something that changes a disk, makes changes outlast a power cut, or is said on standard output.

    `call` is one of make, mkdir, write, cut, sync, rename, remove, say.
    """

    call: str
    path: str
    data: bytes = b""
    place: int = -1
    """Offset of a write (-1: where the last one ended) or the size of a file that is cut."""
    target: str = ""


def record(arguments: Sequence[str], folder: Path, log: Path, environment: dict[str, str]) -> list[Event]:
    """Run Python with arguments, and tell what it did below `folder` and said.

    Raises:
        OSError: there is no strace, or it may not trace.
    """
    strace = ["strace", "-f", "-y", "-xx", "-s", "100000000", "-e", f"trace={CALLS}", "-o", str(log)]
    done = subprocess.run([*strace, sys.executable, *arguments], env=environment, capture_output=True, text=True)
    if not log.exists() or not log.stat().st_size:
        raise OSError(done.stderr)
    assert done.returncode == 0, done.stderr
    return [event for event in _events(log) if event.call == "say" or _below(event.path, folder)]


def _below(path: str, folder: Path) -> bool:
    """In the folder or the folder itself; shared memory of SQLite is rebuilt and never read after a power cut."""
    return (path == str(folder) or path.startswith(f"{folder}/")) and not path.endswith("-shm")


def _events(log: Path) -> Iterator[Event]:
    begun: dict[str, str] = {}
    for line in log.read_text(encoding="ascii").splitlines():
        process, _, call = line.partition(" ")
        call = call.strip()
        if call.endswith("<unfinished ...>"):
            begun[process] = call.removesuffix("<unfinished ...>").rstrip()
            continue
        if resumed := re.match(r"<\.\.\. \w+ resumed>(.*)", call):
            call = begun.pop(process) + resumed[1]
        if (found := _LINE.match(call)) and int(found["result"]) >= 0:
            yield from _event(found["call"], found["arguments"], int(found["result"]))


def _event(call: str, arguments: str, result: int) -> Iterator[Event]:
    strings = [_bytes(one) for one in _STRING.findall(arguments)]
    number, path = next(((number, _bytes(path).decode()) for number, path in _DESCRIPTOR.findall(arguments)), ("", ""))
    flags = _STRING.sub("", arguments)
    if call == "openat":
        name = os.path.join(path, strings[0].decode())
        if "O_CREAT" in flags:
            yield Event("make", name)
        if "O_TRUNC" in flags:
            yield Event("cut", name, place=0)
    elif call in ("mkdir", "mkdirat"):
        yield Event("mkdir", os.path.join(path or os.getcwd(), strings[0].decode()))
    elif call == "write" and number == "1":
        yield Event("say", "", strings[0])
    elif call in ("write", "pwrite64"):
        place = int(arguments.rsplit(",", 1)[1]) if call == "pwrite64" else -1
        yield Event("write", path, strings[0][:result], place)
    elif call == "ftruncate":
        yield Event("cut", path, place=int(arguments.rsplit(",", 1)[1]))
    elif call in ("fsync", "fdatasync"):
        yield Event("sync", path)
    elif call.startswith("rename"):
        names = [os.path.join(path, string.decode()) for string in strings]
        yield Event("rename", names[0], target=names[1])
    elif call in ("unlink", "unlinkat", "rmdir"):
        yield Event("remove", os.path.join(path, strings[0].decode()))
    else:
        raise NotImplementedError(f"{call}({arguments[:200]}")


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text.replace("\\x", ""))


@dataclass
class File:
    """The content that is safe, and what was done to it since."""

    safe: bytearray = field(default_factory=bytearray)
    pending: list[Event] = field(default_factory=list)
    place: int = 0
    """Where the last write ended."""


class Disk:
    """A folder as a disk holds it while events happen, some of them not safe yet."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files: dict[str, File] = {}
        self._named: list[tuple[Event, File | None]] = []
        """Every change of a name, in order, with the file that was made."""
        self._unsafe: dict[str, list[int]] = {}
        """By directory, the places in `_named` that a power cut can undo."""

    def happen(self, event: Event) -> None:
        match event.call:
            case "make" if event.path not in self._files:
                self._files[event.path] = File()
                self._name(event, self._files[event.path])
            case "mkdir":
                self._name(event)
            case "rename":
                self._name(event)
                self._files[event.target] = self._files.pop(event.path)
            case "remove":
                self._name(event)
                self._files.pop(event.path, None)
            case "write" | "cut" if event.path in self._files:
                self._change(self._files[event.path], event)
            case "sync" if event.path in self._files:
                file = self._files[event.path]
                for one in file.pending:
                    _apply(file.safe, one)
                file.pending.clear()
            case "sync":
                self._unsafe.pop(event.path, None)

    def _name(self, event: Event, file: File | None = None) -> None:
        self._unsafe.setdefault(os.path.dirname(event.path), []).append(len(self._named))
        self._named.append((event, file))

    def _change(self, file: File, event: Event) -> None:
        if event.call == "write":
            place = file.place if event.place < 0 else event.place
            file.place = place + len(event.data)
            event = Event("write", event.path, event.data, place)
        else:
            file.place = min(file.place, event.place)
        file.pending.append(event)

    def cut_power(self, generator: random.Random, place: Path) -> None:
        """Write to a new folder what may be left: of what was not safe some, in any order, writes torn at sectors.

        Of the changes of names in a directory the first ones are kept, as a journal does.
        """
        lost = set()
        for unsafe in self._unsafe.values():
            lost.update(unsafe[generator.choice([0, len(unsafe), generator.randint(0, len(unsafe))]) :])
        names: dict[str, File | None] = {}
        for number, (event, file) in enumerate(self._named):
            if number in lost:
                continue
            if event.call == "rename" and event.path in names:
                names[event.target] = names.pop(event.path)
            elif event.call == "remove":
                names.pop(event.path, None)
            elif event.call in ("make", "mkdir"):
                names[event.path] = file
        place.mkdir()
        kept = generator.choice([0.0, 0.5, 0.9, 1.0])
        for path in sorted(names):
            copy, file = place / os.path.relpath(path, self._folder), names[path]
            if not copy.parent.is_dir():
                continue
            if file is None:
                copy.mkdir()
            else:
                copy.write_bytes(_left(file, kept, generator))


def _left(file: File, kept: float, generator: random.Random) -> bytes:
    content = bytearray(file.safe)
    for event in file.pending:
        if generator.random() < kept:
            _apply(content, event)
        elif event.call == "write" and generator.random() < 0.2:
            end = SECTOR_BYTES - event.place % SECTOR_BYTES
            sectors = [event.data[:end]]
            sectors += [event.data[i : i + SECTOR_BYTES] for i in range(end, len(event.data), SECTOR_BYTES)]
            first = sectors[: generator.randint(0, len(sectors))]
            _apply(content, Event("write", event.path, b"".join(first), event.place))
    return bytes(content)


def _apply(content: bytearray, event: Event) -> None:
    if event.call == "cut":
        del content[event.place :]
        content.extend(bytes(event.place - len(content)))
    elif event.data:
        content.extend(bytes(max(0, event.place - len(content))))
        content[event.place : event.place + len(event.data)] = event.data
