"""What `docs/serving.md` shows works as it is."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import opendpr
from opendpr.types import Document
from served import Served, serving

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "serving.md").read_text(encoding="utf-8")
DOCUMENTS = (
    Document("harbour.md", "The harbour of Orvik", "The stone pier was built in 1874 by the engineer Marta Lindqvist."),
    Document("letters/edith.txt", "edith", "Dear Jonas, the ferry was late again."),
    Document("keeper-2", "Second keeper", "The second keeper of the lighthouse was Ingrid Falk.", {"year": 1902}),
)


def blocks(kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)


@pytest.fixture(scope="module")
def notes(
    tmp_path_factory: pytest.TempPathFactory, tiny_model: Path, serve_environment: dict[str, str]
) -> Iterator[Served]:
    directory = tmp_path_factory.mktemp("notes") / "notes"
    opendpr.add(directory, DOCUMENTS, str(tiny_model))
    with serving(directory, "--writable", environment=serve_environment) as served:
        yield served


def shape(value: Any) -> Any:
    """The names and kinds of a JSON value."""
    if isinstance(value, dict):
        return {name: shape(member) for name, member in value.items()}
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    return "number" if isinstance(value, int | float) and not isinstance(value, bool) else type(value).__name__


def test_every_curl_line_is_answered(notes: Served) -> None:
    if not shutil.which("curl"):
        pytest.skip("curl is not installed")
    lines = [line for block in blocks("bash") for line in block.splitlines()]
    assert len(lines) == 13
    for line in lines:
        assert line.startswith("curl ")
        command = line.replace("localhost:8000", f"127.0.0.1:{notes.port}") + " --fail-with-body"
        done = subprocess.run(
            ["bash", "-c", command], cwd=ROOT, capture_output=True, encoding="utf-8", check=False, timeout=300
        )
        assert done.returncode == 0, (line, done.stdout, done.stderr)
        if "-X " in line or "-F " in line:
            notes.wait(json.loads(done.stdout))
    answered = json.loads(
        subprocess.run(
            ["bash", "-c", lines[0].replace("localhost:8000", f"127.0.0.1:{notes.port}")],
            capture_output=True, check=True, timeout=300,
        ).stdout
    )  # fmt: skip
    shown = json.loads(blocks("json")[0])
    assert shape({**answered, "passages": [], "answers": answered["answers"][:1]}) == shape(shown)


def test_the_error_shown_is_one_that_is_answered(notes: Served) -> None:
    shown = json.loads(blocks("json")[1])
    answer = notes.ask("POST", "/v1/search", {"question": "x", "k": 1_001}, X_Request_Id=shown["request_id"])
    assert answer.json == shown


def test_the_python_lines_run(notes: Served) -> None:
    (code,) = blocks("python")
    exec(code.replace("http://127.0.0.1:8000", notes.url), {})


def test_every_metric_that_is_named_is_told(notes: Served) -> None:
    notes.ask("POST", "/v1/search", {"question": "pier"})
    notes.ask("GET", "/nothing", Host="evil.example")
    metrics = notes.ask("GET", "/metrics").body.decode()
    named = re.findall(r"`((?:opendpr|process)_[a-z_]+)`", PAGE)
    assert len(named) == 9
    assert all(name in metrics for name in named)
