"""Files are replaced when all is written, compressed by their suffix."""

import json
from typing import get_args

import pytest

from foreign import write
from opendpr.choices import ExampleForm, PassageForm, QrelsForm, QuestionForm, RunForm
from opendpr.errors import InputError
from opendpr.interop import read_questions, write_questions, writing
from opendpr.storage.compression import COMPRESSED, open_binary, open_output
from opendpr.types import Question


@pytest.mark.parametrize("suffix", ["", *COMPRESSED])
def test_what_is_written_is_compressed_by_its_suffix_and_always_the_same_bytes(tmp_path, suffix):
    path = tmp_path / f"a.jsonl{suffix}"
    questions = [Question("1", "who é", ("x",))]
    contents = []
    for _ in range(2):
        assert write_questions(path, questions, "jsonl") == 1
        contents.append(path.read_bytes())
        assert list(read_questions(path)) == questions
    assert contents[0] == contents[1]
    assert (contents[0][:1] == b"{") == (suffix == "")
    with open_binary(path) as file:
        assert json.loads(file.read()) == {"id": "1", "question": "who é", "answers": ["x"]}


def test_a_file_is_replaced_only_when_all_of_it_is_written(tmp_path):
    path = write(tmp_path / "a", "before")

    def questions():
        yield Question("1", "who")
        assert path.read_text() == "before"
        raise InputError("stop")

    with pytest.raises(InputError, match="stop"):
        write_questions(path, questions(), "jsonl")
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


def test_a_device_is_written_directly():
    from pathlib import Path

    with open_output(Path("/dev/null")) as file:
        file.write(b"x")
    assert Path("/dev/null").is_char_device()


def test_every_form_that_export_offers_has_its_writer():
    offered = (PassageForm, QuestionForm, ExampleForm, RunForm, QrelsForm)
    writers = (
        writing.PASSAGE_WRITERS,
        writing.QUESTION_WRITERS,
        writing.EXAMPLE_WRITERS,
        writing.RUN_WRITERS,
        writing.QRELS_WRITERS,
    )
    for forms, table in zip(offered, writers, strict=True):
        assert set(get_args(forms)) | {"jsonl"} == table.keys() | {"jsonl"}
