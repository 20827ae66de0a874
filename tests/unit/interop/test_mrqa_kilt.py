"""MRQA's contexts with questions, KILT's questions with provenance and its pages."""

import json

import pytest

from foreign import refusal, write
from opendpr.interop import MarkedQuestion, read_marked, read_passages, read_questions, read_run
from opendpr.types import Document, Question

HEADER = {"header": {"dataset": "SQuAD", "split": "train"}}
CONTEXT = "[TLE] Albi [PAR] Albi is on the Tarn. The Tarn is a river."
ASKED = {
    "qid": "f0",
    "question": "Which river?",
    "answers": ["Tarn", "the Tarn"],
    "question_tokens": [["Which", 0]],
    "detected_answers": [{"text": "Tarn", "char_spans": [[32, 35], [42, 45]], "token_spans": [[7, 7], [10, 10]]}],
}
KILT = {
    "id": "5a",
    "input": "Which river is Albi on?",
    "output": [
        {"answer": "Tarn", "provenance": [{"wikipedia_id": "30", "title": "Albi", "start_paragraph_id": 1}]},
        {"answer": "the Tarn"},
        {"provenance": [{"wikipedia_id": "31", "title": "Tarn"}, {"wikipedia_id": "30", "title": "Albi"}]},
    ],
    "meta": {},
}


def lines(*records):
    return "".join(json.dumps(record) + "\n" for record in records)


@pytest.mark.parametrize("header", [[HEADER], []])
def test_mrqa_is_read_with_every_place_of_an_answer(tmp_path, header):
    path = write(tmp_path / "a.jsonl", lines(*header, {"id": "", "context": CONTEXT, "qas": [ASKED]}))
    marks = ((32, "Tarn"), (42, "Tarn"))
    assert list(read_marked(path)) == [MarkedQuestion("f0", "Which river?", "", CONTEXT, marks, ("Tarn", "the Tarn"))]
    assert list(read_questions(path)) == [Question("f0", "Which river?", ("Tarn", "the Tarn"))]


def test_mrqas_detected_answers_may_differ_from_the_text_in_writing_alone(tmp_path):
    asked = {**ASKED, "detected_answers": [{"text": "TARN", "char_spans": [[32, 35]]}]}
    (marked,) = read_marked(write(tmp_path / "a.jsonl", lines(HEADER, {"context": CONTEXT, "qas": [asked]})))
    assert marked.marks == ((32, "Tarn"),)


@pytest.mark.parametrize(
    ("spans", "problem"),
    [
        ([[31, 34]], ":2: question f0: the context holds ' Tar' at 31, not 'Tarn'"),
        ([[32, 350]], ":2: question f0: expected 'char_spans' to be pairs within the context, found [32, 350]"),
        ([32], ":2: question f0: expected 'char_spans' to be pairs within the context, found 32"),
    ],
)
def test_an_answer_that_is_not_where_mrqa_says_is_refused(tmp_path, spans, problem):
    asked = {**ASKED, "detected_answers": [{"text": "Tarn", "char_spans": spans}]}
    content = lines(HEADER, {"context": CONTEXT, "qas": [asked]})
    assert refusal(read_marked, tmp_path / "a.jsonl", content).startswith(problem)


def test_kilts_questions_have_all_answers_and_the_pages_of_their_provenance(tmp_path):
    path = write(tmp_path / "a.jsonl", lines(KILT, {"id": "5b", "input": "Who?"}))
    assert list(read_questions(path)) == [
        Question("5a", "Which river is Albi on?", ("Tarn", "the Tarn"), document_ids=("30", "31")),
        Question("5b", "Who?"),
    ]


def test_kilts_pages_are_documents_without_the_title_in_their_text(tmp_path):
    page = {
        "_id": "30",
        "wikipedia_id": "30",
        "wikipedia_title": "Albi",
        "text": ["Albi\n", "On the Tarn.\n", "Old.\n"],
    }
    path = write(tmp_path / "a.jsonl", lines(page))
    assert list(read_passages(path)) == [Document("30", "Albi", "On the Tarn.\nOld.\n")]


@pytest.mark.parametrize(
    ("record", "problem"),
    [
        ({"id": "1", "input": "Who?", "output": ["x"]}, ":1: 'output' must be a list of objects"),
        ({"id": "1", "input": "Who?", "output": [{"answer": 7}]}, ":1: expected 'answer' to be a string"),
        ({"id": "1", "input": " "}, ":1: expected 'input' in words"),
        ({"id": "1", "input": "Who?", "output": [{"provenance": [{"title": "x"}]}]}, ":1: expected 'wikipedia_id'"),
    ],
)
def test_what_is_no_question_of_kilt_is_refused(tmp_path, record, problem):
    assert refusal(read_questions, tmp_path / "a.jsonl", lines(record)).startswith(problem)


def test_kilts_predictions_are_rankings_of_pages_each_counted_once(tmp_path):
    pages = [{"wikipedia_id": id} for id in ("31", "30", "31", 29)]
    predicted = {"id": "5a", "output": [{"answer": "Lot", "provenance": pages}]}
    (ranking,) = read_run(write(tmp_path / "a.jsonl", lines(predicted)))
    assert (ranking.id, ranking.question, ranking.answers) == ("5a", "", ())
    assert [hit.document_id for hit in ranking.hits] == ["31", "30", "29"]
    assert [hit.score for hit in ranking.hits] == [1, 1 / 2, 1 / 3]


def test_a_prediction_of_kilt_without_pages_is_an_empty_ranking(tmp_path):
    (ranking,) = read_run(write(tmp_path / "a.jsonl", lines({"id": "5a", "output": [{"answer": "Lot"}]})))
    assert ranking.hits == ()
