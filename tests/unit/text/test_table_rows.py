"""Rows of tables are found in a text, each with the names of its columns; other lines are no rows."""

from __future__ import annotations

import pytest

from opendpr.text.table_rows import MOST_ROWS, begins_inside, column_names, completed, row_at, table_rows

TIMES = "Day\tOpens\tCloses\nTuesday\t17:00\t20:30\nSaturday\t07:45\t13:15"
MARKDOWN = "| Boat | `Coats` |\n|------|-----:|\n| Kestrel | 3 |\n| Old Tom | **7** |\n| Dabchick |  |"
RECORDS = "season: 2022; rower: Isla; time: 8:04.9\n\nseason: 2022; rower: Tolu; time: 8:15.7"


def rows_of(text: str, names: tuple[str, ...] = ()) -> list[str]:
    return [row.words(text) for row in table_rows(text, names)]


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        (
            f"Opening times\n\n{TIMES}\n\nJoin us",
            [
                "Day; Opens; Closes",
                "Day: Tuesday; Opens: 17:00; Closes: 20:30",
                "Day: Saturday; Opens: 07:45; Closes: 13:15",
            ],
        ),
        (
            f"# Boats\n\n{MARKDOWN}\n",
            ["Boat; `Coats`", "Boat: Kestrel; Coats: 3", "Boat: Old Tom; Coats: **7**", "Boat: Dabchick"],
        ),
        (RECORDS, RECORDS.split("\n\n")),
        ("Captain\tBerg\nMate\tLund", ["Captain; Berg", "Mate; Lund"]),
        (
            "Stop\tGate\tTime\nPier\t08:15\nQuay\tB\t09:00",
            ["Stop; Gate; Time", "Pier; 08:15", "Stop: Quay; Gate: B; Time: 09:00"],
        ),
        (
            "Stop\tGate\tTime\nHarbour side\t\t\nPier\tA\t08:15\n\t\t09:00",
            ["Stop; Gate; Time", "Stop: Harbour side", "Stop: Pier; Gate: A; Time: 08:15", "Time: 09:00"],
        ),
        ("Harbour side\t\nPier\t08:15", ["Harbour side", "Pier; 08:15"]),
        ("Pier\t08:15\n \t \n\t\tld a.o", []),
        ("a\tb", []),
        ("\tgcc -c a.c\n\tld a.o", []),
        ("name: a; role: b\n\nThe note says this; that is so.", []),
        ("Warning: this; that.\nIt fell.", []),
        ("\t".join(["word " * 50] * 2) + "\nx\ty", []),
        ("a\tb\n" * (MOST_ROWS + 1), []),
    ],
)
def test_rows_have_the_names_of_their_columns(text, rows):
    assert rows_of(text) == rows


def test_the_values_of_a_row_are_where_they_say():
    for text in (TIMES, MARKDOWN, RECORDS):
        for row in table_rows(text):
            assert text[row.start : row.end] in text.split("\n")
            values = [text[cell.start : cell.end] for cell in row.cells]
            assert all(value and value == value.strip() for value in values)
    place = TIMES.index("07:45")
    row = row_at(table_rows(TIMES), place, place + 5)
    assert row is not None
    assert row.words(TIMES).startswith("Day: Saturday")
    assert row_at(table_rows(TIMES), place - 30, place + 5) is None


def test_a_text_that_begins_inside_a_table_is_given_the_names():
    rest = TIMES[TIMES.index("Saturday") :]
    assert rows_of(rest) == []
    assert begins_inside(rest)
    names = column_names(TIMES[: TIMES.index("Saturday")])
    assert names == ("Day", "Opens", "Closes")
    assert rows_of(rest, names) == ["Day: Saturday; Opens: 07:45; Closes: 13:15"]
    assert rows_of(f"{rest}\n\nx\ty\nz\tw", names)[1:] == ["x; y", "z; w"]
    assert column_names(f"{TIMES}\n\n") == column_names("It opens at 07:45.") == column_names("") == ()
    assert not begins_inside(RECORDS)


@pytest.mark.parametrize(
    ("before", "text", "after", "rest"),
    [
        ("x\nSun\t", "09:00", "\t12:00\nMon\t10:00", ("Sun\t", "\t12:00")),
        ("It is old. Here ", "it stands", " now.", (None, None)),
        ("a: 1; b: 2\n\nroute: ", "2; stop: x\n\n", "route: 3; stop: y", ("route: ", "")),
        ("", "| a | b |\n| c", " | d |\n", ("", " | d |")),
        ("x\t" * 400, "y", "\tz", (None, "\tz")),
    ],
)
def test_rows_that_the_ends_of_a_passage_cut_are_completed(before, text, after, rest):
    assert completed(before, text, after) == rest


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("| 1 || 3 |", "a: 1; c: 3"),
        ("|| 2 | 3 |", "b: 2; c: 3"),
        ("  | 1 | 2 |", "a: 1; b: 2"),
        (r"| x \| y | 2 |", r"a: x \| y; b: 2"),
        ("| 1 | 2 | 3 | 4 |", "1; 2; 3; 4"),
    ],
)
def test_values_of_a_markdown_row_keep_their_columns(row, words):
    assert rows_of(f"| a | b | c |\n|---|:-:|---|\n{row}\n| 7 | 8 | 9 |")[1:] == [words, "a: 7; b: 8; c: 9"]


def test_a_line_that_is_almost_the_rule_of_a_table_is_soon_told_from_one():
    almost = f"|{'-' * 20_000}{' ' * 20_000}x |"  # a pattern that goes back would not end
    assert len(table_rows(f"| a | b |\n{almost}")) == 2
