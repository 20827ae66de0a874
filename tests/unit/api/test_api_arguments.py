"""Wrong arguments of the Python API: what was expected is said, before anything is done."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import opendpr
from opendpr.errors import UsageError
from opendpr.interop.question_sets import files_or_objects
from opendpr.types import Question


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda notes: opendpr.RuntimeSettings(precision="fp8"), "precision must be one of auto, fp32, bf16, int8"),
        (lambda notes: opendpr.RuntimeSettings(runtime="onnx"), "runtime must be one of auto, openvino, torch"),
        (lambda notes: opendpr.RuntimeSettings(device="gpu"), "device must be one of auto, cpu, cuda"),
        (lambda notes: opendpr.open(notes, runtime="cpu"), "runtime must be opendpr.RuntimeSettings"),
        (lambda notes: opendpr.load_encoder(runtime="cpu"), "runtime must be opendpr.RuntimeSettings"),
        (lambda notes: opendpr.load_reader(3), "model must be a name or a directory, got 3"),
        (lambda notes: opendpr.open(notes, 3), "model must be a name or a directory, got 3"),
        (lambda notes: opendpr.add(notes, [], workers=2), "workers are processes of a cluster; give its address too"),
        (lambda notes: opendpr.add(notes, [], on="auto", workers=0), "workers must be 1 or more, got 0"),
        (lambda notes: opendpr.evaluate(notes, [], k=0), "k must be a whole number from 1 to 10,000, got 0"),
        (lambda notes: opendpr.evaluate(notes, [], read=[5, 0]), "read must be a whole number from 1 to 10,000, got 0"),
        (lambda notes: opendpr.evaluate(notes, [], k=["5"]), "k must be a whole number from 1 to 10,000, got '5'"),
    ],
)
def test_a_wrong_argument_is_refused_with_what_was_expected(
    call: Callable[[Path], object], message: str, rivers: Path
) -> None:
    with pytest.raises(UsageError, match=message):
        call(rivers)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda notes: notes.search("river", where=3), "where must be a string"),
        (lambda notes: notes.ask("river", where=3), "where must be a string"),
        (lambda notes: notes.search("river", k=10_001), "k must be a whole number from 1 to 10,000"),
        (lambda notes: notes.optimize("flat"), "index must be one of auto, exact, ivf, got 'flat'"),
        (lambda notes: notes.optimize(recall=95), "recall must be from 0.1 to 1, got 95"),
    ],
)
def test_a_wrong_argument_of_an_open_collection_is_refused(
    call: Callable[[opendpr.OpenCollection], object], message: str, rivers: Path
) -> None:
    with opendpr.open(rivers) as notes, pytest.raises(UsageError, match=message):
        call(notes)


def test_questions_are_files_or_objects_wherever_they_are_taken() -> None:
    asked = {"question": "Who?", "answers": "Ann"}
    assert files_or_objects("a.jsonl") == ([Path("a.jsonl")], [])
    assert files_or_objects(asked) == ([], [Question("1", "Who?", ("Ann",))])
    assert files_or_objects([Question("q", "Who?"), asked])[1][1].id == "2"
    with pytest.raises(UsageError, match=r"either all files or all objects"):
        files_or_objects(["a.jsonl", asked])
    with pytest.raises(TypeError, match=r"expected question files, opendpr\.Question or dicts"):
        files_or_objects([3])  # type: ignore[list-item]
