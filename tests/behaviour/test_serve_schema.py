"""The service keeps to its own description, whatever it is sent (schemathesis)."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from served import Served

SETTINGS = """
[checks.positive_data_acceptance]
# A filter has a grammar that a schema cannot tell, start and end may lie beyond a text, ids may be there twice.
expected-statuses = ["2xx", "401", "403", "404", "409", "422", "429", "5xx"]

[checks.not_a_server_error]
# 503 reports a queue that is full, here that of the jobs where they are asked for faster than they are done.
expected-statuses = ["2xx", "3xx", "4xx", "503"]

[[operations]]
include-path = "/v1/files"
# In a form a list of texts is several texts, so that a list of lists comes as what the schema allows.
[operations.checks.negative_data_rejection]
enabled = false
"""

ASYNCHRONOUS = "use_after_free,ensure_resource_availability"
"""Checks that ask for a change at once, where 202 announces a job; `test_serve.py` waits for the jobs."""


def check(served: Served, examples: int, folder: Path) -> None:
    """Every operation, in all phases, with all checks: no 5xx, no answer that the description does not allow."""
    pytest.importorskip("schemathesis")
    (folder / "schemathesis.toml").write_text(SETTINGS)
    program = Path(sys.executable).with_name("st")
    command = [program, "--config-file", "schemathesis.toml", "run", f"{served.url}/openapi.json"]
    options = ["--checks", "all", "--exclude-checks", ASYNCHRONOUS]
    options += ["--max-examples", str(examples), "--seed", "1", "--workers", "2", "--no-color"]
    done = subprocess.run(
        [*command, *options, "--suppress-health-check", "all"],
        cwd=folder, capture_output=True, encoding="utf-8", timeout=1_800, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-8_000:] + done.stderr[-2_000:]


def test_no_request_makes_it_break_its_description(served: Served, tmp_path: Path) -> None:
    check(served, 25, tmp_path)


@pytest.mark.slow
def test_no_request_of_many_makes_it_break_its_description(served: Served, tmp_path: Path) -> None:
    check(served, 200, tmp_path)
