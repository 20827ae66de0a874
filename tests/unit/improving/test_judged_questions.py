"""From what was said of answers to questions with known answers."""

from __future__ import annotations

from pathlib import Path

import pytest

import opendpr
from opendpr.collection import open_collection
from opendpr.collection.judgements import Judgement, State, VerdictName, judgements
from opendpr.errors import InputError, StateError, UsageError
from opendpr.improving.judging import ANSWER_CHARACTERS, NO_ANSWERS, AnswerPlace, add_files, add_questions, judge
from opendpr.improving.questions import CHANGED, GONE, NO_BETTER, judged_questions
from opendpr.types import Document, Question

TEXT = "The pier of Orvik was built by Marta Lindqvist in 1874."
HOSTILE = "</script><img src=x onerror=alert(1)>\u202e'; DROP TABLE judgements; --"


def said(
    verdict: VerdictName, text: str, *, document_id: str = "pier", state: State = "current", question: str = "Who?"
) -> Judgement:
    return Judgement(f"{verdict} {text}", "now", question, verdict, text, document_id if text else "", state=state)


def only(*made: Judgement) -> Question:
    [question] = judged_questions(made).questions
    return question


def test_right_and_better_words_are_the_answers() -> None:
    question = only(said("right", "Marta Lindqvist"), said("better", "Marta", document_id="other"))
    assert question == Question(
        "right Marta Lindqvist", "Who?", ("Marta Lindqvist", "Marta"), document_ids=("pier", "other")
    )


def test_the_newest_judgement_of_the_same_words_counts() -> None:
    assert only(said("right", "Marta"), said("right", "Orvik"), said("wrong", "the Marta")).answers == ("Orvik",)
    assert only(said("wrong", "Marta"), said("right", "Marta")).answers == ("Marta",)


def test_no_answer_found_that_is_right_is_a_question_without_answers_until_words_are_given() -> None:
    assert only(said("right", "")).answers == ()
    assert only(said("right", "Marta"), said("right", "")).answers == ()
    assert only(said("right", ""), said("better", "Marta")).answers == ("Marta",)
    assert judged_questions([said("right", ""), said("wrong", "")]).questions == []
    assert only(said("right", ""), said("wrong", "Marta")).answers == ()


def test_what_teaches_nothing_is_left_out_with_the_reason() -> None:
    judged = judged_questions(
        [
            said("wrong", "Orvik", question="a"),
            said("right", "Marta", question="b", state="gone"),
            said("right", "Marta", question="c", state="changed"),
            said("right", "Marta", question="d", state="changed"),
            said("right", "Orvik", question="d"),
        ]
    )
    assert [(question.text, question.answers) for question in judged.questions] == [("d", ("Orvik",))]
    assert judged.left_out == {NO_BETTER: ["a"], GONE: ["b"], CHANGED: ["c"]}
    assert judged.describe()[0] == f"left out 1 question: {NO_BETTER}"


@pytest.fixture
def collection(tmp_path: Path) -> Path:
    documents = [Document("pier", "Pier", TEXT), Document("hostile", "", f"{HOSTILE} and more")]
    opendpr.add(tmp_path / "notes", documents, vectors=False)
    return tmp_path / "notes"


def stored(collection: Path) -> list[Judgement]:
    with open_collection(collection) as opened:
        return judgements(opened)


def test_the_same_said_twice_is_stored_once(collection: Path) -> None:
    place = AnswerPlace("pier", 31, 46)
    first = judge(collection, " Who \n built it?", "right", place)
    assert (first.question, first.text, first.end) == ("Who built it?", "Marta Lindqvist", 46)
    assert judge(collection, "Who built it?", "right", place).id == first.id
    assert judge(collection, "Who built it?", "wrong", place).id != first.id
    assert len(stored(collection)) == 2


def test_any_text_is_judged_as_it_is(collection: Path) -> None:
    judge(collection, HOSTILE, "better", AnswerPlace("hostile", 0, len(HOSTILE)), who=HOSTILE)
    [judgement] = stored(collection)
    assert (judgement.question, judgement.text, judgement.who) == (HOSTILE, HOSTILE, HOSTILE)
    assert judgement.state == "current"


@pytest.mark.parametrize(("start", "end"), [(5, 5), (6, 5), (-1, 3), (0, 10_000), (8, 9)])
def test_a_place_without_words_is_refused(collection: Path, start: int, end: int) -> None:
    with pytest.raises(UsageError, match="there are no words"):
        judge(collection, "Who?", "right", AnswerPlace("pier", start, end))
    assert stored(collection) == []


def test_what_cannot_be_judged_is_refused(collection: Path) -> None:
    for question, verdict, place, error in (
        (" ", "right", None, "question is empty"),
        ("Who?", "good", None, "one of right, wrong, better"),
        ("Who?", "better", None, "better words have a place"),
    ):
        with pytest.raises(UsageError, match=error):
            judge(collection, question, verdict, place)
    with pytest.raises(InputError, match="no document 'none'"):
        judge(collection, "Who?", "right", AnswerPlace("none", 0, 1))
    opendpr.add(collection, [Document("long", "", "x" * 2 * ANSWER_CHARACTERS)], vectors=False)
    with pytest.raises(UsageError, match="at most 1,000"):
        judge(collection, "Who?", "right", AnswerPlace("long", 0, ANSWER_CHARACTERS + 1))


def test_questions_of_a_file_are_placed_where_the_documents_have_the_words(collection: Path) -> None:
    added = add_questions(
        collection,
        [
            Question("1", "Who built it?", ("marta LINDQVIST", "Nobody"), document_ids=("pier", "none")),
            Question("2", "How high is it?", ()),
            Question("3", "How long is it?", ("210 m",)),
            Question("4", "When?", ("1923",), document_ids=("pier",)),
            Question("5", "Which?", ("x+",), "regex"),
            Question("6", "Where?", (), document_ids=("pier",)),
        ],
    )
    assert [(made.question, made.text, made.document_id, made.start) for made in stored(collection)] == [
        ("Who built it?", "Marta Lindqvist", "pier", 31),
        ("How high is it?", "", "", 0),
        ("How long is it?", "210 m", "", 0),
    ]
    assert [(left.question.id, left.reason) for left in added.left_out] == [
        ("4", "none of its answers occurs in 'pier'"),
        ("5", "its answers are patterns; only words can be judged"),
        ("6", "it names a document, but no answer"),
    ]


def test_only_an_empty_list_of_answers_says_that_the_documents_do_not_answer(collection: Path, tmp_path: Path) -> None:
    lines, array, table = tmp_path / "lines.jsonl", tmp_path / "array.json", tmp_path / "table.tsv"
    lines.write_text(
        '{"question": "Who  paints it?", "answers": []}\n{"question": "Who owns it?"}\n'
        '{"question": "How long?", "answers": ["210 m"]}\n{"question": "How wide?", "answers": null}\n'
        '{"question": "How old?", "answers": [" "]}\n'
    )
    array.write_text('[{"question": "Who sold it?"}, {"question": "Who bought it?", "answer": []}]')
    table.write_text("1\tWhere is it?\n2\tWhen was it?\n")
    added = add_files(collection, [lines, array, table])
    assert [(made.question, made.text) for made in added.judgements] == [
        ("Who paints it?", ""),
        ("How long?", "210 m"),
        ("Who bought it?", ""),
    ]
    assert stored(collection) == added.judgements
    names = ["Who owns it?", "How wide?", "How old?", "Who sold it?", "Where is it?", "When was it?"]
    assert [(left.question.text, left.reason) for left in added.left_out] == [(name, NO_ANSWERS) for name in names]
    with pytest.raises(StateError, match="not a collection"):
        add_files(tmp_path / "none", [tmp_path / "none.jsonl"])
