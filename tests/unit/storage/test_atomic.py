"""Files and directories appear whole, on the disk and under their name, or not at all."""

from __future__ import annotations

import json
import os
import resource
import shutil
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from disk_log import record
from opendpr.storage.atomic import make_directory, put_in_place, replacing, write_json
from opendpr.storage.compression import open_binary, open_output
from opendpr.storage.lines import write_lines

LIMIT_BYTES = 4_096


@contextmanager
def small_files() -> Iterator[None]:
    """No file may grow past a limit, as if the disk were full."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (LIMIT_BYTES, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)


def files(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in directory.iterdir()}


def test_new_content_takes_the_place_of_the_old(tmp_path):
    for content in ({"first": 1}, {"second": "é"}):
        write_json(tmp_path / "settings.json", content)
        assert json.loads((tmp_path / "settings.json").read_bytes()) == content
    assert files(tmp_path).keys() == {"settings.json"}


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path):
    write_json(tmp_path / "settings.json", {"old": True})
    before = files(tmp_path)
    with pytest.raises(OSError, match="large"), small_files():
        write_json(tmp_path / "settings.json", ["x" * LIMIT_BYTES])
    assert files(tmp_path) == before


@pytest.mark.parametrize("name", ["lines.txt", "lines.txt.gz", "lines.txt.zst", "lines.txt.xz"])
def test_an_output_that_fails_leaves_the_old_file_and_nothing_else(tmp_path, name):
    write_lines(tmp_path / name, ["old\n"])
    before = files(tmp_path)
    noise = (os.urandom(1_000).hex() for _ in range(100))
    with pytest.raises(OSError, match="large"), small_files():
        write_lines(tmp_path / name, noise)
    assert files(tmp_path) == before


def test_an_error_while_content_is_made_leaves_the_old_file(tmp_path):
    write_lines(tmp_path / "run.jsonl", ["old\n"])
    with pytest.raises(KeyboardInterrupt), open_output(tmp_path / "run.jsonl") as file:
        file.write(b"half of")
        raise KeyboardInterrupt
    assert files(tmp_path) == {"run.jsonl": b"old\n"}


def test_a_failed_write_does_not_hide_its_cause(tmp_path):
    with pytest.raises(FileNotFoundError, match="not there"), open_output(tmp_path / "not there" / "a.txt"):
        pass
    with pytest.raises(ValueError, match="the cause"), replacing(tmp_path / "a.txt"):
        raise ValueError("the cause")


def test_a_device_is_written_directly():
    write_lines(Path("/dev/null"), ["gone\n"])
    assert Path("/dev/null").is_char_device()


def test_a_directory_takes_its_name_whole(tmp_path):
    (tmp_path / "making" / "below").mkdir(parents=True)
    (tmp_path / "making" / "below" / "file").write_text("content")
    put_in_place(tmp_path / "making", tmp_path / "made")
    assert (tmp_path / "made" / "below" / "file").read_text() == "content"
    (tmp_path / "making").mkdir()
    with pytest.raises(OSError, match="not empty"):
        put_in_place(tmp_path / "making", tmp_path / "made")


def test_what_is_compressed_is_read_back(tmp_path):
    for ending in ("", ".gz", ".bz2", ".xz", ".zst"):
        path = tmp_path / f"lines{ending}"
        assert write_lines(path, ["one\n", "zwei ü\n"]) == 2
        with open_binary(path) as file:
            assert file.read().decode() == "one\nzwei ü\n"


def test_content_is_synced_before_its_name_and_the_name_before_it_is_acknowledged(tmp_path):
    if shutil.which("strace") is None:
        pytest.skip("needs strace")
    script = (
        "import os, sys, pathlib\n"
        "from opendpr.storage.atomic import make_directory, write_json\n"
        "directory = pathlib.Path(sys.argv[1]) / 'new'\n"
        "make_directory(directory)\n"
        "write_json(directory / 'a.json', 1)\n"
        "os.write(1, b'done')\n"
    )
    folder = tmp_path / "folder"
    folder.mkdir()
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    try:
        events = record(["-c", script, str(folder)], folder, tmp_path / "log", environment)
    except OSError as error:
        pytest.skip(f"strace cannot trace here: {error}")
    calls = [(event.call, Path(event.path).name, Path(event.target).name) for event in events]
    directory, content = ("sync", "new", ""), [call for call in calls if call[0] == "sync" and "a.json." in call[1]]
    rename = next(call for call in calls if call[0] == "rename")
    order = [("mkdir", "new", ""), ("sync", "folder", ""), content[0], rename, directory, ("say", "", "")]
    assert rename[2] == "a.json"
    assert [calls.index(call) for call in order] == sorted(calls.index(call) for call in order)


def test_a_directory_that_is_there_is_left_as_it_is(tmp_path):
    make_directory(tmp_path / "a" / "b")
    (tmp_path / "a" / "b" / "file").touch()
    make_directory(tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b" / "file").exists()
