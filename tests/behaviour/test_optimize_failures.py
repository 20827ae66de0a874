"""Optimizing that is killed, out of disk or short of its aim, and an index that is damaged: nothing wrong is served."""

from __future__ import annotations

import resource
import shutil
import time
from pathlib import Path

import pytest

from approximate import COUNT, QUESTIONS, copy_with_index, documents, exactly, fill_plain, near, retrieved
from opendpr.collection import open_collection, open_writer
from opendpr.maintenance.add import add_documents
from opendpr.maintenance.optimize import optimize
from opendpr.maintenance.remove import remove
from opendpr.model.directory import find_model
from opendpr.model.encoder import BertEncoder
from opendpr.model.runtime import RuntimeSettings
from opendpr.search.bm25 import open_bm25, verify_bm25
from opendpr.search.dense import verify_dense
from opendpr.search.settings import BuildSettings, EffortSettings
from opendpr.text.splitting import Splitter

LIMIT = 90_000
"""Bytes of a file that may be written on a full disk: less than the vectors take."""


class StopError(Exception):
    pass


@pytest.fixture(scope="module")
def encoder(tiny_model: Path) -> BertEncoder:
    return BertEncoder(find_model(str(tiny_model)), RuntimeSettings(precision="fp32"))


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory, encoder: BertEncoder) -> Path:
    return fill_plain(tmp_path_factory.mktemp("plain") / "notes", encoder)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory, plain: Path) -> Path:
    return copy_with_index(tmp_path_factory.mktemp("built") / "notes", plain)


@pytest.fixture
def notes(tmp_path: Path, built: Path) -> Path:
    """A copy of it to change."""
    shutil.copytree(built, tmp_path / "notes")
    return tmp_path / "notes"


def words_are_served(notes: Path, caplog: pytest.LogCaptureFixture) -> bool:
    """Whether BM25 is searched in its cache, which is whole."""
    caplog.clear()
    with open_collection(notes) as collection:
        open_bm25(collection)
        return verify_bm25(collection) == [] and "built in memory" not in caplog.text


def test_words_are_searched_while_they_are_indexed_anew_and_after_an_interruption(notes, encoder, caplog):
    seen: list[str] = []

    def look(what: str, done: int, total: int) -> None:
        seen.append(what)
        assert words_are_served(notes, caplog)
        if what == "words" and len(seen) == 1:
            raise StopError

    with open_writer(notes) as writer:
        remove(writer, ["d1"])
        with pytest.raises(StopError):
            optimize(writer, index="exact", on_progress=look)
        assert words_are_served(notes, caplog)
        optimize(writer, index="exact", on_progress=look)
        assert seen == ["words", "words"]
        optimize(writer, index="exact", on_progress=look)
        assert seen == ["words", "words"], "nothing was removed since"
    assert not list(notes.glob("bm25.*"))


def test_a_kill_between_two_renames_costs_no_words(notes, encoder, caplog):
    (notes / "bm25").rename(notes / "bm25.new")
    (notes / "bm25.old").mkdir()
    written = (notes / "bm25.new").stat().st_ino
    with open_writer(notes) as writer:
        add_documents(writer, [], None)
    assert words_are_served(notes, caplog)
    assert (notes / "bm25").stat().st_ino == written
    assert not list(notes.glob("bm25.*"))


def flip(path: Path, place: int) -> None:
    content = bytearray(path.read_bytes())
    content[place % len(content)] ^= 4
    path.write_bytes(content)


@pytest.mark.parametrize("name", ["index.faiss", "numbers.i64", "vectors.f16", "seen.json"])
@pytest.mark.parametrize("how", ["flip", "cut", "gone"])
def test_damage_is_named_and_nothing_wrong_is_served(notes, plain, encoder, caplog, name, how):
    (path,) = (notes / "dense").rglob(name)
    if how == "gone":
        path.unlink()
    elif how == "cut":
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    else:
        for place in range(31, 10**6, 3_001):
            flip(path, place)
    right = retrieved(plain, encoder)
    caplog.clear()
    ours = retrieved(notes, encoder)
    if (name, how) == ("vectors.f16", "flip"):  # found by verify only
        near(ours, right, recall=0)
        by_id = [dict(one) for one in retrieved(plain, encoder, k=COUNT)]
        for one, scores in zip(ours, by_id, strict=True):
            assert one == pytest.approx({id: scores[id] for id in one})
    else:
        assert ours == right
        assert (name, how) == ("seen.json", "gone") or "every vector is scanned" in caplog.text
    with open_collection(notes) as collection:
        problems = verify_dense(collection)
    if (name, how) == ("seen.json", "gone"):  # a cache that is not there
        assert problems == []
    else:
        assert name in problems[0]
    with open_writer(notes) as writer:
        optimize(writer, index="ivf", build=BuildSettings(recall=0.98))
    with open_collection(notes) as collection:
        assert verify_dense(collection) == []
    near(retrieved(notes, encoder), right)


def test_verify_and_search_tell_of_a_damaged_index(notes, run):
    flip(notes / "dense" / "build-1" / "index.faiss", 3_000)
    done = run("verify", notes)
    assert done.returncode == 5
    assert "index.faiss does not match its checksum; delete" in done.stdout
    done = run("search", notes, QUESTIONS[0], "-r", "dense")
    assert done.returncode == 0
    assert "every vector is scanned; delete" in done.stderr


STAGES = ["progress.json", "trained.faiss", "index.faiss", "seen.json.tmp"]


@pytest.mark.parametrize("stage", STAGES)
def test_a_kill_costs_nothing_but_time(tmp_path, plain, built, encoder, start, run, stage):
    notes = tmp_path / "notes"
    shutil.copytree(plain, notes)
    process = start("optimize", notes, "--index", "ivf")
    while process.poll() is None and not list((notes / "dense").rglob(stage)):
        time.sleep(0.002)
    process.kill()
    process.wait()
    near(retrieved(notes, encoder), retrieved(plain, encoder))
    with open_collection(notes) as collection:
        assert verify_dense(collection) == []
    done = run("optimize", notes, "--index", "ivf", "--recall", "0.98")
    assert done.returncode == 0, done.stderr
    assert len(list(notes.glob("dense/build-*"))) == 1
    assert retrieved(notes, encoder) == retrieved(built, encoder)
    assert not [path for path in (notes / "dense").rglob("*") if path.suffix == ".tmp"]


@pytest.mark.parametrize("calls", range(1, 40, 6))
def test_an_interrupted_build_goes_on_to_the_same_index(tmp_path, plain, built, encoder, calls):
    small = BuildSettings(recall=0.98, vectors_per_note=300, coding_batch_vectors=128, vectors_per_save=400)
    shutil.copytree(plain, tmp_path / "notes")
    left = calls

    def stop(what: str, done: int, total: int) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            raise StopError

    with open_writer(tmp_path / "notes") as writer:
        try:
            optimize(writer, index="ivf", on_progress=stop, build=small)
        except StopError:
            optimize(writer, index="ivf", build=small)
    assert retrieved(tmp_path / "notes", encoder) == retrieved(built, encoder)


def test_a_full_disk_is_reported_and_the_old_index_serves(notes, encoder, run):
    def small() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (LIMIT, LIMIT))

    with open_writer(notes) as writer:
        remove(writer, ["d1"])
    done = run("optimize", notes, "--index", "ivf", preexec_fn=small)
    assert done.returncode == 6, done.stderr
    assert "dense could not be written" in done.stderr
    near(retrieved(notes, encoder), exactly(notes, encoder))
    assert run("optimize", notes, "--index", "ivf").returncode == 0
    near(retrieved(notes, encoder), exactly(notes, encoder))


def test_passages_without_a_vector_that_an_index_cannot_take_in_are_told(tmp_path, encoder, run):
    notes = tmp_path / "notes"
    with open_writer(notes, Splitter(unit="whole")) as writer:
        add_documents(writer, documents(120), None)
        row = writer.use_encoder(encoder.model.fingerprint, encoder.dim, model=encoder.model.reference, runtime="")
        last = list(writer.passages_after(60))
        writer.put_vectors(row, last, encoder.encode_passages(last))
    done = run("optimize", notes, "--index", "ivf")
    assert done.returncode == 4
    assert f"the first passage of {notes} has no vector" in done.stderr
    with open_writer(notes) as writer:
        first = list(writer.passages_after(0))[:50]
        writer.put_vectors(row, first, encoder.encode_passages(first))
    done = run("optimize", notes, "--index", "ivf")
    assert done.returncode == 0
    assert "70 passages, from the first without a vector on, are searched one by one" in done.stderr
    assert f"'opendpr encode {notes}'" in done.stderr


def test_a_recall_that_is_not_reached_is_told(notes, run):
    assert "no effort reaches" not in run("info", notes).stdout
    little = BuildSettings(recall=0.99, effort=EffortSettings(candidate_factors=(1,), least_recall_gain=1.0))
    with open_writer(notes) as writer:
        built = optimize(writer, index="ivf", build=little)
    assert min(built.measured.recall.values()) < 0.99
    assert "no effort reaches the recall of 0.99" in run("info", notes).stdout
