"""The packages below `integrations/` compile and use what opendpr gives to the outside; their own tests do the rest."""

from __future__ import annotations

import ast
import importlib
import inspect
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

import opendpr

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = sorted(path.parent for path in ROOT.glob("integrations/*/pyproject.toml"))
PUBLIC_MODULES = {"opendpr.serving.client", "opendpr.serving.records"}
"""Modules that the documents name, beside the package itself."""


def trees(package: Path) -> Iterator[tuple[Path, ast.Module]]:
    for path in sorted((package / "src").rglob("*.py")):
        source = path.read_text(encoding="utf-8")
        compile(source, str(path), "exec")
        yield path, ast.parse(source)


def test_there_is_one_for_each_library() -> None:
    assert [path.name for path in PACKAGES] == [
        *("langchain-opendpr", "llama-index-retrievers-opendpr", "opendpr-haystack"),
    ]


@pytest.mark.parametrize("package", PACKAGES, ids=lambda path: path.name)
def test_it_names_what_opendpr_gives_to_the_outside(package: Path) -> None:
    names = set()
    for path, tree in trees(package):
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                assert all(alias.name.split(".")[0] != "opendpr" or alias.name == "opendpr" for alias in node.names), (
                    path
                )
            if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "opendpr":
                assert node.module in PUBLIC_MODULES, path
                module = importlib.import_module(node.module)
                assert all(hasattr(module, alias.name) for alias in node.names), path
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "opendpr":
                names.add(node.attr)
    assert {"connect", "load_encoder"} <= names <= set(opendpr.__all__)


@pytest.mark.parametrize("package", PACKAGES, ids=lambda path: path.name)
def test_it_calls_functions_with_parameters_that_they_have(package: Path) -> None:
    parameters = {name: set(inspect.signature(getattr(opendpr, name)).parameters) for name in ("connect", "condition")}
    parameters |= {
        name: set(inspect.signature(getattr(opendpr.Connection, name)).parameters) for name in ("ask", "search")
    }
    calls = 0
    for path, tree in trees(package):
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
                continue
            is_connection = "_connection" in ast.unparse(node.func) or "_opened()" in ast.unparse(node.func)
            if node.func.attr in parameters and (is_connection or ast.unparse(node.func.value) == "opendpr"):
                calls += 1
                assert {keyword.arg for keyword in node.keywords} <= parameters[node.func.attr], path
    assert calls >= 3


@pytest.mark.parametrize("package", PACKAGES, ids=lambda path: path.name)
def test_it_says_whose_it_is_and_depends_on_the_core_of_its_library_alone(package: Path) -> None:
    project = tomllib.loads((package / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert (project["name"], project["license"]) == (package.name, "Apache-2.0")
    library, own = sorted(project["dependencies"], key=lambda name: name.startswith("opendpr"))
    assert own.startswith("opendpr>=")
    assert library.startswith(("langchain-core>=", "llama-index-core>=", "haystack-ai>="))
    typed = {path.parent for path in package.rglob("py.typed")}
    assert typed == {path.parent for path in (package / "src").rglob("__init__.py")}
    assert (package / "README.md").is_file() and (package / "LICENSE").read_text() == (ROOT / "LICENSE").read_text()
