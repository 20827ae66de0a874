"""The best passages are read first, the others if those leave the answer in doubt."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from opendpr.answering.stopping import ENOUGH_CONFIDENCE, FIRST_PASSAGES, read_enough
from opendpr.model.reader import merged
from opendpr.types import Answer, Hit, Outcome, Passage, Span


class NumberReader:
    """A reader that marks the number of each passage, and is the surer the larger it is."""

    def __init__(self) -> None:
        self.read_numbers: list[list[int]] = []

    def read(self, questions: Sequence[str], hits: Sequence[Sequence[Hit]]) -> list[list[Span]]:
        self.read_numbers += [[hit.passage.number for hit in passages] for passages in hits]
        return [merged([marked(hit) for hit in passages]) for passages in hits]


def marked(hit: Hit) -> Span:
    text = hit.passage.text
    return Span(hit, 0, len(text), text, float(hit.passage.number), -0.1)


def hits(count: int) -> list[Hit]:
    return [Hit(Passage(number, f"d{number}", "", str(number), 0), -float(number)) for number in range(count)]


def outcome_with(confidence: float, *, answerable: bool = True) -> Outcome:
    return Outcome((Answer("0", confidence, (marked(hits(1)[0]),)),), answerable)


def test_a_sure_answer_leaves_the_other_passages_unread() -> None:
    reader = NumberReader()
    (spans,) = read_enough(reader, ["who?"], [hits(20)], lambda place, spans: outcome_with(ENOUGH_CONFIDENCE))
    assert reader.read_numbers == [list(range(FIRST_PASSAGES))]
    assert [span.text for span in spans] == ["5", "4", "3", "2", "1", "0"]


@pytest.mark.parametrize(
    "outcome", [outcome_with(ENOUGH_CONFIDENCE - 0.01), outcome_with(0.9, answerable=False), Outcome((), False)]
)
def test_a_doubtful_one_has_all_passages_read_as_if_at_once(outcome: Outcome) -> None:
    reader = NumberReader()
    (spans,) = read_enough(reader, ["who?"], [hits(20)], lambda place, spans: outcome)
    assert reader.read_numbers == [list(range(FIRST_PASSAGES)), list(range(FIRST_PASSAGES, 20))]
    assert [spans] == NumberReader().read(["who?"], [hits(20)])


def test_of_several_questions_the_doubtful_ones_are_read_on_together() -> None:
    reader, questions = NumberReader(), ["sure?", "doubtful?", "short?"]
    outcomes = [outcome_with(0.8), outcome_with(0.2), outcome_with(0.2)]
    lists = [hits(20), hits(8), hits(FIRST_PASSAGES)]
    spans = read_enough(reader, questions, lists, lambda place, spans: outcomes[place])
    assert [len(own) for own in spans] == [FIRST_PASSAGES, 8, FIRST_PASSAGES]
    assert reader.read_numbers == [list(range(FIRST_PASSAGES))] * 3 + [[6, 7]]
