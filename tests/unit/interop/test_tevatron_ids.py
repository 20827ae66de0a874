"""Tevatron's examples that name their passages by the ids of a corpus."""

import json

import pytest

from foreign import write
from opendpr.errors import InputError
from opendpr.interop import read_examples, read_questions
from opendpr.types import ExamplePassage, Question, TrainingExample

EXAMPLE = {
    "query_id": "q1",
    "query_text": "Which river?",
    "query_image": None,
    "positive_document_ids": ["d1"],
    "negative_document_ids": ["d2", 3],
}
CORPUS = (
    '{"docid": "d1", "title": "Albi", "text": "On the Tarn."}\n'
    '{"docid": "d2", "text": "On the Lot."}\n'
    '{"docid": "3", "text": "On the Orne."}\n'
)


def test_examples_of_ids_get_the_texts_of_the_corpus(tmp_path):
    path = write(tmp_path / "train.jsonl", json.dumps(EXAMPLE) + "\n")
    corpus = write(tmp_path / "corpus.jsonl", CORPUS)
    assert list(read_examples(path, passages=corpus)) == [
        TrainingExample(
            Question("q1", "Which river?"),
            (ExamplePassage("Albi", "On the Tarn.", "d1"),),
            (ExamplePassage("", "On the Lot.", "d2"), ExamplePassage("", "On the Orne.", "3")),
        )
    ]
    assert list(read_questions(path)) == [Question("q1", "Which river?")]


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"positive_document_ids": ["d9"]}, r":1: no passage has the id 'd9'"),
        ({"positive_document_ids": "d1"}, r":1: 'positive_document_ids' must be a list of ids"),
        ({"negative_document_ids": [1.5]}, r":1: expected 'negative_document_ids'"),
    ],
)
def test_what_is_not_in_the_corpus_or_no_list_of_ids_is_refused(tmp_path, change, problem):
    path = write(tmp_path / "train.jsonl", json.dumps({**EXAMPLE, **change}) + "\n")
    with pytest.raises(InputError, match=problem):
        list(read_examples(path, passages=write(tmp_path / "corpus.jsonl", CORPUS)))


def test_without_a_corpus_the_error_says_how_to_give_it(tmp_path):
    path = write(tmp_path / "train.jsonl", json.dumps(EXAMPLE) + "\n")
    with pytest.raises(InputError, match="names passages by id; give their texts with --passages"):
        list(read_examples(path))
