"""The page on training is walked as it is, and what it says of the outcome is true."""

from __future__ import annotations

import ast
import inspect
import json
import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from test_guide import matches, sessions, shell  # noqa: F401  # a fixture

import opendpr

PROGRESS = re.compile(r"^.* \d+/\d+ \w+ · .*\n", re.MULTILINE)
"""Lines that a slow machine shows, and a fast one does not."""
PAGE = Path(__file__).resolve().parents[2] / "docs" / "training.md"


def blocks(kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)


def test_the_commands_of_the_page_on_training_print_what_it_says(
    shell: Callable[[str], str],  # noqa: F811
    tmp_path: Path,
    run: Any,
) -> None:
    for command, expected in sessions(PAGE):
        printed = PROGRESS.sub("", shell(command))
        assert matches(expected, printed), f"$ {command}\n{printed}\n--- where the page says\n{expected}"
    home = tmp_path / "home"
    done = run("evaluate", "--compare", home / "after.jsonl", home / "before.jsonl", "--json")
    summary = json.loads(done.stdout)["sets"]["held-out"]
    means = {(figure["system"], figure["measure"]): figure["mean"] for figure in summary["figures"]}
    assert means["before:dense", "answer@1"] < 0.3, "as often as guessing would"
    assert means["before:dense", "answer@5"] > 0.7, "nine times in ten"
    gains = {(gain["a"], gain["b"], gain["measure"]): gain for gain in summary["differences"]}
    assert gains["after:dense", "before:dense", "answer@1"]["low"] > 0.5
    assert gains["after:hybrid", "before:hybrid", "answer@1"]["low"] > 0.2


def test_the_examples_of_the_page_are_taken(tmp_path: Path, run: Any, tiny_model: Path) -> None:
    questions, examples = tmp_path / "pairs.jsonl", tmp_path / "examples.jsonl"
    (block,) = blocks("json")
    questions.write_text(block, encoding="utf-8")
    assert run("import", "questions", questions, "-o", tmp_path / "read.jsonl").returncode == 0
    (block,) = blocks("json examples")
    examples.write_text(block, encoding="utf-8")
    command = ["train", "encoder", examples, "--base", tiny_model, "--epochs", "1", "--precision", "fp32"]
    done = run(*command, "-o", tmp_path / "model")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("line", [line for block in blocks("sh") for line in block.splitlines()])
def test_the_commands_that_are_only_shown_name_options_that_there_are(line: str, run: Any) -> None:
    words = shlex.split(line)
    if "opendpr" not in words:
        assert words[0] == "tensorboard"
        return
    words = words[words.index("opendpr") + 1 :]
    verb = words[: 2 if words[0] == "train" else 1]
    help_text = run(*verb, "--help").stdout
    for word in words:
        if word.startswith("-"):
            assert re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", help_text), f"{' '.join(verb)} has no {word}"


def test_the_functions_of_the_page_take_the_arguments_it_gives_them() -> None:
    (block,) = blocks("python")
    calls = [node for node in ast.walk(ast.parse(block)) if isinstance(node, ast.Call)]
    checked = 0
    for call in calls:
        if isinstance(call.func, ast.Attribute) and ast.unparse(call.func.value) == "opendpr":
            keywords = {keyword.arg: None for keyword in call.keywords if keyword.arg}
            inspect.signature(getattr(opendpr, call.func.attr)).bind(*call.args, **keywords)
            checked += 1
    assert checked == 4
