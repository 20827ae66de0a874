"""Training examples of every system: what is read, what is refused, and what an error says."""

import json

import pytest

from foreign import refusal, write
from opendpr.errors import InputError, UsageError
from opendpr.interop import read_examples, write_examples, write_passages, write_questions
from opendpr.types import Document, ExamplePassage, Question, TrainingExample


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
        (
            '{"question": "who"}\n',
            ":1: cannot tell what kind of examples these are, found only ['question']; q",
        ),
        ('{"question": "who", "positives": [{"title": "T"}]}', ":1: positives 1: expected 'text' to be a string"),
        ('{"question": "who", "positives": [{"text": "x", "score": "y"}]}', ":1: positives 1: expected 'score'"),
        ('{"question": "who", "positives": ["x"]}', ":1: 'positives' must be a list of objects"),
        ("who\tx\n", ":1: expected question, positive and negative"),
    ],
)
def test_what_is_no_example_is_refused_with_its_line(tmp_path, content, problem):
    assert refusal(read_examples, tmp_path / "a", content).startswith(problem)


def texts_of(example):
    return tuple(tuple(passage.text for passage in group) for group in (example.positives, example.hard_negatives))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        (
            "a",
            '{"query_id": "1", "query": "who", "positive_passages": [{"docid": "1", "text": "x"}], '
            '"negative_passages": [{"docid": "2", "title": "", "text": "y"}, {"text": "z"}]}\n',
        ),
        ("a", '{"query": "who", "pos": ["x"], "neg": ["y", "z"], "pos_scores": [0.5], "neg_scores": [0.2, 0.1]}\n'),
        ("a", '{"anchor": "who", "positive": "x", "negative_1": "y", "negative_2": "z"}\n'),
        ("a", '[{"query": "who", "positive": "x", "negative_1": "y", "negative_2": "z"}]'),
        ("a", '["who", "x", "y", "z"]\n'),
        ("a", '[["who", "x", "y", "z"]]\n'),
        ("a.tsv", "anchor\tpositive\tnegative_1\tnegative_2\nwho\tx\ty\tz\n"),
        ("a.csv", 'anchor,positive,negative_1,negative_2\nwho,"x",y,z\n'),
    ],
)
def test_training_files_of_other_systems_are_read(tmp_path, name, content):
    (example,) = read_examples(write(tmp_path / name, content))
    assert example.question.text == "who"
    assert texts_of(example) == (("x",), ("y", "z"))


@pytest.mark.parametrize("format", ["tevatron", "flag-embedding", "sentence-transformers"])
def test_training_files_for_other_systems_are_read_back(tmp_path, format):
    passages = [ExamplePassage("T", "x"), ExamplePassage("", "y"), ExamplePassage("", "z")]
    example = TrainingExample(Question("7", "who", ("a",)), (passages[0],), (passages[1],), (passages[2],))
    assert write_examples(tmp_path / "a.jsonl", [example], format) == 1
    (result,) = read_examples(tmp_path / "a.jsonl")
    others = ("y",) if format == "sentence-transformers" else ("y", "z")
    assert texts_of(result) == (("x" if format == "tevatron" else "T x",), others)


def test_pairs_alone_are_written_for_sentence_transformers_where_there_are_no_hard_negatives(tmp_path):
    pair = TrainingExample(Question("1", "who"), (ExamplePassage("", "x"), ExamplePassage("", "y")))
    assert write_examples(tmp_path / "a.jsonl", [pair, pair], "sentence-transformers") == 4
    assert (tmp_path / "a.jsonl").read_text().splitlines()[0] == '{"anchor": "who", "positive": "x"}'
    triple = TrainingExample(Question("2", "who"), (ExamplePassage("", "x"),), (ExamplePassage("", "z"),))
    with pytest.raises(InputError, match="question '2' has hard negatives and the first one has none"):
        write_examples(tmp_path / "a.jsonl", [pair, triple], "sentence-transformers")


def test_examples_of_which_no_triple_is_made_are_counted_or_refused(tmp_path, caplog):
    pair = TrainingExample(Question("1", "who"), (ExamplePassage("", "x"),))
    triple = TrainingExample(Question("2", "who"), (ExamplePassage("", "x"),), (ExamplePassage("", "z"),))
    assert write_examples(tmp_path / "a", [triple, pair], "msmarco") == 1
    assert "left out 1 example without a hard negative" in caplog.text
    with pytest.raises(InputError, match="no example has both a positive and a hard negative"):
        write_examples(tmp_path / "b", [pair], "msmarco")


EXAMPLES = [
    TrainingExample(
        Question("7", "who"),
        (ExamplePassage("T", "x", "1", 2.5), ExamplePassage("", "w", "4", 1.0)),
        (ExamplePassage("", "y", "2", 0.5), ExamplePassage("U", "z", "3", 0.0)),
    ),
    TrainingExample(Question("8", "where"), (ExamplePassage("", "v", "5", 0.0),), (ExamplePassage("", "x", "6", 0.0),)),
]


@pytest.mark.parametrize("format", ["jsonl", "dpr", "msmarco", "tevatron", "flag-embedding", "sentence-transformers"])
def test_what_a_form_holds_is_the_same_after_any_number_of_round_trips(tmp_path, format):
    name = "a.tsv" if format == "msmarco" else "a.jsonl"
    write_examples(tmp_path / name, EXAMPLES, format)
    once = list(read_examples(tmp_path / name))
    assert write_examples(tmp_path / f"b{name}", once, format) > 0
    assert (tmp_path / f"b{name}").read_text() == (tmp_path / name).read_text()
    asked = list(dict.fromkeys(example.question.text for example in once))
    assert asked == ["who", "where"]


def test_colberts_triples_and_the_files_of_their_texts_give_the_examples_back(tmp_path):
    assert write_examples(tmp_path / "triples.jsonl", EXAMPLES, "colbert") == 3
    assert (tmp_path / "triples.jsonl").read_text() == "[7, 1, 2, 3]\n[7, 4, 2, 3]\n[8, 5, 6]\n"
    passages = {
        item.id: Document(item.id, item.title, item.text)
        for example in EXAMPLES
        for item in (*example.positives, *example.hard_negatives)
    }
    write_passages(tmp_path / "collection.tsv", passages.values(), "msmarco")
    write_questions(tmp_path / "queries.tsv", [example.question for example in EXAMPLES], "msmarco")
    files = {"questions": tmp_path / "queries.tsv", "passages": tmp_path / "collection.tsv"}
    result = list(read_examples(tmp_path / "triples.jsonl", **files))
    assert [texts_of(example) for example in result] == [
        (("x",), ("y", "z")),
        (("w",), ("y", "z")),
        (("v",), ("x",)),
    ]
    assert [example.question for example in result] == [
        EXAMPLES[0].question,
        EXAMPLES[0].question,
        EXAMPLES[1].question,
    ]


@pytest.mark.parametrize("id", ["", "doc#7"])
def test_an_id_that_colbert_does_not_read_is_refused(tmp_path, id):
    example = TrainingExample(Question("1", "who"), (ExamplePassage("", "x", id),))
    with pytest.raises(InputError, match="question '1': expected the id of a passage to be a number"):
        write_examples(tmp_path / "a", [example], "colbert")


@pytest.mark.parametrize("content", ["[7, 1, 2]\n", "[[7, 1, 2]]", "7\t1\t2\n", "[7, [1, 0.5], [2, 0.25]]\n"])
def test_triples_of_ids_are_joined_with_their_texts_or_refused(tmp_path, content):
    path = write(tmp_path / "triples", content)
    with pytest.raises(InputError, match="names questions and passages by id"):
        list(read_examples(path))
    files = {"questions": write(tmp_path / "q.tsv", "6\twhat\n7\twho\n")}
    files["passages"] = write(tmp_path / "p.tsv", "1\tx\n2\ty\n3\tz\n")
    (example,) = read_examples(path, **files)
    assert (example.question.text, texts_of(example)) == ("who", (("x",), ("y",)))
    write(tmp_path / "p.tsv", "1\tx\n")
    with pytest.raises(InputError, match="no passage has the id '2'"):
        list(read_examples(path, **files))


def test_the_same_text_is_never_positive_and_negative_and_counts_once(tmp_path, caplog):
    record = {
        "question": "who",
        "positives": [{"title": "A", "text": "by Ada"}, {"title": "B", "text": "by  Ada\n"}],
        "hard_negatives": [{"text": " by Ada"}, {"text": "by Eve"}, {"text": "by Eve", "id": "2"}],
        "negatives": [{"text": "by Eve"}, {"text": "by Bob"}],
    }
    (example,) = read_examples(write(tmp_path / "a.jsonl", json.dumps(record)))
    assert texts_of(example) == (("by Ada",), ("by Eve",))
    assert [passage.text for passage in example.negatives] == ["by Bob"]
    assert "dropped 3 passages that an example has twice" in caplog.text
    assert "dropped 1 hard negative with the text of a positive passage: ' by Ada' of question '1'" in caplog.text


def files_of_texts(tmp_path):
    questions = write(tmp_path / "q.tsv", "q1\twho\nq2\twhat\n")
    return {"questions": questions, "passages": write(tmp_path / "p.tsv", "d1\tx\nd2\ty\nd3\tz\n")}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.tsv", "q1\td1\td2\n"),
        ("a.tsv", "q1 d1 d2\n"),
        ("a.jsonl", '["q1", "d1", "d2"]\n'),
        ("a", '[["q1", "d1", "d2"]]'),
    ],
)
def test_ids_that_are_no_numbers_are_ids_all_the_same(tmp_path, name, content):
    path = write(tmp_path / name, content)
    with pytest.raises(InputError, match="names questions and passages by id"):
        list(read_examples(path))
    (example,) = read_examples(path, **files_of_texts(tmp_path))
    assert (example.question.text, texts_of(example)) == ("who", (("x",), ("y",)))


def test_texts_without_spaces_are_no_ids(tmp_path):
    (example,) = read_examples(write(tmp_path / "a.tsv", "2019年谁获奖\t他在2019年获奖\t2018年\n"))
    assert texts_of(example) == (("他在2019年获奖",), ("2018年",))


def test_any_three_columns_are_ids_where_their_texts_are_given(tmp_path):
    files = {
        "questions": write(tmp_path / "q.tsv", "one\twho\n"),
        "passages": write(tmp_path / "p.tsv", "a\tx\nb\ty\n"),
    }
    for content in ("one\ta\tb\n", '["one", "a", "b"]\n'):
        (example,) = read_examples(write(tmp_path / "a.tsv", content), **files)
        assert (example.question.text, texts_of(example)) == ("who", (("x",), ("y",)))


@pytest.mark.parametrize(
    "content",
    [
        "query\tpos\tneg\nwho is it\tx y\tz\n",
        "qid\tpid\tpid\n1\t2\t3\n",
        "id\ttext\ttitle\n1\tx y\tT\n",
        "question\tpositive_passage\tnegative_passage\nwho is it\tx y\tz\n",
    ],
)
def test_a_header_is_no_triple(tmp_path, content):
    assert refusal(read_examples, tmp_path / "a.tsv", content).startswith(":1: found a header")


@pytest.mark.parametrize(
    "given", [{"questions": "q.tsv"}, {"passages": "p.tsv"}, {"questions": "q.tsv", "passages": "p.tsv"}]
)
def test_files_of_texts_that_are_not_needed_are_not_ignored(tmp_path, given):
    files_of_texts(tmp_path)
    path = write(tmp_path / "a.json", '[{"question": "who", "positive_ctxs": [{"text": "x"}]}]')
    with pytest.raises(UsageError, match=r"a\.json has its texts itself; leave out the file of"):
        list(read_examples(path, **{name: tmp_path / file for name, file in given.items()}))


def test_an_id_of_two_questions_is_refused(tmp_path):
    files = files_of_texts(tmp_path)
    write(files["questions"], "q1\twho\nq1\twhat\n")
    with pytest.raises(InputError, match=r"q\.tsv: the id 'q1' is there twice; each question needs its own"):
        list(read_examples(write(tmp_path / "a.tsv", "q1\td1\td2\n"), **files))


@pytest.mark.parametrize(
    ("fields", "negatives"),
    [
        ('"negatives": ["y", "z"]', ("y", "z")),
        ('"negative": ["y", "z"]', ("y", "z")),
        ('"hard_negative": "y"', ("y",)),
        ('"hard_negatives": ["y"]', ("y",)),
        ('"negative1": "y", "negative2": "z"', ("y", "z")),
        ('"neg_1": "y", "neg_2": null', ("y",)),
        ('"negative": "y", "negatives": []', ("y",)),
    ],
)
def test_negatives_are_read_whatever_they_are_called(tmp_path, fields, negatives):
    content = f'{{"anchor": "who", "positive": "x", {fields}}}\n'
    (example,) = read_examples(write(tmp_path / "a.jsonl", content))
    assert texts_of(example) == (("x",), negatives)


def test_several_positives_may_be_a_list(tmp_path):
    (example,) = read_examples(write(tmp_path / "a.jsonl", '{"query": "who", "positive": ["x", "w"]}\n'))
    assert texts_of(example) == (("x", "w"), ())


@pytest.mark.parametrize(
    "content",
    [
        '{"query": "who", "pos": ["x", ""], "neg": [" ", "y"]}',
        '{"question": "who", "positives": [{"text": "x"}, {"title": "T", "text": ""}], '
        '"hard_negatives": [{"text": "y"}, {"text": " "}]}',
    ],
)
def test_passages_without_text_are_left_out_counted_and_named(tmp_path, caplog, content):
    (example,) = read_examples(write(tmp_path / "a.jsonl", content))
    assert texts_of(example) == (("x",), ("y",))
    assert "dropped 2 passages without text: of question '1', of question '1'" in caplog.text


@pytest.mark.parametrize("format", ["msmarco", "colbert", "tevatron", "flag-embedding", "sentence-transformers"])
def test_examples_without_a_positive_are_counted_where_a_form_has_no_place_for_them(tmp_path, caplog, format):
    passages = (ExamplePassage("", "x", "1"),), (ExamplePassage("", "y", "2"),)
    bare = TrainingExample(Question("7", "who"), (), passages[1])
    assert write_examples(tmp_path / "a", [bare, TrainingExample(Question("8", "what"), *passages)], format) == 1
    assert "left out 1 example without a positive passage" in caplog.text
    assert "who" not in (tmp_path / "a").read_text()


def test_retrieval_results_of_dpr_are_examples_by_what_holds_an_answer(tmp_path):
    contexts = [
        {"id": "1", "title": "T", "text": "by Bob", "score": "9.5", "has_answer": False},
        {"id": "2", "title": "T", "text": "by Ada", "score": "8.5", "has_answer": True},
    ]
    record = {"question": "who", "answers": ["Ada"], "ctxs": contexts}
    (example,) = read_examples(write(tmp_path / "a.json", json.dumps([record])))
    assert example.question == Question("1", "who", ("Ada",))
    assert texts_of(example) == (("by Ada",), ("by Bob",))
    contexts[0].pop("has_answer")
    message = refusal(read_examples, tmp_path / "a.json", json.dumps([record]))
    assert message.startswith(":1 (record 1): ctxs 1: expected 'has_answer'")


@pytest.mark.parametrize("value", ["0", "0.0", "false", '"no"'])
def test_a_pair_that_does_not_belong_together_is_refused(tmp_path, value):
    pair = '{{"anchor": "who", "positive": "x", "label": {}}}\n'
    with pytest.raises(InputError, match=r"pairs\.jsonl:2: the label is .*, expected 1"):
        list(read_examples(write(tmp_path / "pairs.jsonl", pair.format(1) + pair.format(value))))
