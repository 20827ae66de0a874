"""SQuAD in all its layouts."""

import json

import pytest

from foreign import refusal, write
from opendpr.errors import InputError
from opendpr.interop import read_marked, read_questions, write_marked, write_squad


def squad(qas):
    return json.dumps({"version": "v2.0", "data": [{"title": "T", "paragraphs": [{"context": "by Ada", "qas": qas}]}]})


def test_squad_survives_reading_and_writing(tmp_path):
    answer = {"text": "Ada", "answer_start": 3}
    content = squad(
        [
            {"id": "1", "question": "who", "answers": [answer], "is_impossible": False},
            {"id": "2", "question": "why", "answers": [], "is_impossible": True},
        ]
    )
    path = write(tmp_path / "a.json", content)
    result = list(read_marked(path))
    assert [(item.id, item.marks, item.answers) for item in result] == [("1", ((3, "Ada"),), ("Ada",)), ("2", (), ())]
    assert write_squad(tmp_path / "b.json", result) == 2
    assert json.loads((tmp_path / "b.json").read_text()) == json.loads(content)
    write_marked(tmp_path / "c.jsonl", result[:1])
    assert list(read_marked(tmp_path / "c.jsonl")) == result[:1]
    with pytest.raises(InputError, match="question '2' has no answer"):
        write_marked(tmp_path / "c.jsonl", result)


@pytest.mark.parametrize(
    ("qas", "problem"),
    [
        (
            [{"id": "1", "question": "who", "answers": [{"text": "Ada", "answer_start": 2}]}],
            "holds ' Ad' at 2, not 'Ada'",
        ),
        ([{"id": "1", "question": "who", "answers": [{"text": "Ada", "answer_start": -3}]}], "to be an offset"),
        ([{"id": "1", "question": "who", "answers": [{"text": "Ada"}]}], "to be an offset, found null"),
        (
            [{"id": "1", "question": "who", "is_impossible": True, "answers": [{"text": "Ada", "answer_start": 3}]}],
            "both",
        ),
        ([{"question": "who"}], "expected 'id'"),
        (
            [{"id": "1", "question": "who", "answers": {"text": ["Ada"], "answer_start": []}}],
            "as many of",
        ),
    ],
)
def test_squad_with_wrong_offsets_is_refused(tmp_path, qas, problem):
    message = refusal(read_marked, tmp_path / "a.json", squad(qas))
    assert message.startswith(":1 (record 1): ")
    assert problem in message or (problem == "both" and "it can be one of the two" in message)


ROW = {
    "id": "1",
    "title": "T",
    "context": "by Ada",
    "question": "who",
    "answers": {"text": ["Ada"], "answer_start": [3]},
}
NONE = {**ROW, "id": "2", "question": "why", "answers": {"text": [], "answer_start": []}}
QA = {"id": "1", "question": "who", "answers": [{"text": "Ada", "answer_start": 3}]}
IMPOSSIBLE = {"id": "2", "question": "why", "answers": [], "is_impossible": True}
PARAGRAPH = {"context": "by Ada", "qas": [QA, IMPOSSIBLE]}
ARTICLE = {"title": "T", "paragraphs": [PARAGRAPH]}
LAYOUTS = {
    "nested": {"version": "v2.0", "data": [ARTICLE]},
    "members before data": {"version": 2.0, "splits": ["dev"], "info": {"data": 3}, "n": None, "data": [ARTICLE]},
    "members after data": {"data": [ARTICLE], "version": "1.1"},
    "flat": {"version": "2.0", "data": [ROW, NONE]},
    "flat, a list of objects": {"data": [{**ROW, "answers": QA["answers"]}, {**NONE, "answers": []}]},
    "flat, one answer": {"data": [{**ROW, "answers": {"text": "Ada", "answer_start": 3}}, NONE]},
    "flat, answer of null": {"data": [ROW, {**NONE, "answers": None}]},
    "array of rows": [ROW, NONE],
    "array of articles": [ARTICLE],
    "array of files": [{"data": [ARTICLE]}],
}


@pytest.mark.parametrize("indent", [None, 1])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_squad_is_read_in_every_layout(tmp_path, layout, indent):
    result = list(read_marked(write(tmp_path / "a.json", json.dumps(LAYOUTS[layout], indent=indent))))
    assert [(item.id, item.title, item.passage, item.marks) for item in result] == [
        ("1", "T", "by Ada", ((3, "Ada"),)),
        ("2", "T", "by Ada", ()),
    ]
    assert [item.id for item in read_questions(tmp_path / "a.json")] == ["1", "2"]


@pytest.mark.parametrize("lines", [[ROW, NONE], [ARTICLE], [{"data": [ROW]}, {"data": [NONE]}], [LAYOUTS["nested"]]])
def test_squad_is_read_from_json_lines(tmp_path, lines):
    content = "".join(json.dumps(line) + "\n" for line in lines)
    assert [item.id for item in read_marked(write(tmp_path / "a.jsonl", content))] == ["1", "2"]


def test_a_long_file_is_recognised_by_its_beginning(tmp_path):
    article = {"title": "T", "paragraphs": [{**PARAGRAPH, "context": "by Ada" + " x" * 400_000}]}
    for data in ([article, article], [{**ROW, "context": "by Ada" + " x" * 400_000}] * 2):
        path = write(tmp_path / "a.json", json.dumps({"info": {"more": "y" * 1_000}, "data": data}))
        assert [item.id for item in read_marked(path)][:1] == ["1"]
        assert next(read_questions(path)).answers == ("Ada",)


def test_flat_rows_and_their_empty_answers_are_read(cases):
    assert [(item.id, item.marks) for item in read_marked(cases / "squad-flat.json")] == [
        ("a", ((22, "Tarn"),)),
        ("b", ()),
    ]


@pytest.mark.parametrize(("empty", "start"), [("", 0), ("", -1), (" ", 2)])
def test_an_empty_answer_is_left_out_and_named(tmp_path, caplog, empty, start):
    unmarked = {"id": "1", "question": "who", "answers": [{"text": empty, "answer_start": start}]}
    path = write(tmp_path / "a.json", squad([unmarked, {**QA, "id": "2"}]))
    assert [item.marks for item in read_marked(path)] == [(), ((3, "Ada"),)]
    assert "dropped 1 answer found in every text" in caplog.text
    assert "of question '1'" in caplog.text


def test_the_empty_answer_of_a_mayor_is_no_mark(cases):
    assert [item.marks for item in read_marked(cases / "squad-empty-answer.json")] == [(), ((15, "Tarn"),)]


@pytest.mark.parametrize(
    "gold",
    [{"answer": {"text": "Ada", "answer_start": 3}}, {"answer": "Ada"}, {"answers": [], "correct_answers": ["Ada"]}],
)
def test_answers_that_are_not_marked_are_not_taken_for_none(tmp_path, gold):
    message = refusal(read_marked, tmp_path / "a.json", squad([{"id": "1", "question": "who", **gold}]))
    assert message.startswith(":1 (record 1): question 1: ")
    assert "expected 'answers' with 'text' and 'answer_start'" in message or "'correct_answers'" in message
