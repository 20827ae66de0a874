"""Files of other systems: what is read, what is written, and what an error says."""

import ast
import json
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opendpr.errors import InputError
from opendpr.interop import (
    Found,
    Judgement,
    Ranking,
    read_examples,
    read_marked,
    read_passages,
    read_qrels,
    read_questions,
    read_run,
    read_squad,
    write_examples,
    write_marked,
    write_passages,
    write_qrels,
    write_questions,
    write_run,
    write_squad,
)
from opendpr.interop.arrays import read_array
from opendpr.interop.literals import LITERAL_CHARACTERS, parse_strings, write_strings
from opendpr.interop.runs import best_of_documents
from opendpr.storage.compression import COMPRESSED, open_binary, open_output
from opendpr.types import Document, ExamplePassage, Question, TrainingExample

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)


def write(path, content):
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def refusal(read, path, content):
    with pytest.raises(InputError) as caught:
        list(read(write(path, content)))
    message = str(caught.value)
    assert message.startswith(str(path))
    return message.removeprefix(str(path))


# Writing


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


# Arrays


@given(
    st.lists(
        st.recursive(st.none() | st.integers() | TEXT, lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner))
    )
)
def test_an_array_is_read_as_json_reads_it(tmp_path_factory, values):
    path = tmp_path_factory.mktemp("array") / "a.json"
    for indent in (None, 1):
        path.write_text(json.dumps(values, indent=indent, ensure_ascii=False), encoding="utf-8")
        assert [value for _, value in read_array(path)] == values


def test_elements_across_reads_are_whole_and_know_their_line(tmp_path, monkeypatch):
    path = write(tmp_path / "a.json", '[\n{"a": "xéx"},\n 12345 ,\n"\\u00e9",\n[1, 2]\n]\n')
    for size in range(1, 40):
        monkeypatch.setattr("opendpr.interop.arrays.READ_BYTES", size)
        found = list(read_array(path))
        assert [value for _, value in found] == [{"a": "xéx"}, 12345, "é", [1, 2]]
        assert [place for place, _ in found] == [f"{path}:{n + 1} (record {n})" for n in range(1, 5)]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("[1, 2", ":1: not valid JSON: expected a comma, or the end of the array, found the end of the file"),
        ('[1,\n{"a": }]', ":2: not valid JSON: Expecting value"),
        ('[1,\n"abc', ":2: not valid JSON: Unterminated string"),
        ("[1]\nx", ":2: not valid JSON: expected the end of the file, found 'x'"),
        ("[1,]", ":1: not valid JSON: Expecting value"),
        ("[" * 100_000, ":1: not valid JSON: nested too deeply"),
        ("[" + "9" * 5_000 + "]", ":1: not valid JSON: Exceeds the limit"),
    ],
)
def test_an_array_that_is_not_json_is_refused_with_its_line(tmp_path, content, problem):
    assert refusal(read_array, tmp_path / "a.json", content).startswith(problem)


def test_an_element_that_never_ends_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("opendpr.interop.arrays.RECORD_BYTES", 1_000_000)
    content = '[{"a": "' + "x" * 5_000_000
    assert "more than 1 MB" in refusal(read_array, tmp_path / "a.json", content)


def test_memory_does_not_grow_with_a_training_file(tmp_path):
    def peak(records):
        one = {"question": "who", "answers": ["x"], "positive_ctxs": [{"title": "t", "text": "x" * 2_000}]}
        path = write(tmp_path / f"{records}.json", json.dumps([one] * records))
        tracemalloc.start()
        try:
            assert sum(1 for _ in read_examples(path)) == records
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    assert peak(4_000) < 1.2 * peak(1_000)


# Answers as Python writes them


@given(st.lists(TEXT))
def test_a_list_of_strings_is_read_as_python_reads_it(strings):
    assert parse_strings(write_strings(strings)) == tuple(strings)
    assert parse_strings(repr(tuple(strings))) == tuple(strings)


@pytest.mark.parametrize(
    "literal",
    [
        r"""['a', "b'c", 'd\'e', u'f\n\x41\u00e9\U0001f600\101', '\\', ]""",
        """["it's", 'say "x"']""",
        "[ 'a' ,'b' ]",
        "()",
        "('a',)",
        "['\\\nx']",
    ],
)
def test_literals_mean_what_they_mean_in_python(literal):
    assert parse_strings(literal) == tuple(ast.literal_eval(literal))


@pytest.mark.parametrize(
    ("literal", "problem"),
    [
        ("__import__('os').system('touch x')", "expected a list of strings"),
        ("[__import__('os').system('touch x')]", "expected a string in quotes at character 2"),
        ("['a'.__class__]", "expected a comma or ]"),
        ("['a' + 'b']", "expected a comma or ]"),
        ("[f'{1}']", "expected a string in quotes"),
        ("['a'] + ['b']", "expected nothing after the list"),
        ("[" * 10_000 + "]" * 10_000, "expected a string in quotes"),
        ("(" * 10_000, "expected a string in quotes"),
        ("[" + "'a'," * 250_000 + "]", f"at most {LITERAL_CHARACTERS:,} are allowed"),
        ("'" + "a" * 1_000_000 + "'", f"at most {LITERAL_CHARACTERS:,} are allowed"),
        ("[1, 2]", "expected a string in quotes"),
        ("{'a': 1}", "expected a list of strings"),
        ("['a", "expected a string in quotes"),
        (r"['\ud800']", "is no character"),
        (r"['\N{BULLET}']", "cannot read the escape"),
        ("", "expected a list of strings"),
    ],
)
def test_a_list_that_is_more_than_strings_is_refused_with_its_line(tmp_path, literal, problem):
    content = "who\t['x']\n" + f"what\t{literal}\n"
    message = refusal(read_questions, tmp_path / "a.csv", content)
    assert message.startswith(":2: the answers cannot be read: ")
    assert problem in message
    assert len(message) < 300
    assert not (tmp_path / "x").exists()


# Questions


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.jsonl", '{"question": "who", "answers": ["x"]}\n', Question("1", "who", ("x",))),
        ("a.jsonl", '{"id": 7, "question": "who", "document_id": 3}\n', Question("7", "who", (), "string", ("3",))),
        ("a.jsonl", '{"question": "who", "answers": ["x?"], "match": "regex"}', Question("1", "who", ("x?",), "regex")),
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
        ("who wrote this\n", ":1: cannot tell what kind of questions these are, from 'who wrote this'; expected JSON"),
        ("who wrote\tthis\n", ":1: cannot tell"),
        ("", " holds no questions"),
        ("who\t['x']\nwhat\n", ":2: expected question, tab, list of answers, found 1 fields"),
        ("1\twho\n2\n", ":2: expected id, tab, question, found 1 fields"),
        ('{"question": "who"}\n{"question": ""}\n', ":2: expected 'question' in words"),
        ('{"question": "who"}\n{"question": 1}\n', ":2: expected 'question' to be a string, found a number"),
        ('{"question": "who", "answers": "x"}\n', ":1: 'answers' must be a list of strings, found a string"),
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


@given(st.lists(st.tuples(TEXT.filter(str.strip), st.lists(TEXT))))
def test_a_dpr_table_gives_back_questions_and_answers(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("dpr") / "a.csv"
    written = [
        Question("", text.replace("\r", ""), tuple(answers))
        for text, answers in content
        if text.replace("\r", "").strip()
    ]
    write_questions(path, written, "dpr")
    if written:
        found = [(question.text, question.answers) for question in read_questions(path)]
        assert found == [(question.text, question.answers) for question in written]


@pytest.mark.parametrize("text", ["[sic] who wrote it?", "{a} or {b}?", '["'])
def test_a_table_is_one_though_its_first_question_begins_as_json_does(tmp_path, text):
    write_questions(tmp_path / "a.csv", [Question("", text, ("x",))], "dpr")
    assert [question.text for question in read_questions(tmp_path / "a.csv")] == [text]


# Passages


def test_passages_survive_every_form_that_holds_them(tmp_path):
    passages = [Document("1", 'The "T"', 'a "quoted"\ttext\nof two lines'), Document("wiki:2", "", "'x")]
    for format in ("psgs", "beir", "jsonl"):
        assert write_passages(tmp_path / "a", passages, format) == 2
        assert list(read_passages(tmp_path / "a")) == passages
    assert write_passages(tmp_path / "a", passages, "msmarco") == 2
    assert [each.text for each in read_passages(tmp_path / "a")] == ['a "quoted" text of two lines', "'x"]


def test_psgs_has_the_text_before_the_title(tmp_path):
    write_passages(tmp_path / "a", [Document("1", "T", "x")], "psgs")
    assert (tmp_path / "a").read_text() == "id\ttext\ttitle\n1\tx\tT\n"


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("id\ttext\ttitle\n1\tx\n", ":2: expected 3 fields as in the header, found 2"),
        ("id\ttext\ttitle\n\tx\tT\n", ":2: expected 'id' to say something"),
        ("1\tx\n2\n", ":2: expected id, tab, text"),
        ('{"_id": "1", "text": "x"}\n{"text": "x"}\n', ":2: expected 'id' to be a string"),
        ('id\ttext\ttitle\n1\tx\tT\n2\t"x\tT\n' + "y\n" * 6_000_000, ":3: field larger than field limit"),
    ],
)
def test_what_is_no_passage_is_refused_with_its_line(tmp_path, content, problem):
    assert refusal(read_passages, tmp_path / "a", content).startswith(problem)


# Training examples


def test_training_examples_survive_the_forms_that_hold_them(tmp_path):
    example = TrainingExample(
        Question("1", "who", ("x",)),
        (ExamplePassage("T", "text", "7", 1000.0),),
        (ExamplePassage("", "hard", "8", 14.5), ExamplePassage("U", "harder", "", 0.0)),
        (ExamplePassage("", "other", "", 0.0),),
    )
    for name, format in (("a.jsonl", "jsonl"), ("a.json", "dpr"), ("b.jsonl.gz", "dpr")):
        assert write_examples(tmp_path / name, [example], format) == 1
        assert list(read_examples(tmp_path / name)) == [example]
    assert write_examples(tmp_path / "a.tsv", [example], "msmarco") == 2
    assert (tmp_path / "a.tsv").read_text() == "who\ttext\thard\nwho\ttext\tharder\n"
    written = json.loads((tmp_path / "a.json").read_text())[0]
    assert list(written) == ["question", "answers", "positive_ctxs", "hard_negative_ctxs", "negative_ctxs"]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ('{"question": "who"}\n', ":1: expected 'positives' or 'positive_ctxs'"),
        ('{"question": "who", "positives": [{"title": "T"}]}', ":1: positives 1: expected 'text' to be a string"),
        ('{"question": "who", "positives": [{"text": "x", "score": "y"}]}', ":1: positives 1: expected 'score'"),
        ('{"question": "who", "positives": ["x"]}', ":1: 'positives' must be a list of objects"),
        ("who\tx\n", ":1: expected question, positive and negative"),
    ],
)
def test_what_is_no_example_is_refused_with_its_line(tmp_path, content, problem):
    assert refusal(read_examples, tmp_path / "a", content).startswith(problem)


# SQuAD


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
    found = list(read_squad(path))
    assert [(each.id, each.marks, each.answers) for each in found] == [("1", ((3, "Ada"),), ("Ada",)), ("2", (), ())]
    assert write_squad(tmp_path / "b.json", found) == 2
    assert json.loads((tmp_path / "b.json").read_text()) == json.loads(content)
    write_marked(tmp_path / "c.jsonl", found[:1])
    assert list(read_marked(tmp_path / "c.jsonl")) == found[:1]
    with pytest.raises(InputError, match="question '2' has no answer"):
        write_marked(tmp_path / "c.jsonl", found)


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
    ],
)
def test_squad_with_wrong_offsets_is_refused(tmp_path, qas, problem):
    message = refusal(read_squad, tmp_path / "a.json", squad(qas))
    assert message.startswith(":1 (record 1): ")
    assert problem in message or (problem == "both" and "it can be one of the two" in message)


# Runs and judgements

RANKING = Ranking(
    "q1",
    "who",
    ("x",),
    "dense",
    (
        Found("d#0", 2.5, "d", "T", "text x", True),
        Found("d#9", 2.0, "d", "T", "text", False),
        Found("e", 1.0, "e", "", "y"),
    ),
)


def test_runs_survive_the_forms_that_hold_them(tmp_path):
    assert write_run(tmp_path / "a.jsonl", [RANKING], "jsonl") == 1
    assert list(read_run(tmp_path / "a.jsonl")) == [RANKING]
    assert write_run(tmp_path / "a.json", [RANKING], "dpr") == 1
    (record,) = json.loads((tmp_path / "a.json").read_text())
    assert record["ctxs"][0] == {"id": "d#0", "title": "T", "text": "text x", "score": "2.5", "has_answer": True}
    (found,) = read_run(tmp_path / "a.json")
    assert (found.id, found.question, found.answers) == ("1", "who", ("x",))
    assert [(each.id, each.score, each.has_answer) for each in found.found] == [
        ("d#0", 2.5, True),
        ("d#9", 2.0, False),
        ("e", 1.0, None),
    ]
    assert write_run(tmp_path / "a.trec", [RANKING], "trec") == 1
    assert (tmp_path / "a.trec").read_text() == ("q1 Q0 d#0 1 2.5 dense\nq1 Q0 d#9 2 2.0 dense\nq1 Q0 e 3 1.0 dense\n")
    assert [each.id for each in next(read_run(tmp_path / "a.trec")).found] == ["d#0", "d#9", "e"]
    write_run(tmp_path / "a.run", [RANKING], "msmarco")
    assert (tmp_path / "a.run").read_text() == "q1\td#0\t1\nq1\td#9\t2\nq1\te\t3\n"
    assert [each.score for each in next(read_run(tmp_path / "a.run")).found] == [1.0, 0.5, 1 / 3]


def test_a_document_counts_by_its_best_passage():
    assert [(each.id, each.score) for each in best_of_documents(RANKING).found] == [("d", 2.5), ("e", 1.0)]


def test_a_run_of_an_evaluation_is_read_for_each_system(tmp_path):
    lines = [
        {"type": "run", "format": 1},
        {
            "type": "question",
            "set": "nq",
            "question": "7",
            "system": "bm25",
            "text": "who",
            "answers": ["x"],
            "hits": {"ids": ["a", "b#0"], "scores": [2.5, 1.0]},
            "answer_ranks": [2],
        },
        {
            "type": "question",
            "set": "ir",
            "question": "8",
            "system": "dense",
            "text": "what",
            "answers": [],
            "documents": {"ids": ["a"], "scores": [3]},
        },
        {"type": "scan", "absent": {}},
    ]
    first, second = read_run(write(tmp_path / "a.jsonl", "".join(json.dumps(line) + "\n" for line in lines)))
    assert first == Ranking(
        "7", "who", ("x",), "bm25", (Found("a", 2.5, has_answer=False), Found("b#0", 1.0, has_answer=True)), "nq"
    )
    assert second == Ranking("8", "what", (), "dense", (Found("a", 3.0, "a"),), "ir")


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("1 Q0 d 1 2.5 t\n2 Q0 d 1 2.5 t\n1 Q0 e 2 1 t\n", ":3: question '1' was there before"),
        ("1 Q0 d 1 x t\n", ":1: expected 'score' to be a finite number, found 'x'"),
        ("1 Q0 d 1 nan t\n", ":1: expected 'score' to be a finite number"),
        ("1 d\n", ":1: expected 'question Q0 document rank score tag'"),
        ("1\td\t0\n", ":1: expected 'question Q0"),
        ('{"question": "who"}\n', ":1: expected 'hits' or 'ctxs'"),
        ('{"question": "who", "ctxs": [{"id": "1"}]}\n', ":1: ctxs 1: expected 'score', found none"),
        ('{"question": "who", "ctxs": [{"id": "1", "score": "inf"}]}\n', ":1: ctxs 1: expected 'score' to be a finite"),
        ('{"type": "question", "hits": {"ids": ["a"], "scores": []}}', ":1: expected as many scores as ids"),
    ],
)
def test_what_is_no_run_is_refused_with_its_line(tmp_path, content, problem):
    assert refusal(read_run, tmp_path / "a", content).startswith(problem)


def test_a_trec_run_without_a_tag_and_with_more_columns_is_read(tmp_path):
    (found,) = read_run(write(tmp_path / "a", "1 Q0 d 1 2.5\n1 Q0 e 2 3.5 tag more columns\n"))
    assert [each.id for each in found.found] == ["e", "d"]


@pytest.mark.parametrize(
    ("rankings", "format", "problem"),
    [
        ([RANKING, RANKING], "trec", "is there twice"),
        ([RANKING, RANKING], "msmarco", "is there twice"),
        ([Ranking("1", "who", (), "t", (Found("my file.txt", 1.0),))], "trec", "'my file.txt' cannot be written"),
        ([Ranking("1", "who", (), "t", (Found("a", 1.0),))], "dpr", "no text for passage 'a'"),
        ([Ranking("1", "", (), "t", ())], "dpr", "give --questions"),
        ([Ranking("1", "who", (), "t", (Found("a", 1e39),))], "trec", "beyond single precision"),
    ],
)
def test_a_run_that_a_form_cannot_hold_is_refused(tmp_path, rankings, format, problem):
    with pytest.raises(InputError, match=problem):
        write_run(tmp_path / "a", rankings, format)
    assert list(tmp_path.iterdir()) == []


def test_judgements_survive_every_form(tmp_path):
    judgements = [Judgement("q1", "d#1", 2), Judgement("q2", "d", 0), Judgement("q2", "e", -1)]
    for format in ("trec", "msmarco", "beir"):
        assert write_qrels(tmp_path / "a", judgements, format) == 3
        assert list(read_qrels(tmp_path / "a")) == judgements
    assert list(read_qrels(write(tmp_path / "a", "1 Q0 CACM-1410 1 0.5 x\n"))) == [Judgement("1", "CACM-1410", 1)]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("1 0 d\n", ":1: expected question 0 document relevance (or BEIR's header in the first), found '1 0 d'"),
        ("1 0 d 1\n1 0 d x\n", ":2: expected the relevance to be an integer, found 'x'"),
        ("query-id\tcorpus-id\tscore\n1\td\n", ":2: expected query-id corpus-id score, found '1 d'"),
    ],
)
def test_what_is_no_judgement_is_refused_with_its_line(tmp_path, content, problem):
    assert refusal(read_qrels, tmp_path / "a", content).startswith(problem)
