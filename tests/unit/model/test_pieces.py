"""A passage is read whole, or its rows each by itself; what is read lies where it says."""

from __future__ import annotations

import numpy as np

from opendpr.model.pieces import pieces
from opendpr.types import Hit, Passage

TABLE = "Opening times\n\nDay\tOpens\tCloses\nTuesday\t17:00\t20:30\nSaturday\t07:45\t13:15\n\nJoin us."
START = 1_000


def hit(text: str, before: str = "", after: str = "", names: tuple[str, ...] = ()) -> Hit:
    return Hit(Passage(7, "d", "t", text, START), 1.0, before=before, after=after, column_names=names)


def test_prose_is_one_piece_with_the_words_around_it():
    (piece,) = pieces(hit("The pier is old.", "Orvik. ", " It fell."))
    assert piece.text == "Orvik. The pier is old. It fell."
    assert piece.borders == []
    assert piece.may_begin(np.array([0, 6, 7, 22, 23, 24], np.int32)).tolist() == [
        False,
        False,
        True,
        True,
        False,
        False,
    ]
    assert piece.origin(7) == START


def test_rows_are_pieces_with_names_and_the_text_around_them_others():
    made = pieces(hit(TABLE))
    assert [piece.text.strip() for piece in made] == [
        "Opening times",
        "Day; Opens; Closes",
        "Day: Tuesday; Opens: 17:00; Closes: 20:30",
        "Day: Saturday; Opens: 07:45; Closes: 13:15",
        "Join us.",
    ]
    for piece in made:
        for start, end, origin in piece.stretches:
            assert piece.text[start:end] == TABLE[origin - START : origin - START + end - start]
            assert piece.origin(start) == origin
    offsets = np.array([0, made[3].text.index("Saturday"), made[3].text.index("07:45")], np.int32)
    assert made[3].may_begin(offsets).tolist() == [False, True, True]
    assert made[3].borders[:3] == [5, 13, 22]


def test_a_row_that_begins_before_the_passage_is_read_whole_and_answers_with_its_own_values():
    (piece,) = pieces(hit("07:45", "Saturday\t", "\t13:15", ("Day", "Opens", "Closes")))
    assert piece.text == "Day: Saturday; Opens: 07:45; Closes: 13:15"
    places = np.array([piece.text.index(value) for value in ("Saturday", "07:45", "13:15")], np.int32)
    assert piece.may_begin(places).tolist() == [False, True, False]


def test_rows_that_lie_beyond_the_passage_are_not_read():
    assert [piece.text for piece in pieces(hit("a: 3; b: 4\n\n", "a: 1; b: 2\n\n", "a: 5; b: 6"))] == ["a: 3; b: 4"]


def test_the_rule_of_a_table_is_no_piece():
    made = pieces(hit("| n | b |\n|---|---|\n| x | 1 |\n| y | 2 |"))
    assert [piece.text for piece in made] == ["n; b", "n: x; b: 1", "n: y; b: 2"]
