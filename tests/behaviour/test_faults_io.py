"""A disk that fails at any single call: a message with an exit code, and the collection is as before or after."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import faulty_disk
from opendpr.collection import open_writer
from opendpr.errors import UsageError
from opendpr.maintenance.add import add_documents
from opendpr.model.directory import find_model
from opendpr.model.encoder import BertEncoder
from opendpr.model.runtime import RuntimeSettings
from opendpr.text.splitting import Splitter
from opendpr.types import Document

JOBS = ["create", "add", "replace", "remove", "search", "verify", "backup"]
CHANGING = {"create", "add", "replace", "remove"}
ALLOWED = {"OpendprError": 1, "CorruptionError": 5, "ResourceError": 6}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, tiny_model: Path) -> Path:
    directory = tmp_path_factory.mktemp("made") / "notes"
    encoder = BertEncoder(find_model(str(tiny_model)), RuntimeSettings(precision="fp32"))
    with open_writer(directory, Splitter(words=20)) as writer:
        add_documents(
            writer, [Document(f"d{number}", "T", f"old words {number} " * 30) for number in range(2)], encoder
        )
    return directory


def disturbed(made: Path, model: Path, job: str, stride: int) -> list[dict[str, object]]:
    """What came of the job for each call that failed."""
    command = [sys.executable, faulty_disk.__file__, made, model, job, stride]
    done = subprocess.run([str(part) for part in command], capture_output=True, encoding="utf-8", timeout=1_800)
    assert done.returncode == 0, done.stderr
    first, *records = map(json.loads, done.stdout.splitlines())
    assert first["changed"] == (job in CHANGING)
    assert len(records) == 2 * -(-first["calls"] // stride)
    return records


def check(made: Path, model: Path, job: str, stride: int) -> None:
    records = disturbed(made, model, job, stride)
    failed = {record["failed"] for record in records}
    assert failed & {"xOpen", "xRead"}
    if stride == 1:
        assert failed >= {"xOpen", "xRead", "xFileSize", "xLock"}
        assert job not in CHANGING or failed >= {"xWrite", "xSync", "xTruncate"}
    for record in records:
        assert record["failed"], record
        if record["error"]:
            assert ALLOWED.get(record["error"].partition(":")[0]) == record["code"], record
        else:
            assert not record["wrong"], record
            assert "after" in record["left"], record
        assert not record["unsound"], record
        assert record["left"], record
        assert not record["again"], record
        assert record["complete"], record
    assert sum(bool(record["error"]) for record in records) > len(records) // 4, "hardly a fault was noticed"


@pytest.mark.parametrize("job", JOBS)
def test_a_failing_call_of_the_disk_is_an_error_and_the_same_job_then_completes(made, tiny_model, job):
    check(made, tiny_model, job, stride=37)


@pytest.mark.slow
@pytest.mark.parametrize("job", JOBS)
def test_every_single_call_of_the_disk_may_fail(made, tiny_model, job):
    check(made, tiny_model, job, stride=1)


def test_a_writer_that_failed_leaves_the_lock_although_its_error_is_kept(tmp_path):
    with open_writer(tmp_path / "notes"):
        pass
    with pytest.raises(UsageError) as kept, open_writer(tmp_path / "notes", Splitter(words=7)):
        pass
    assert kept.value.__traceback__
    with open_writer(tmp_path / "notes"):
        pass
