"""Files and functions stay small enough to be read at once, and take few parameters."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import opendpr

SOURCE = Path(opendpr.__file__).parent
FILE_LINES, FUNCTION_LINES, PARAMETERS, POSITIONAL_PARAMETERS = 300, 40, 6, 4
PUBLIC_SIGNATURES = {
    "opendpr.api.evaluation.evaluate",
    "opendpr.api.opening.open",
    "opendpr.fitting.answering.fit_answering",
    "opendpr.api.training.train_encoder",
    "opendpr.training.mining.mine",
}
"""Functions of the Python API with one parameter more, each of which a caller may want to give."""

LONG_FILES = {"api/opened.py", "collection/collection.py"}
"""The classes of the Python API and of what all rooms read: most is what methods say of themselves."""
LONG_FUNCTIONS = {"opendpr.serving.fastapi.make_app", "opendpr.serving.page.answers.answers_page"}
"""Lists of what an application and a template are made of, which are read from top to bottom."""

Function = ast.FunctionDef | ast.AsyncFunctionDef


class Placed(NamedTuple):
    """A function of the package, and where it is."""

    name: str
    node: Function
    is_method: bool

    @property
    def is_command(self) -> bool:
        """Whether its parameters are the options of a command, a route or a tool, which callers always name."""
        public = not self.node.name.startswith("_")
        return public and (
            self.name.startswith("opendpr.cli.") or (bool(self.node.decorator_list) and not self.is_method)
        )

    @property
    def lines(self) -> int:
        """Lines of the definition; of a command without signature and docstring, as they are its help."""
        body = self.node.body
        first = self.node.lineno
        if self.is_command:
            documented = ast.get_docstring(self.node) is not None
            first = body[1 if documented and len(body) > 1 else 0].lineno
        return (self.node.end_lineno or first) - first + 1

    @property
    def positional(self) -> int:
        """Parameters that a caller need not name; none of a command."""
        arguments = self.node.args
        return 0 if self.is_command else len(arguments.posonlyargs) + len(arguments.args) - self.is_method

    @property
    def parameters(self) -> int:
        return len(self.node.args.posonlyargs + self.node.args.args + self.node.args.kwonlyargs) - self.is_method


def is_static(node: Function) -> bool:
    return any(isinstance(decorator, ast.Name) and decorator.id == "staticmethod" for decorator in node.decorator_list)


@cache
def functions() -> list[Placed]:
    return [placed for path in sorted(SOURCE.rglob("*.py")) for placed in functions_of(path)]


def functions_of(path: Path) -> Iterator[Placed]:
    module = ".".join(["opendpr", *path.relative_to(SOURCE).with_suffix("").parts]).removesuffix(".__init__")

    def walk(node: ast.AST, name: str, *, in_class: bool) -> Iterator[Placed]:
        for child in ast.iter_child_nodes(node):
            inner = f"{name}.{child.name}" if isinstance(child, Function | ast.ClassDef) else name
            if isinstance(child, Function):
                yield Placed(inner, child, in_class and not is_static(child))
            yield from walk(child, inner, in_class=isinstance(child, ast.ClassDef))

    return walk(ast.parse(path.read_text(encoding="utf-8")), module, in_class=False)


def test_calls_name_what_they_give_beyond_a_few_arguments() -> None:
    assert [placed.name for placed in functions() if placed.positional > POSITIONAL_PARAMETERS] == []


def test_no_file_is_longer_than_a_few_screens() -> None:
    files = {path.relative_to(SOURCE).as_posix(): path for path in SOURCE.rglob("*.py")}
    lengths = {name: len(path.read_text(encoding="utf-8").splitlines()) for name, path in files.items()}
    assert {name for name, lines in lengths.items() if lines > FILE_LINES} <= LONG_FILES


def test_no_function_is_longer_than_a_screen() -> None:
    long = {placed.name: placed.lines for placed in functions() if placed.lines > FUNCTION_LINES}
    assert {name: lines for name, lines in long.items() if name not in LONG_FUNCTIONS} == {}


def test_no_function_takes_more_than_a_few_parameters() -> None:
    many = {placed.name for placed in functions() if placed.parameters > PARAMETERS and not placed.is_command}
    assert many == PUBLIC_SIGNATURES
