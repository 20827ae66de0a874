"""Questions of every system: what is read, what is refused, and what an error says."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foreign import refusal, write
from opendpr.interop import read_questions, write_questions
from opendpr.text import occurs_everywhere
from opendpr.types import Question

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.jsonl", '{"question": "who", "answers": ["x"]}\n', Question("1", "who", ("x",))),
        ("a.jsonl", '{"id": 7, "question": "who", "document_id": 3}\n', Question("7", "who", (), "string", ("3",))),
        ("a.jsonl", '{"question": "who", "answers": ["x+"], "match": "regex"}', Question("1", "who", ("x+",), "regex")),
        ("a.csv", "who\t['x', \"y's\"]\n", Question("1", "who", ("x", "y's"))),
        ("a.csv", 'who\t"[\'x\', ""y\'s""]"\r\n', Question("1", "who", ("x", "y's"))),
        ("a.tsv", "\ufeffwho é\t['é']\n", Question("1", "who é", ("é",))),
        ("a.json", '[{"question": "who", "answers": ["x"], "positive_ctxs": []}]', Question("1", "who", ("x",))),
        ("a.jsonl", '{"question": "who", "answers": ["x"], "positive_ctxs": []}', Question("1", "who", ("x",))),
        ("a.jsonl", '{"_id": "q7", "text": "who", "metadata": {}}', Question("q7", "who")),
        ("a.tsv", '12\twho said "x\n', Question("12", 'who said "x')),
        ("a.tsv", '12\t"(x)" or\n', Question("12", '"(x)" or')),
        ("a.tsv", '12\t"who\n', Question("12", '"who')),
        ("a.csv", '"who\tis"\t[]\n', Question("1", "who\tis")),
        (
            "a.json",
            '{"data": [{"title": "T", "paragraphs": [{"context": "by Ada", "qas": [{"id": "s", "question": "who", '
            '"answers": [{"text": "Ada", "answer_start": 3}, {"text": "Ada", "answer_start": 3}]}]}]}], "version": 1}',
            Question("s", "who", ("Ada",)),
        ),
    ],
)
def test_questions_are_recognised_by_their_content(tmp_path, name, content, expected):
    assert list(read_questions(write(tmp_path / name, content))) == [expected]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (
            "who wrote this\n",
            ":1: cannot tell what kind of questions these are, from 'who wrote this'; give questions with",
        ),
        ("who wrote\tthis\n", ":1: cannot tell"),
        ("", " holds no questions"),
        ("who\t['x']\nwhat\n", ":2: expected question, tab, list of answers, found 1 field"),
        ("1\twho\n2\n", ":2: expected id, tab, question, found 1 field"),
        ('{"question": "who"}\n{"question": ""}\n', ":2: expected 'question' in words"),
        ('{"question": "who"}\n{"question": 1}\n', ":2: expected 'question' to be a string, found a number"),
        ('{"question": "who", "answers": 7}\n', ":1: 'answers' must be a list of strings, found a number"),
        (
            '{"question": "who", "answers": [["x"]]}\n',
            ":1: 'answers' must be a list of strings, found an array",
        ),
        ('{"question": "who", "gold": ["x"]}\n', ":1: the gold answers seem to be in 'gold', which is not read"),
        ('{"question": "who", "Answer": "x"}\n', ":1: the gold answers seem to be in 'Answer', which is not read"),
        ('{"question": "who", "short_answers": ["x"]}\n', ":1: the gold answers seem to be in 'short_answers'"),
        ("qid\ttext\n1\twho\n", ":1: found a header, ['qid', 'text']"),
        ("question\tanswers\nwho\t['x'\n", ":2: the answers cannot be read"),
        ("question\tanswers\nwho\n", ":2: expected 2 fields as in the header, found 1"),
        ('{"question": "who", "answers": [], "gold": "x"}\n', ":1: the gold answers seem to be in 'gold'"),
        ('{"question": "who", "answers": ["\\ud800"]}\n', ":1: 'answers' is not valid Unicode"),
        ('{"question": "who", "id": 1.5}\n', ":1: expected 'id' to be a string, found a number"),
        ('{"_id": "1", "text": null}\n', ":1: expected 'text' to be a string, found null"),
        ('[\n{"question": "who"},\n3]', ":3 (record 2): expected a JSON object, found a number"),
        (b"who\t['\xff']\n", ":1: not valid UTF-8"),
        ("who\t['x']\n\"what\t['y']\n" + "z" * 100, ":2: "),
    ],
)
def test_what_is_no_question_is_refused_with_its_line(tmp_path, content, problem):
    assert refusal(read_questions, tmp_path / "a", content).startswith(problem)


def _in_a_cell(text: str) -> str:
    """A text without what a cell cannot hold: a tab and a line end look like two rows and a stray quotation mark."""
    return text.replace("\r", "").replace("\t", " ")


@given(st.lists(st.tuples(TEXT.filter(str.strip), st.lists(TEXT))))
def test_a_dpr_table_gives_back_questions_and_answers(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("dpr") / "a.csv"
    written = [
        Question("", _in_a_cell(text), tuple(answer for answer in answers if not occurs_everywhere(answer)))
        for text, answers in content
        if _in_a_cell(text).strip()
    ]
    write_questions(path, written, "dpr")
    if written:
        result = [(question.text, question.answers) for question in read_questions(path)]
        assert result == [(question.text, question.answers) for question in written]


@pytest.mark.parametrize("text", ["[sic] who wrote it?", "{a} or {b}?", '["'])
def test_a_table_is_one_though_its_first_question_begins_as_json_does(tmp_path, text):
    write_questions(tmp_path / "a.csv", [Question("", text, ("x",))], "dpr")
    assert [question.text for question in read_questions(tmp_path / "a.csv")] == [text]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ('"answer": ["x", "y"]', ("x", "y")),
        ('"answer": "x"', ("x",)),
        ('"answers": "x"', ("x",)),
        ('"target": "x", "ctxs": []', ("x",)),
        ('"answers": ["x", "x"], "target": "X"', ("x",)),
        ('"answers": [], "answer": "x"', ("x",)),
        ('"answers": {"text": ["x"], "answer_start": [1]}', ("x",)),
        ('"answers": [{"text": "x"}]', ("x",)),
        ('"answer": {"value": "x", "aliases": ["y"], "type": "WikipediaEntity"}', ("x", "y")),
        ('"passage": "a x", "answer_text": "x", "answer_start": 2', ("x",)),
        ('"answer_type": "date", "answers": []', ()),
        ('"answer_type": "date"', ()),
    ],
)
def test_gold_answers_are_read_whatever_they_are_called(tmp_path, fields, expected):
    (question,) = read_questions(write(tmp_path / "a.jsonl", f'{{"question": "who", {fields}}}\n'))
    assert question.answers == expected


def test_the_gold_answers_of_the_natural_questions_key_are_read(cases):
    assert [question.answers for question in read_questions(cases / "answer-key.jsonl")] == [
        ("Tarn",),
        ("1874", "in 1874"),
    ]


def test_answers_that_every_text_would_hold_are_left_out_counted_and_named(cases, caplog):
    assert [question.answers for question in read_questions(cases / "empty-answer.questions.jsonl")] == [
        ("1874",),
        ("1911",),
        (),
    ]
    assert "dropped 2 answers found in every text: '' of question '1', '\\u200b' of question '3'" in caplog.text


def test_patterns_that_match_the_empty_string_are_left_out_where_answers_are_patterns(tmp_path, caplog):
    path = write(tmp_path / "a.csv", "who\t['x*', 'x+', '[']\n")
    (question,) = read_questions(path, match="regex")
    assert (question.answers, question.match) == (("x+", "["), "regex")
    assert "dropped 1 answer found in every text: 'x*' of question '1'" in caplog.text
    (question,) = read_questions(path)
    assert (question.answers, question.match) == (("x*", "x+", "["), "string")


@pytest.mark.parametrize("name", ["id", "_id", "qid", "query_id", "question_id", "example_id"])
def test_ids_are_read_whatever_they_are_called(tmp_path, name):
    path = write(tmp_path / "a.jsonl", f'{{"{name}": 7, "question": "who"}}\n{{"{name}": "b", "question": "what"}}\n')
    assert [question.id for question in read_questions(path)] == ["7", "b"]


@pytest.mark.parametrize(
    "content",
    [
        '{"query_id": "7", "query": "who"}\n',
        '{"query": "who", "_id": "7", "pos": ["x"], "neg": []}\n',
        '{\n  "id": "7",\n  "question": "who"\n}\n',
        '{"id": "7",\n"question": "who"}',
        '[\n  {\n    "id": 7,\n    "question": "who"\n  }\n]\n',
        '{\n "7": {\n  "question": "who"\n }\n}\n',
        '{"7": {"question": "who", "contexts": []}}',
        '{"data": [{"id": "7", "question": "who", "context": "by Ada", "answers": {"text": [], "answer_start": []}}]}',
    ],
)
def test_questions_of_other_systems_and_indented_ones_are_read(tmp_path, content):
    assert list(read_questions(write(tmp_path / "a", content))) == [Question("7", "who")]


def test_many_indented_objects_are_read_one_after_the_other(tmp_path):
    content = '{\n  "question": "who"\n}\n{\n  "question": "what"\n}\n'
    assert [question.text for question in read_questions(write(tmp_path / "a", content))] == ["who", "what"]
    message = refusal(read_questions, tmp_path / "a", content + '{\n  "question": ]\n}\n')
    assert message.startswith(":8: not valid JSON")


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.tsv", "question\tanswers\nwho\t['x', 'y']\n", Question("2", "who", ("x", "y"))),
        ("a.tsv", "id\tquestion\tanswer\n7\twho\tx\n", Question("7", "who", ("x",))),
        ("a.csv", 'Question,Answer\n"who, then",x\n', Question("2", "who, then", ("x",))),
        ("a.tsv", "qid\tquery\n7\twho\n", Question("7", "who")),
        ("a.tsv", "qid\tquery\n7\t[sic] who\n", Question("7", "[sic] who")),
        ("a.tsv", "question\tanswers\nwho\t\n", Question("2", "who")),
    ],
)
def test_a_table_with_a_header_is_read_by_its_names(tmp_path, name, content, expected):
    assert list(read_questions(write(tmp_path / name, content))) == [expected]


@pytest.mark.parametrize("name", ["output", "expected", "label", "labels", "response", "ground_truth", "Aliases"])
def test_gold_answers_under_an_unknown_name_are_not_taken_for_none(tmp_path, name):
    message = refusal(read_questions, tmp_path / "a.jsonl", f'{{"question": "who", "{name}": "x"}}\n')
    assert message.startswith(f":1: the gold answers seem to be in '{name}'")
    (question,) = read_questions(write(tmp_path / "a.jsonl", f'{{"question": "who", "answers": ["y"], "{name}": "x"}}'))
    assert question.answers == ("y",)


@pytest.mark.parametrize("indent", [None, 4])
def test_triviaqas_questions_are_read_with_their_aliases(tmp_path, indent):
    gold = {"Value": "Sinclair Lewis", "Aliases": ["Lewis", "Sinclair Lewis"], "NormalizedAliases": ["lewis"]}
    asked = [
        {"Question": "who", "QuestionId": "tc_1", "Answer": gold, "EntityPages": []},
        {"Question": "what", "QuestionId": "tc_2"},
    ]
    content = json.dumps({"Data": asked, "Domain": "unfiltered", "Split": "dev"}, indent=indent)
    assert list(read_questions(write(tmp_path / "a.json", content))) == [
        Question("tc_1", "who", ("Sinclair Lewis", "Lewis")),
        Question("tc_2", "what"),
    ]


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        (
            {"url": "u", "utterance": "who", "targetValue": r'(list (description "A \"B\" C") (description D))'},
            Question("1", "who", ('A "B" C', "D")),
        ),
        ({"utterance": "who", "targetValue": "(list)"}, Question("1", "who")),
        ({"qId": "wqr1", "qText": "who", "answers": ["A"]}, Question("wqr1", "who", ("A",))),
    ],
)
def test_webquestions_are_read(tmp_path, record, expected):
    assert list(read_questions(write(tmp_path / "a.json", json.dumps([record])))) == [expected]


def test_a_target_of_webquestions_that_cannot_be_read_is_refused(tmp_path):
    content = '[{"utterance": "who", "targetValue": "(list (description A) (date 1911))"}]'
    assert refusal(read_questions, tmp_path / "a.json", content).startswith(
        ":1 (record 1): expected 'targetValue' to be '(list (description ...) ...)', found '(list (description A)"
    )


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.csv", "question;answers\nwho;x\n", Question("2", "who", ("x",))),
        ("a.tsv", "question\tanswer\tsource\nwho\tx\tbook\n", Question("2", "who", ("x",))),
        ("a.csv", ",question,answer\n0,who,x\n", Question("2", "who", ("x",))),
    ],
)
def test_columns_that_are_not_known_are_passed_over_as_members_of_json_are(tmp_path, name, content, expected):
    assert list(read_questions(write(tmp_path / name, content))) == [expected]


@pytest.mark.parametrize("header", ["id\tquestion\tpossible_answers", "question\tgold\tid"])
def test_a_column_that_seems_to_hold_answers_is_not_passed_over(tmp_path, header):
    message = refusal(read_questions, tmp_path / "a.tsv", f"{header}\nwho\twho\twho\n")
    assert message.startswith(":2: the gold answers seem to be in ")
