"""Temporary directories, and those that a killed process left."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from opendpr.storage.temporary import UNLOCKED_SECONDS, TemporaryFolder, remove_abandoned

PREFIX = "opendpr-test-"
HOLDER = (
    "import sys, time; from opendpr.storage.temporary import TemporaryFolder\n"
    f"folder = TemporaryFolder({PREFIX!r}); (folder.path / 'big').write_text('x'); print(folder.path, flush=True)\n"
    "sys.stdin.read()\n"
)


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    return tmp_path


def test_a_folder_is_gone_once_it_is_closed(temporary: Path) -> None:
    folder = TemporaryFolder(PREFIX)
    (folder.path / "a.txt").write_text("a")
    folder.close()
    assert not any(temporary.iterdir())


def test_the_folder_of_a_killed_process_is_cleared_away_and_that_of_a_living_one_is_not(temporary: Path) -> None:
    mine = TemporaryFolder(PREFIX)
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", HOLDER], stdin=pipe, stdout=pipe, encoding="utf-8") as process:
        assert process.stdout
        other = Path(process.stdout.readline().strip())
        remove_abandoned(PREFIX)
        assert (other / "big").exists()
        process.send_signal(signal.SIGKILL)
        process.wait()
    TemporaryFolder(PREFIX).close()
    assert not other.exists()
    assert mine.path.exists()
    mine.close()


def test_what_has_no_lock_goes_once_it_is_old_and_what_is_of_another_kind_stays(temporary: Path) -> None:
    new, old, other = (temporary / name for name in (f"{PREFIX}new", f"{PREFIX}old", "opendpr-other"))
    for path in (new, old, other):
        path.mkdir()
    long_ago = time.time() - 2 * UNLOCKED_SECONDS
    os.utime(old, (long_ago, long_ago))
    os.utime(other, (long_ago, long_ago))
    remove_abandoned(PREFIX)
    assert set(temporary.iterdir()) == {new, other}
