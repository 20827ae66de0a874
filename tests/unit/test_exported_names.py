"""What the package gives to the outside."""

from __future__ import annotations

import subprocess
import sys
from types import ModuleType

import pytest

import opendpr


def test_the_names_are_these() -> None:
    assert opendpr.__all__ == [
        *("Answer", "AnsweringSettings", "BusyError", "Connection", "CorruptionError", "Document", "EncoderSettings"),
        *("EngineSettings", "Evaluation", "ExamplePassage", "Hit", "ImproveSettings", "Improvement", "InputError"),
        *("Judgement", "LoadedEncoder", "LoadedReader"),
        *("MiningSettings", "OpenCollection", "OpendprError", "Outcome", "Passage", "Question", "ReaderSettings"),
        *("ResourceError", "RuntimeSettings", "Span", "StateError", "TrainingExample", "UsageError", "add"),
        *("condition", "connect", "evaluate", "fit_answering", "improve", "load_encoder", "load_reader", "mine"),
        *("open", "train_encoder", "train_reader"),
    ]
    assert opendpr.__all__ == sorted(opendpr.__all__)


@pytest.mark.parametrize("name", opendpr.__all__)
def test_every_name_is_there_under_its_own_name_with_a_docstring(name: str) -> None:
    value = getattr(opendpr, name)
    assert value.__name__ == name
    assert value.__doc__


def test_nothing_else_is_exported() -> None:
    names = {name for name in dir(opendpr) if not name.startswith("_") and name not in ("annotations", "TYPE_CHECKING")}
    assert {name for name in names if not isinstance(getattr(opendpr, name), ModuleType)} == set(opendpr.__all__)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'opendpr' has no attribute 'opne'"):
        opendpr.opne  # noqa: B018


def test_training_without_torch_says_what_to_install() -> None:
    code = """
import sys
sys.modules["torch"] = None
import opendpr
try:
    opendpr.train_encoder
except opendpr.OpendprError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=300)
    assert done.stdout == "opendpr.train_encoder needs torch; pip install 'opendpr[train]'\n"
