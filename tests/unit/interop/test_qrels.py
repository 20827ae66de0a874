"""Judgements of every system."""

import pytest

from foreign import refusal, write
from opendpr.interop import Judgement, read_qrels, write_qrels


def test_judgements_survive_every_form(tmp_path):
    judgements = [Judgement("q1", "d#1", 2), Judgement("q2", "d", 0), Judgement("q2", "e", -1)]
    for format in ("trec", "msmarco", "beir"):
        assert write_qrels(tmp_path / "a", judgements, format) == 3
        assert list(read_qrels(tmp_path / "a")) == judgements
    assert list(read_qrels(write(tmp_path / "a", "1 Q0 CACM-1410 1 0.5 x\n"))) == [Judgement("1", "CACM-1410", 1)]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (
            "1 0 d\n",
            ":1: expected 'question 0 document relevance' (or BEIR's header, 'query-id corpus-id score', in the first",
        ),
        ("1 0 d 1\n1 0 d x\n", ":2: expected the relevance to be an integer, found 'x'"),
        ("1 0 doc 7 1\n", ":1: expected 'question 0 document relevance'; where ids have spaces"),
        ("1\t0\t\t1\n", ":1: expected 'question 0 document relevance'"),
        ("1 0 d 1\n1 0 d 0\n", ":2: 'd' is judged twice for question '1'"),
        ("query-id\tcorpus-id\tscore\n1\td\n", ":2: expected query-id corpus-id score, found '1 d'"),
    ],
)
def test_what_is_no_judgement_is_refused_with_its_line(tmp_path, content, problem):
    assert refusal(read_qrels, tmp_path / "a", content).startswith(problem)


def test_a_document_that_is_judged_twice_keeps_the_higher_relevance_where_that_is_asked_for(tmp_path):
    path = write(tmp_path / "a", "1 0 d 1\n1 0 e 1\n1 0 d 2\n1 0 e 0\n")
    assert list(read_qrels(path, duplicates="best")) == [Judgement("1", "d", 2), Judgement("1", "e", 1)]


def test_ids_with_spaces_are_read_and_written_where_tabs_separate(tmp_path):
    judgements = [Judgement("q 1", "doc 7", 1)]
    for format in ("msmarco", "beir"):
        write_qrels(tmp_path / "a", judgements, format)
        assert list(read_qrels(tmp_path / "a")) == judgements
