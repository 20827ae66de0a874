"""The command line of opendpr run in the process of the test: what it prints and its exit code, as of a process."""

from __future__ import annotations

import io
import logging
import os
import signal
import subprocess
import sys
import traceback
import warnings
from collections.abc import Iterator, Mapping
from contextlib import chdir, contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from types import ModuleType

import opendpr
from opendpr import cli

PROGRAM = Path(opendpr.__file__).parent / "__main__.py"


def run_in_process(
    arguments: list[str],
    *,
    environment: Mapping[str, str],
    cwd: Path | str = ".",
    input: str = "",
    merged: bool = False,
) -> subprocess.CompletedProcess[str]:
    """Do what `python -m opendpr` with these arguments does; a start of Python and its imports is saved.

    Args:
        merged: stderr goes to stdout, as by `2>&1`
    """
    stdin, stdout, other = (
        io.TextIOWrapper(io.BytesIO(content), encoding="utf-8") for content in (input.encode(), b"", b"")
    )
    stderr = stdout if merged else other
    program = _as_program(arguments, environment, stdin)
    with chdir(cwd), program, redirect_stdout(stdout), redirect_stderr(stderr):
        code = _exit_code()
    return subprocess.CompletedProcess(arguments, code, _written(stdout), _written(other))


def _exit_code() -> int:
    try:
        cli.main()
    except SystemExit as leaving:
        return leaving.code if isinstance(leaving.code, int) else int(leaving.code is not None)
    except Exception:  # noqa: BLE001 -- an error that nobody expected is a traceback of the process
        traceback.print_exc()
        return 1
    return 0


def _written(stream: io.TextIOWrapper) -> str:
    """All that was written, with line ends as `subprocess` gives them."""
    stream.flush()
    stream.seek(0)
    return stream.read()


@contextmanager
def _as_program(arguments: list[str], environment: Mapping[str, str], stdin: io.TextIOWrapper) -> Iterator[None]:
    """What a process has to itself is set for a command, and afterwards put back for the tests."""
    log, interrupt = logging.getLogger(), signal.getsignal(signal.SIGINT)
    before = dict(os.environ), sys.argv, sys.stdin, sys.modules["__main__"], log.handlers, log.level
    main = ModuleType("__main__")
    main.__package__ = "opendpr"
    os.environ.clear()
    os.environ.update(environment)
    sys.argv, sys.stdin, sys.modules["__main__"], log.handlers = [str(PROGRAM), *arguments], stdin, main, []
    try:
        with warnings.catch_warnings():
            _show_warnings_as_python_does()
            yield
    finally:
        os.environ.clear()
        inherited, sys.argv, sys.stdin, sys.modules["__main__"], log.handlers, level = before
        os.environ.update(inherited)
        log.setLevel(level)
        signal.signal(signal.SIGINT, interrupt)


def _show_warnings_as_python_does() -> None:
    warnings.resetwarnings()
    for category in (DeprecationWarning, PendingDeprecationWarning, ImportWarning, ResourceWarning):
        warnings.simplefilter("ignore", category)
    warnings.showwarning = lambda message, category, file, line, *_: sys.stderr.write(
        warnings.formatwarning(message, category, file, line)
    )
