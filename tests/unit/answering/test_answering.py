"""From spans to answers."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from opendpr.answering.decoding import Decoding, outcome
from opendpr.model.spans import log_softmax
from opendpr.types import Hit, Passage, Span


def span(text: str, passage_score: float, span_score: float, number: int = 0) -> Span:
    start = 100 * number
    passage = Passage(number, f"d{number}", "", f"{text} in passage {number}", start)
    return Span(Hit(passage, 1.0), start, start + len(text), text, passage_score, span_score)


def test_a_probability_is_selected_times_start_times_end() -> None:
    spans = [span("Paris", math.log(0.5), math.log(0.4) + math.log(0.25)), span("Rome", math.log(0.5), -9.0, 1)]
    assert outcome(spans).answers[0].confidence == pytest.approx(0.5 * 0.4 * 0.25)


def test_the_retrieval_score_weighs_the_passages_against_each_other() -> None:
    parts = [{"bm25": 2.0, "dense": 0.1}, {"bm25": 1.0, "dense": 0.3}]
    plain = [span("Paris", 0.0, math.log(0.4)), span("Rome", 0.0, math.log(0.4), 1)]
    spans = [replace(each, hit=replace(each.hit, parts=scores)) for each, scores in zip(plain, parts, strict=True)]
    rome, paris = outcome(spans, Decoding(retrieval=math.log(3), similarity=10.0)).answers  # 1 + 3 beside 2 + 1
    assert (rome.text, paris.text) == ("Rome", "Paris")
    assert rome.confidence == pytest.approx(0.75 * 0.4)
    assert paris.confidence == pytest.approx(0.25 * 0.4)
    first = outcome(spans, Decoding(retrieval=math.log(3))).answers[0]  # 1.3 beside 2.1: what is found by words counts
    assert first.text == "Paris"


def test_a_weight_of_the_span_score_is_an_exponent() -> None:
    spans = [span("Paris", math.log(0.6), math.log(0.2)), span("Rome", math.log(0.4), math.log(0.4), 1)]
    assert outcome(spans).answers[0].text == "Rome"
    paris = outcome(spans, Decoding(span=0.5)).answers[0]
    assert (paris.text, paris.confidence) == ("Paris", pytest.approx(0.6 * 0.2**0.5))
    doubled = outcome(spans, Decoding(passage=3.0, span=1.0)).answers[0]
    assert (doubled.text, doubled.confidence) == ("Paris", pytest.approx(0.6**3 / (0.6**3 + 0.4**3) * 0.2))


def test_the_same_words_are_one_answer_and_their_probabilities_add_up() -> None:
    spans = [
        span("the Queen", math.log(0.4), math.log(0.5), 1),
        span("Paris", math.log(0.35), math.log(0.5), 2),
        span("queen!", math.log(0.25), math.log(0.5), 3),
    ]
    queen, paris = outcome(spans).answers
    assert (queen.text, queen.spans) == ("the Queen", (spans[0], spans[2]))
    assert queen.confidence == pytest.approx(0.4 * 0.5 + 0.25 * 0.5)
    assert (paris.text, paris.spans) == ("Paris", (spans[1],))
    assert paris.confidence == pytest.approx(0.35 * 0.5)


def test_an_answer_found_twice_can_overtake_a_better_span() -> None:
    spans = [span("one", math.log(0.4), 0.0), span("two", math.log(0.3), 0.0, 1), span("two", math.log(0.3), 0.0, 2)]
    assert [answer.text for answer in outcome(spans).answers] == ["two", "one"]


def test_words_that_are_only_punctuation_are_kept_apart_where_there_are_no_others() -> None:
    spans = [span("!", math.log(0.5), 0.0), span("?", math.log(0.3), 0.0, 1), span("The", math.log(0.2), 0.0, 2)]
    assert [answer.text for answer in outcome(spans[:2]).answers] == ["!", "?"]
    assert [answer.text for answer in outcome(spans).answers] == ["The"]


def test_without_spans_there_is_no_answer() -> None:
    assert outcome([]).answers == ()
    assert not outcome([]).answerable
    assert outcome([span("x", -5.0, -5.0)]).answerable


@given(
    st.lists(st.lists(st.tuples(st.integers(0, 4), st.floats(-8, 8)), min_size=1, max_size=4), min_size=1, max_size=5)
)
def test_confidences_of_passages_of_one_window_add_up_to_at_most_one(rows: list[list[tuple[int, float]]]) -> None:
    selection = log_softmax(np.array([row[0][1] for row in rows], np.float32))
    spans = []
    for number, (selected, row) in enumerate(zip(selection.tolist(), rows, strict=True)):
        scores = log_softmax(np.array([score for _, score in row] + [0.0], np.float32)).tolist()
        spans += [
            span(f"word {word}", selected, score, number) for (word, _), score in zip(row, scores[:-1], strict=True)
        ]
    answers = outcome(sorted(spans, key=lambda s: -(s.passage_score + s.span_score))).answers
    assert sum(answer.confidence for answer in answers) <= 1 + 1e-5
    assert [a.confidence for a in answers] == sorted((a.confidence for a in answers), reverse=True)
    assert len({answer.text for answer in answers}) == len(answers)
