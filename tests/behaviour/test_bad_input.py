"""Input that cannot work, and a machine that does not play along: a message, an exit code, and nothing lost."""

from __future__ import annotations

import ctypes
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

import apsw
import pytest
from conftest import contents, write_documents

from opendpr.collection import open_collection, open_writer
from opendpr.collection.database import DATABASE
from opendpr.collection.opening import LOCK_FILE
from opendpr.corpus import Corpus
from opendpr.errors import ResourceError
from opendpr.search.bm25 import update_bm25
from opendpr.search.live import LiveSnapshot
from opendpr.search.retrievers import Bm25Retriever

QUESTION = "Who wrote the letter?"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, tiny_model: Path) -> Path:
    """A collection of two documents, made once."""
    folder = tmp_path_factory.mktemp("made")
    (folder / "docs").mkdir()
    (folder / "docs" / "letter.txt").write_text("The letter was written by Anna. " * 20, encoding="utf-8")
    (folder / "docs" / "answer.md").write_text("# The answer\n\nBerta answered in May.\n", encoding="utf-8")
    arguments = ["add", folder / "notes", folder / "docs", "--model", tiny_model, "--words", "20"]
    subprocess.run([sys.executable, "-m", "opendpr", *map(str, arguments)], check=True, capture_output=True)
    return folder / "notes"


@pytest.fixture
def notes(made: Path, tmp_path: Path) -> Path:
    """A copy of the collection for one test."""
    shutil.copytree(made, tmp_path / "notes")
    return tmp_path / "notes"


def refused(result: subprocess.CompletedProcess[str], code: int, *parts: str) -> None:
    """The command left with this code and a message for people, not for programmers."""
    assert "Traceback" not in result.stderr
    assert result.returncode == code, result.stderr
    assert result.stderr.strip()
    for part in parts:
        assert part in result.stderr


def without_root_privileges() -> None:
    """In the process to be: permissions bind root too."""
    if os.geteuid() == 0:
        drop_from_bounding_set = 24
        for capability in range(5):  # changing owners, reading and writing what others forbid
            ctypes.CDLL(None).prctl(drop_from_bounding_set, capability, 0, 0, 0)


@pytest.fixture
def forbid() -> Iterator[Callable[[Path, int], None]]:
    """Changes permissions until the end of the test."""
    changed: list[tuple[Path, int]] = []

    def forbid(path: Path, mode: int) -> None:
        changed.append((path, path.stat().st_mode))
        path.chmod(mode)

    yield forbid
    for path, mode in reversed(changed):
        path.chmod(mode)


# Documents


def test_a_folder_without_documents_is_bad_input(run, tmp_path, tiny_model):
    (tmp_path / "empty").mkdir()
    refused(run("add", tmp_path / "new", tmp_path / "empty", "-m", tiny_model), 3, "found no documents in", "empty")
    refused(run("ask", tmp_path / "empty", QUESTION, "-m", tiny_model), 3, "found no documents in", ".txt .md .html")


def test_a_path_that_is_not_there_leaves_no_collection_behind(run, tmp_path, tiny_model):
    refused(run("add", tmp_path / "new", tmp_path / "nothing.txt", "-m", tiny_model), 3, "nothing.txt")
    assert not (tmp_path / "new").exists()


def test_a_first_add_that_finds_nothing_leaves_no_collection_behind(run, tmp_path, tiny_model):
    for folder, name, content in (("blank", "blank.txt", b" \n"), ("program", "program", b"\x7fELF\0")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / name).write_bytes(content)
        refused(run("add", "notes/new", folder, "-m", tiny_model, cwd=tmp_path), 3, "none")
        assert not (tmp_path / "notes" / "new").exists()
        refused(run("ask", folder, QUESTION, "-m", tiny_model, cwd=tmp_path), 3, "found no documents in")
        assert not list((tmp_path / "cache" / "opendpr" / "folders").iterdir())
    (tmp_path / "mine").mkdir()
    refused(run("add", "mine", "blank", "-m", tiny_model, cwd=tmp_path), 3, "blank.txt: no text")
    assert not list((tmp_path / "mine").iterdir())


def test_what_is_left_out_of_a_folder_is_reported_with_what_to_do(run, tmp_path, tiny_model):
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "README").write_text("Read me.")
    (tmp_path / "docs" / "README.Debian").write_text("Read me on Debian.")
    done = run("add", "notes", "docs", "-m", tiny_model, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "documents: 1 added" in done.stderr
    assert "notes: 1 document, 1 passage\n" in done.stderr
    message = "left out, of other kinds: .debian (1); a text file among them is read if it is named itself: "
    assert f"{message}'opendpr add notes docs FILE'" in done.stderr
    assert "documents: 1 added, 1 unchanged" in run("add", "notes", "docs", "docs/README.Debian", cwd=tmp_path).stderr


def test_passages_longer_than_the_encoder_takes_are_reported_with_what_to_do(run, tmp_path, tiny_model):
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "codes.txt").write_text(" ".join(f"xz{number}qkj" for number in range(100)))
    done = run("add", "notes", "docs", "-m", tiny_model, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    message = "1 passage longer than the encoder takes, their vectors miss the end; "
    assert f"{message}'opendpr add notes docs --words 60 --resplit' cuts all documents into shorter ones" in done.stderr
    done = run("ask", "docs", "xz", "-m", tiny_model, cwd=tmp_path)
    assert f"{message}'opendpr ask docs --words 60' cuts all" in done.stderr
    done = run("add", "notes", "docs", "--words", 36, "--resplit", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "longer than the encoder takes" not in done.stderr


@pytest.fixture
def bad_folder(tmp_path: Path, forbid: Callable[[Path, int], None]) -> Path:
    """One good document among everything that is none."""
    folder = tmp_path / "bad"
    (folder / "below").mkdir(parents=True)
    (folder / "good.txt").write_text("Good words are found.", encoding="utf-8")
    (folder / "secret.txt").write_text("nobody may read this", encoding="utf-8")
    forbid(folder / "secret.txt", 0)
    (folder / "binary.txt").write_bytes(b"\x7fELF\0\0\1\2\3" * 50)
    (folder / "latin.txt").write_bytes("Gr\xfc\xdfe aus Z\xfcrich".encode("latin-1"))
    (folder / "blank.txt").write_text(" \n\t\n", encoding="utf-8")
    (folder / "nothing.md").write_bytes(b"")
    (folder / "picture.png").write_bytes(b"\x89PNG")
    (folder / "dangling.txt").symlink_to("not there")
    (folder / "below" / "loop").symlink_to(folder)
    (folder / "broken.txt.gz").write_bytes(b"\x1f\x8b\x08\0\0\0\0\0cut")
    (folder / "lines.jsonl").write_text(
        '{"id": "twice", "text": "the first one stays"}\n'
        '{"id": "twice", "text": "the second one is refused"}\n'
        '{"id": "no text"}\nnot json\n{"id": "surrogate", "text": "\\ud800"}\n[1]\n',
        encoding="utf-8",
    )
    return folder


def test_what_cannot_become_a_document_is_named_and_the_rest_is_added(run, notes, bad_folder):
    before = contents(notes)
    result = run("add", notes, bad_folder, preexec_fn=without_root_privileges)
    refused(
        result,
        3,
        "3 added",
        "secret.txt: cannot be read: Permission denied",
        "binary.txt: binary file",
        "read as Windows-1252, as they are not UTF-8: 1 document",
        "blank.txt: no text",
        "nothing.md: no text",
        "dangling.txt: cannot be read",
        "broken.txt.gz: cannot be read",
        'lines.jsonl:2: id "twice" was already given by',
        "lines.jsonl:1; an id is there once",
        'lines.jsonl:3: expected "text"',
        "lines.jsonl:4: not valid JSON",
        "lines.jsonl:5: the text is not valid Unicode",
        "lines.jsonl:6: expected a JSON object",
        ".png (1)",
        "directory link (1)",
    )
    after = contents(notes)
    assert before.items() <= after.items()
    assert {key: after[key][1] for key in after.keys() - before.keys()} == {
        ("good.txt", 0): "Good words are found.",
        ("latin.txt", 0): "Grüße aus Zürich",
        ("twice", 0): "the first one stays",
    }


def test_a_line_of_a_megabyte_is_a_document_like_others(run, tmp_path, tiny_model):
    (tmp_path / "docs").mkdir()
    text = "x" * 1_000_000
    (tmp_path / "docs" / "long.txt").write_text(text, encoding="utf-8")
    (tmp_path / "docs" / "long.jsonl").write_text(f'{{"id": "long line", "text": "{text}"}}\n', encoding="utf-8")
    result = run("add", tmp_path / "notes", tmp_path / "docs", "-m", tiny_model, "--words", "1000")
    assert (result.returncode, "Traceback" in result.stderr) == (0, False)
    with open_collection(tmp_path / "notes") as collection:
        assert collection.document("long.txt").text == collection.document("long line").text == text


# Questions


@pytest.mark.parametrize("question", ["", "   ", "\n\t"])
def test_a_question_without_words_is_refused(run, notes, question):
    refused(run("ask", notes, question), 2, "the question is empty")
    refused(run("search", notes, question), 2, "the question is empty")


def test_a_question_of_5000_words_is_refused_or_cut_but_never_a_crash(run, notes):
    question = " ".join(["letter"] * 5_000)
    refused(run("ask", notes, question), 2, "the question has 34,999 characters, at most 4,096 are taken; shorten it")
    result = run("search", notes, question)
    assert (result.returncode, result.stderr) == (0, "") or result.returncode == 2
    assert "Traceback" not in result.stderr


def test_a_bad_question_among_others_is_reported_and_the_others_are_answered(run, notes):
    result = run("ask", notes, "-", input=f"{QUESTION}\n{'letter ' * 5_000}\n\n{QUESTION}\n")
    assert result.returncode == 0, result.stderr
    lines = result.stdout.splitlines()
    assert len(lines) == 3
    assert lines[0] == lines[2]
    assert '"error": "the question has' in lines[1]


# Collections and models


def test_a_directory_that_is_no_collection_is_refused(run, tmp_path, tiny_model):
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "holiday.jpg").write_bytes(b"...")
    for verb in (["search", QUESTION], ["info"], ["evaluate", os.devnull]):
        done = run(verb[0], tmp_path / "other", *verb[1:])
        refused(done, 3, "found no documents in", str(tmp_path / "other"))
    refused(run("info", "nowhere", cwd=tmp_path), 4, "does not exist", "'opendpr add nowhere FILE...'")
    write_documents(tmp_path / "docs", 1, 10)
    refused(run("add", tmp_path / "other", tmp_path / "docs", "-m", tiny_model), 4, "not a collection")
    for place in ("other/holiday.jpg", "other/holiday.jpg/notes"):
        refused(run("add", tmp_path / place, tmp_path / "docs", "-m", tiny_model), 4, "is a file")
    assert [path.name for path in (tmp_path / "other").iterdir()] == ["holiday.jpg"]
    refused(run("ask", tmp_path / "nowhere", QUESTION), 4, "does not exist")


def test_what_a_collection_taken_back_left_behind_is_not_foreign(run, tmp_path, tiny_model):
    left = tmp_path / "notes" / "collection.db-bm25"
    left.mkdir(parents=True)
    (left / "meta.json").write_text("{}")
    write_documents(tmp_path / "docs", 1, 10)
    assert run("add", tmp_path / "notes", tmp_path / "docs", "-m", tiny_model).returncode == 0


@pytest.mark.parametrize("verb", [["evaluate"], ["mine", "-o", "out.jsonl"], ["train", "answering"]])
def test_a_missing_collection_is_reported_before_a_missing_file_of_questions(run, verb, tmp_path):
    refused(run(*verb, "nowhere", "nothing.jsonl", cwd=tmp_path), 4, "nowhere is not a collection (it does not exist)")


def test_a_missing_folder_is_reported_before_an_empty_question(run, tmp_path):
    refused(run("ask", "nowhere", "", cwd=tmp_path), 4, "'nowhere' does not exist")


def test_evaluate_says_which_files_it_lacks(run, tmp_path):
    refused(run("evaluate", "--compare", "run.jsonl", cwd=tmp_path), 2, "two runs or more, got one, run.jsonl")
    refused(run("evaluate", "notes", cwd=tmp_path), 2, "no file of questions was given to evaluate notes with")


@pytest.mark.parametrize("verb", [["evaluate"], ["mine"]])
@pytest.mark.parametrize("place", ["nowhere/out.jsonl", "/proc/out.jsonl"])
def test_an_output_that_cannot_be_written_is_reported_by_the_name_that_was_given(run, notes, tmp_path, verb, place):
    (tmp_path / "q.jsonl").write_text('{"question": "Who wrote the letter?", "answers": ["Anna"]}\n')
    done = run(*verb, notes, "q.jsonl", "-r", "bm25", "-o", place, cwd=tmp_path)
    refused(done, 1, f"opendpr: {place}: No such file or directory; give a path whose directory is there")


@pytest.mark.parametrize("kind", ["encoder", "reader"])
def test_questions_without_passages_are_to_be_mined_first(run, tmp_path, kind):
    (tmp_path / "pairs.jsonl").write_text('{"question": "Who wrote the letter?", "answers": ["Anna"]}\n')
    done = run("train", kind, "pairs.jsonl", "-o", "model", cwd=tmp_path)
    refused(done, 3, "pairs.jsonl:1: cannot tell what kind of examples", "'opendpr mine COLLECTION FILE")
    assert not (tmp_path / "model").exists()


def test_a_filter_that_cannot_be_understood_is_refused_once_and_not_for_each_question(run, notes):
    refused(run("ask", notes, "-", "--where", "year = =", input="When?\nWho?\n"), 2, "in the filter 'year = ='")


def test_a_collection_of_a_newer_format_is_refused_and_left_alone(run, notes, tmp_path):
    connection = apsw.Connection(str(notes / DATABASE), vfs="cksmvfs")
    connection.execute("UPDATE settings SET value = '2' WHERE key = 'format'")
    connection.close()
    before = (notes / DATABASE).read_bytes()
    docs = write_documents(tmp_path / "docs", 1, 10)
    for arguments in (["ask", notes, QUESTION], ["info", notes], ["add", notes, docs]):
        refused(run(*arguments), 4, "collection of format 2", "reads format 1; install a newer opendpr")
    assert (notes / DATABASE).read_bytes() == before


def test_another_model_than_the_collections_is_refused_by_name(run, notes, other_model, tmp_path):
    before = contents(notes)
    docs = write_documents(tmp_path / "docs", 1, 10)
    for arguments in (["ask", notes, QUESTION], ["search", notes, QUESTION], ["add", notes, docs]):
        refused(run(*arguments, "-m", other_model), 4, "was encoded by", "tiny", "other", "cannot be compared")
    assert contents(notes) == before


def test_an_unknown_model_is_refused_and_leaves_no_collection_behind(run, tmp_path):
    docs = write_documents(tmp_path / "docs", 1, 10)
    for name in ("no-such-model", tmp_path / "no-such-model", docs):
        refused(run("add", tmp_path / "new", docs, "-m", name), 4, str(name))
    assert not (tmp_path / "new").exists()


def test_a_collection_whose_model_is_gone_says_which_one(run, notes, tmp_path, tiny_model):
    connection = apsw.Connection(str(notes / DATABASE), vfs="cksmvfs")
    connection.execute("UPDATE encoders SET model = '/gone/model'")
    connection.close()
    refused(run("ask", notes, QUESTION), 4, "/gone/model")
    assert run("ask", notes, QUESTION, "-m", tiny_model).returncode == 0


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
    _, errors = waiting.communicate()
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
    _, errors = adding.communicate()
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
        _, errors = asking.communicate()
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
