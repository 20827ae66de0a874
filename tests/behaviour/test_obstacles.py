"""A machine that does not play along (other writers, full disks, Ctrl-C): a message, an exit code, nothing lost."""

from __future__ import annotations

import os
import pty
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from conftest import SECONDS, contents, write_documents

from opendpr.collection import open_collection, open_writer
from opendpr.collection.database import DATABASE
from opendpr.collection.opening import LOCK_FILE
from opendpr.corpus import Corpus
from opendpr.errors import ResourceError
from opendpr.search.bm25 import update_bm25
from opendpr.search.live import LiveSnapshot
from opendpr.search.retrievers import Bm25Retriever
from refusals import QUESTION, forbid, make_letters, refused, without_root_privileges

__all__ = ["forbid"]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, tiny_model: Path) -> Path:
    """The collection, made once."""
    return make_letters(tmp_path_factory.mktemp("made"), tiny_model)


@pytest.fixture
def notes(made: Path, tmp_path: Path) -> Path:
    """A copy of the collection for one test."""
    shutil.copytree(made, tmp_path / "notes")
    return tmp_path / "notes"


# Other processes


def test_a_second_writer_is_busy_or_waits_and_readers_never_wait(run, start, notes, tmp_path):
    docs = write_documents(tmp_path / "docs", 1, 30)
    with open_writer(notes):
        refused(run("add", notes, docs), 7, "another process is writing", "--wait")
        assert run("search", notes, QUESTION).returncode == 0
        waiting = start("add", notes, docs, "--wait", "60")
        while not holds_open(waiting.pid, notes / LOCK_FILE):
            assert waiting.poll() is None
            time.sleep(0.02)
    _, errors = waiting.communicate(timeout=SECONDS)
    assert waiting.returncode == 0, errors
    assert "1 added" in errors


def holds_open(process: int, path: Path) -> bool:
    """Whether a process has tried to lock the file, or has come further."""
    folder = Path(f"/proc/{process}/fd")
    if not folder.exists():
        pytest.skip("needs /proc")
    modules = Path(f"/proc/{process}/maps").read_text(encoding="utf-8", errors="replace")
    return "apsw" in modules or any(os.path.realpath(one) == str(path) for one in folder.iterdir())


# Disks


def finishes(run: Callable[..., subprocess.CompletedProcess[str]], notes: Path, docs: Path, expected: Path) -> None:
    """The same command, once there is room, ends as if nothing had happened."""
    result = run("add", notes, docs)
    assert result.returncode == 0, result.stderr
    assert {key: one[:2] for key, one in contents(notes).items()} == {
        key: one[:2] for key, one in contents(expected).items()
    }
    assert all(vector for _, _, vector in contents(notes).values())
    with open_collection(notes) as collection:
        assert collection.counts()["to_encode"] == 0
        assert collection.document("007.txt").text == (docs / "007.txt").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory, made: Path) -> Path:
    """The collection with 60 documents more, and the folder `docs` of them beside it."""
    folder = tmp_path_factory.mktemp("undisturbed")
    write_documents(folder / "docs")
    shutil.copytree(made, folder / "notes")
    arguments = [sys.executable, "-m", "opendpr", "add", folder / "notes", folder / "docs"]
    subprocess.run(list(map(str, arguments)), check=True, capture_output=True)
    return folder


def short_and_long(short: list[int], long: list[int]) -> list[object]:
    return [*short, *(pytest.param(one, marks=pytest.mark.slow) for one in long if one not in short)]


def keeps_and_answers(run, notes, before, **keywords):
    """What was there before a command failed is there still, and is found."""
    assert before.items() <= contents(notes).items()
    result = run("search", notes, QUESTION, "--json", **keywords)
    assert (result.returncode, "Traceback" in result.stderr) == (0, False), result.stderr
    assert '"letter.txt' in result.stdout


@pytest.mark.parametrize("kilobytes", short_and_long([1, 200], [2, 4, 8, 16, 32, *range(40, 600, 40)]))
def test_a_file_that_may_not_grow_is_exit_code_6_and_nothing_is_lost(run, notes, undisturbed, kilobytes):
    def limited() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (kilobytes * 1024, kilobytes * 1024))

    before = contents(notes)
    refused(run("add", notes, undisturbed / "docs", preexec_fn=limited), 6, str(notes))
    keeps_and_answers(run, notes, before, preexec_fn=limited)
    finishes(run, notes, undisturbed / "docs", undisturbed / "notes")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Callable[[int], Path]]:
    """Mounts a file system in memory with that many kilobytes, or gives the mounted one another size."""
    place = tmp_path / "disk"
    place.mkdir()

    def size(kilobytes: int) -> Path:
        options = f"{'remount,' if place.is_mount() else ''}size={kilobytes}k"
        mounting = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(place)], capture_output=True)
        if mounting.returncode:
            pytest.skip("needs the right to mount a file system")
        return place

    yield size
    if place.is_mount():
        subprocess.run(["umount", str(place)], check=True)


@pytest.mark.skipif(shutil.which("mount") is None, reason="needs mount")
@pytest.mark.parametrize("kilobytes", short_and_long([0, 400], [4, 16, 32, 64, 128, 256, 600, 800]))
def test_a_disk_with_so_much_room_is_exit_code_6_and_the_same_command_finishes_later(
    run, notes, undisturbed, small_disk, kilobytes
):
    there = small_disk(5_000) / "notes"
    shutil.copytree(notes, there)
    before, filler = contents(there), there.parent / "filler"
    filler.write_bytes(bytes(shutil.disk_usage(there).free - kilobytes * 1024))
    refused(run("add", there, undisturbed / "docs"), 6, str(there))
    keeps_and_answers(run, there, before)
    filler.unlink()
    finishes(run, there, undisturbed / "docs", undisturbed / "notes")


def test_a_disk_that_is_full_when_words_are_indexed_costs_nothing_but_the_index(notes, undisturbed, small_disk):
    there = small_disk(20_000) / "notes"
    shutil.copytree(notes, there)
    with open_writer(there) as writer:
        writer.put_documents(list(Corpus([undisturbed / "docs"])))
        before = contents(there)
        filler = there.parent / "filler"
        with pytest.raises(OSError, match="No space left"):
            filler.write_bytes(bytes(20_000_000))
        with pytest.raises(ResourceError, match=r"the BM25 index in .* could not be written"):
            update_bm25(writer)
        filler.unlink()
        assert contents(there) == before
        assert len(Bm25Retriever(LiveSnapshot(writer)).retrieve(["Anna"], 3)[0]) == 3
        update_bm25(writer)
        assert [
            hit.passage.document_id for hit in Bm25Retriever(LiveSnapshot(writer)).retrieve(["document7"], 3)[0]
        ] == ["007.txt"]


def test_a_folder_that_cannot_be_written_is_refused_with_its_name(run, tmp_path, tiny_model, forbid):
    docs = write_documents(tmp_path / "docs", 1, 10)
    (tmp_path / "locked").mkdir()
    forbid(tmp_path / "locked", 0o555)
    for place in ("locked", "locked/new"):
        result = run("add", tmp_path / place, docs, "-m", tiny_model, preexec_fn=without_root_privileges)
        refused(result, 1, str(tmp_path / place), "cannot be written", "permission")
    assert not list((tmp_path / "locked").iterdir())


def test_a_collection_that_cannot_be_written_is_read_all_the_same(run, notes, tmp_path, forbid):
    before = {path.name: path.read_bytes() for path in notes.iterdir() if path.is_file()}
    words = ["search", notes, QUESTION, "--retriever", "bm25", "--json"]
    expected = run(*words)
    for path in notes.rglob("*"):
        forbid(path, 0o555 if path.is_dir() else 0o444)
    forbid(notes, 0o555)
    for arguments in (
        words,
        ["ask", notes, QUESTION],
        ["info", notes],
        ["list", notes],
        ["show", notes, "answer.md"],
    ):
        result = run(*arguments, preexec_fn=without_root_privileges)
        assert (result.returncode, result.stderr) == (0, "")
        assert arguments is not words or result.stdout == expected.stdout
    docs = write_documents(tmp_path / "docs", 1, 10)
    refused(run("add", notes, docs, preexec_fn=without_root_privileges), 1, str(notes), "check its permissions")
    assert {path.name: path.read_bytes() for path in notes.iterdir() if path.is_file()} == before


def test_an_unfinished_log_in_a_folder_that_cannot_be_written_is_refused(run, notes, forbid):
    (notes / f"{DATABASE}-wal").write_bytes(b"not finished")
    forbid(notes, 0o555)
    result = run("ask", notes, QUESTION, preexec_fn=without_root_privileges)
    refused(result, 4, "cannot be written, but holds an unfinished", "open the collection once with write permission")


# Ctrl-C and closed pipes


@pytest.mark.parametrize("later", [0.0, 0.2, 0.5])
def test_ctrl_c_while_adding_is_exit_code_130_and_the_same_command_goes_on(run, start, notes, undisturbed, later):
    before = contents(notes)
    adding = start("add", notes, undisturbed / "docs")
    with open_collection(notes) as collection:
        version = collection.version()
        while collection.version() == version and adding.poll() is None:
            time.sleep(0.005)
    time.sleep(later)
    adding.send_signal(signal.SIGINT)
    _, errors = adding.communicate(timeout=SECONDS)
    assert "Traceback" not in errors
    assert adding.returncode == 130 or (adding.returncode == 0 and later), errors
    if adding.returncode:
        assert "opendpr: interrupted; what was done is kept" in errors
    assert before.items() <= contents(notes).items()
    finishes(run, notes, undisturbed / "docs", undisturbed / "notes")


def test_ctrl_c_at_the_prompt_is_exit_code_130_without_a_traceback(start, notes):
    ours, its = pty.openpty()
    try:
        asking = start("ask", notes, stdin=its)
        assert asking.stderr is not None
        assert "Ask a question" in asking.stderr.readline()
        os.write(ours, f"{QUESTION}\n".encode())
        assert asking.stdout is not None
        assert asking.stdout.readline()
        asking.send_signal(signal.SIGINT)
        _, errors = asking.communicate(timeout=SECONDS)
    finally:
        os.close(ours)
        os.close(its)
    assert "Traceback" not in errors
    assert asking.returncode == 130, errors


def test_the_end_of_input_ends_the_prompt(run, notes):
    result = run("ask", notes, input=f"{QUESTION}\n")
    assert (result.returncode, result.stderr) == (0, "")
    assert "confidence" in result.stdout


@pytest.mark.parametrize("arguments", [["list", "--json"], ["search", "letter", "--json"], ["show", "answer.md"]])
def test_a_closed_pipe_ends_a_command_quietly(start, notes, arguments):
    verb, *rest = arguments
    process = start(verb, notes, *rest)
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    assert process.stderr.read() == ""
    process.wait()
    assert process.returncode in (0, 1)
