"""What a reader is trained on: marked answers, files of every form, examples that are left out."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from opendpr.errors import InputError
from opendpr.interop import write_examples
from opendpr.model.directory import Model
from opendpr.model.tokenizer import Tokenizer
from opendpr.model.torch import ReaderNetwork
from opendpr.training.reader_examples import MarkedPassage, ReaderExample, read_reader_examples
from opendpr.training.reader_objective import ReaderObjective
from opendpr.training.swaps import swapped
from opendpr.types import ExamplePassage, Question, TrainingExample
from reader_examples import EXAMPLES, SETTINGS

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def mined(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("mined") / "mined.jsonl"
    write_examples(path, EXAMPLES, "jsonl")
    return path


def test_every_place_of_every_answer_is_marked_and_positives_without_one_are_left_out(mined: Path) -> None:
    example = read_reader_examples([mined], 0, 0)[0]
    (positive,) = example.positives
    assert [positive.text[start:end] for start, end in positive.places] == ["Paris", "to Paris", "Paris"]
    assert [passage.places for passage in example.negatives] == [(), (), ()]
    assert example.question == EXAMPLES[0].question


@pytest.mark.parametrize("name", ["answers", "passage"])
def test_marked_answers_that_are_no_strings_are_refused_with_their_line(tmp_path: Path, name: str) -> None:
    record = {"question": "When?", "passage": "In 1888.", "answer_start": 3, "answer_text": "1888", name: [1888]}
    path = tmp_path / "spans.jsonl"
    path.write_text(json.dumps(record) + "\n")
    with pytest.raises(InputError, match=rf"spans\.jsonl:1: .*'{name}'.* string"):
        read_reader_examples([path], 1, 0)


def test_questions_without_an_answer_in_their_passage_are_counted_and_left_out(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "squad.json"
    answered = {"id": "1", "question": "When?", "answers": [{"text": "1888", "answer_start": 3}]}
    impossible = {"id": "2", "question": "Who?", "answers": [], "is_impossible": True}
    paragraph = {"context": "In 1888.", "qas": [answered, impossible]}
    path.write_text(json.dumps({"data": [{"title": "Ada", "paragraphs": [paragraph]}]}))
    (example,) = read_reader_examples([path], 0, 0)
    assert example.positives == (MarkedPassage("Ada", "In 1888.", ((3, 7),)),)
    assert "left out 1 question without an answer" in caplog.text


def test_patterns_mark_what_they_match(tmp_path: Path) -> None:
    question = Question("q", "When?", (r"18\d\d",), "regex")
    positive = ExamplePassage("", "It was 1871 or 1899.")
    write_examples(tmp_path / "e.jsonl", [TrainingExample(question, (positive,), ())], "jsonl")
    (example,) = read_reader_examples([tmp_path / "e.jsonl"], 0, 0)
    assert [positive.text[start:end] for start, end in example.positives[0].places] == ["1871", "1899"]


def test_examples_none_of_whose_positives_hold_an_answer_are_counted_and_refused(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    question = Question("q", "When?", ("1871",))
    path = tmp_path / "e.jsonl"
    write_examples(path, [TrainingExample(question, (ExamplePassage("", "Not here."),), ())], "jsonl")
    with pytest.raises(InputError, match="no examples to train a reader on"):
        read_reader_examples([path], 0, 0)
    assert "left out 1 example whose positive passages hold no answer" in caplog.text


def test_both_forms_of_files_are_read_together(tmp_path: Path, mined: Path) -> None:
    spans = tmp_path / "spans.jsonl"
    record = {"question": "Who?", "passage": "It was Ada who came.", "answer_start": 7, "answer_text": "Ada"}
    other = {"question": "What?", "passage": "A ship came.", "answer_start": 2, "answer_text": "ship"}
    spans.write_text(json.dumps(record) + "\n" + json.dumps(other) + "\n")
    examples = read_reader_examples([mined, spans], 1, 0)
    assert len(examples) == len(EXAMPLES) + 2
    assert examples[0].positives == (MarkedPassage("", "It was Ada who came.", ((7, 10),)),)
    assert examples[0].negatives == (MarkedPassage("", "A ship came."),)


def test_a_swapped_question_has_a_name_or_a_number_of_the_passage_that_it_did_not_have() -> None:
    generator = np.random.default_rng(0)
    question = Question("", "When did the poet Ada Byron leave for Rome in 1820?", ("12 May",))
    passage = "On 12 May 1820 the poet Ada Byron left Oslo for Rome; by 1822 she was in Lima."
    results = {swapped(question, passage, generator) for _ in range(200)}
    assert results == {
        "When did the poet Oslo leave for Rome in 1820?",
        "When did the poet Lima leave for Rome in 1820?",
        "When did the poet Ada Byron leave for Oslo in 1820?",
        "When did the poet Ada Byron leave for Lima in 1820?",
        "When did the poet Ada Byron leave for Rome in 1822?",
    }
    assert swapped(Question("", "what is it?"), passage, generator) is None


def test_examples_without_passages_to_tell_apart_are_refused_where_some_are_wanted(
    tiny_model: Path, mined: Path
) -> None:
    model = Model(tiny_model)
    alone = [ReaderExample(Question("", "Where?", ("Oslo",)), (MarkedPassage("", "In Oslo.", ((3, 7),)),), ())]
    network = ReaderNetwork(model.require_reader().architecture)
    tokenizer = Tokenizer(model.tokenizer_path)
    config = model.require_reader()
    with pytest.raises(InputError, match="give --negatives 0"):
        ReaderObjective(network, alone, tokenizer=tokenizer, config=config, settings=SETTINGS)
    fine = replace(SETTINGS, negatives=0)
    assert ReaderObjective(network, alone, tokenizer=tokenizer, config=config, settings=fine).examples == alone


ROW = {"id": "1", "question": "Who?", "context": "by Ada", "answers": {"text": ["Ada"], "answer_start": [3]}}


ARTICLE = {"title": "T", "paragraphs": [{"context": "by Ada", "qas": [{**ROW, "answers": ROW["answers"]}]}]}


PASSAGES = {"question": "Who?", "answers": ["Ada"], "positive_ctxs": [{"text": "by Ada"}]}


RESULTS = {
    "question": "Who?",
    "answers": ["Ada"],
    "ctxs": [{"id": 1, "text": "by Ada", "score": 1, "has_answer": True}],
}


@pytest.mark.parametrize(
    "content",
    [
        json.dumps([ROW]),
        json.dumps([ROW], indent=1),
        json.dumps({"version": "2", "data": [ARTICLE]}, indent=4),
        json.dumps([PASSAGES], indent=1),
        json.dumps(PASSAGES, indent=1),
        json.dumps({"query": "Who?", "answers": ["Ada"], "positive_passages": [{"docid": "1", "text": "by Ada"}]}),
        json.dumps([RESULTS], indent=1),
    ],
    ids=["array of rows", "indented rows", "indented SQuAD", "DPR", "DPR, one object", "Tevatron", "DPR's results"],
)
def test_every_form_of_file_that_marks_or_holds_passages_trains_a_reader(tmp_path: Path, content: str) -> None:
    (tmp_path / "a.json").write_text(content)
    (example,) = read_reader_examples([tmp_path / "a.json"], 0, 0)
    assert [(passage.text, passage.places) for passage in example.positives] == [("by Ada", ((3, 6),))]
