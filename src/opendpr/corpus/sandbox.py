"""Parsers at arm's length: a child process reads what may be crafted to harm, and can be killed.

One child serves many files, since starting one takes a fifth of a second; the next file gets a new one if it died.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from threading import Event, Timer
from typing import Any

from opendpr.corpus.source import TEXT_BYTES, Reading, Source
from opendpr.errors import ResourceError
from opendpr.types import Document

SECONDS = 60.0
"""Time for one file, and as much again for each `MEGABYTES` of it."""
MEGABYTES = 6
MEMORY_BYTES = 1 << 30
ANSWER_BYTES = 16_000_000
"""Longest line that is taken from the child: title, metadata and problems of one file."""
OUT_OF_TIME = getattr(signal, "SIGXCPU", 0)  # not on Windows


class Sandbox:
    """Reads files with the parsers of `child.py`. Close it after use."""

    def __init__(self, *, seconds: float = SECONDS, memory_bytes: int = MEMORY_BYTES) -> None:
        self._seconds = seconds
        self._memory_bytes = memory_bytes
        self._process: subprocess.Popen[bytes] | None = None

    def read(self, kind: str, path: Path, source: Source) -> Iterator[Reading]:
        """The documents of a file, or why there is none; several are numbered from 1."""
        seconds = self._seconds * (1 + path.stat().st_size / (MEGABYTES * 1_000_000))
        try:
            answer, text = self._ask({"kind": kind, "path": os.path.abspath(path), "seconds": seconds}, seconds)
        except BaseException:
            self.close()  # an answer may be half read
            raise
        if "error" in answer:
            yield source.place, answer["error"]
            return
        start = 0
        for number, described in enumerate(answer["documents"], start=1):
            piece = text[start : start + described["bytes"]].decode()
            start += described["bytes"]
            id = f"{source.id}:{number}" if answer["numbered"] else source.id
            metadata = {**described["metadata"], **source.metadata}
            yield source.place, Document(id, described["title"] or source.title, piece, metadata)
        for where, problem in answer["problems"]:
            yield f"{source.place}, {where}", problem

    def close(self) -> None:
        """End the child."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.communicate()

    def _ask(self, request: dict[str, object], seconds: float) -> tuple[dict[str, Any], bytes]:
        """What the child answers, with the text; an `error` if it died over it."""
        process, late = self._start(), Event()
        assert process.stdin is not None
        assert process.stdout is not None
        timer = Timer(seconds, kill, (process, late))
        timer.daemon = True
        timer.start()
        try:
            process.stdin.write(json.dumps(request).encode() + b"\n")
            process.stdin.flush()
            answer: dict[str, Any] = json.loads(process.stdout.readline(ANSWER_BYTES))
            size = min(sum(document["bytes"] for document in answer.get("documents", ())), TEXT_BYTES)
            data = process.stdout.read(size)
            if len(data) == size and answer.get("error") != "memory":
                return answer, data
        except (BrokenPipeError, ValueError):
            answer = {}  # it died, or its answer is too long
        finally:
            timer.cancel()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(1)
        self.close()
        if late.is_set() or process.returncode == -OUT_OF_TIME:
            return {"error": f"takes more than {seconds:,.0f} s to read"}, b""
        if answer.get("error") == "memory":
            return {"error": f"takes more than {self._memory_bytes // 1_000_000:,} MB of memory to read"}, b""
        return {"error": f"the parser died of it (exit status {process.returncode})"}, b""

    def _start(self) -> subprocess.Popen[bytes]:
        """The child that runs, or a new one."""
        if self._process is not None and self._process.poll() is None:
            return self._process
        self.close()
        path = os.pathsep.join(entry or os.getcwd() for entry in sys.path)
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "opendpr.corpus.child", str(self._memory_bytes)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": path, "OPENBLAS_NUM_THREADS": "1"},
        )
        self._process = process
        assert process.stdout is not None
        if process.stdout.readline(100) != b"ready\n":
            self.close()
            raise ResourceError(
                "the process that reads HTML, PDF, .docx and the like cannot be started; free memory, or allow "
                "more processes (ulimit -u)"
            )
        return process


def kill(process: subprocess.Popen[bytes], late: Event) -> None:
    """End a process that takes too long, and say that this was why."""
    late.set()
    process.kill()
