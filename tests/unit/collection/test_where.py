"""Filters: what they mean, and that they can only ever be filters."""

import contextlib
import json

import apsw
import pytest
from hypothesis import given
from hypothesis import strategies as st

from opendpr.collection.filters import Comparison, condition, parse_where
from opendpr.collection.where import as_number, compile_where, filter_names
from opendpr.errors import UsageError

DOCUMENTS = {
    "a": {"year": 2018, "source": "manual", "draft": False},
    "b": {"year": 2019, "source": "manual", "draft": True, "a b": "odd key"},
    "c": {"year": "2021", "source": "web"},
    "d": {"source": "it's"},
    "e": {"year": 1e3, "tags": ["x", "y"], "nothing": None},
}


def found(text):
    connection = apsw.Connection(":memory:")
    connection.create_scalar_function("as_number", as_number, 1, deterministic=True)
    connection.execute("CREATE TABLE documents(id, title, metadata)")
    for id, metadata in DOCUMENTS.items():
        connection.execute("INSERT INTO documents VALUES(?, ?, ?)", (id, f"Title {id}", json.dumps(metadata)))
    condition = compile_where(text)
    rows = connection.execute(f"SELECT d.id FROM documents d WHERE {condition.sql} ORDER BY id", condition.values)
    return "".join(id for (id,) in rows)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("year >= 2019", "bc"),
        ("year >= 2019 and source = 'manual'", "b"),
        ("year = 2018 or year = 2021", "ac"),
        ("year < 2018.5", "ae"),
        ("not year >= 2019", "ade"),
        ("not (year >= 2019 or source = 'manual')", "de"),
        ("source = 'it''s'", "d"),
        ("source != 'manual'", "cd"),
        ("source <> 'manual'", "cd"),
        ("source in ('web', 'manual')", "abc"),
        ("source not in ('web', 'manual')", "d"),
        ("year in (2018, 2021)", "ac"),
        ("year is null", "d"),
        ("year is not null", "abce"),
        ("nothing is null", "abcde"),
        ("draft = true", "b"),
        ("draft = false", "a"),
        ("source like 'man%'", "ab"),
        ("id = 'c'", "c"),
        ("title = 'Title d'", "d"),
        ("\"a b\" = 'odd key'", "b"),
        ("year = '2021'", "c"),
        ("missing = 1", ""),
        ("YEAR >= 2019", ""),
        ("year >= 2019 AND NOT source = 'web'", "b"),
        ("source = 'x'' OR 1=1 --'", ""),
    ],
)
def test_a_filter_finds_what_it_says(text, expected):
    assert found(text) == expected


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("", "expected the name"),
        ("year >=", "expected a value"),
        ("year 2019", "expected a comparison"),
        ("year = 2019 source = 'a'", "expected and, or"),
        ("(year = 2019", "expected )"),
        ("year = 2019; DROP TABLE documents", "found ';'"),
        ("year = (SELECT 1)", "expected a value"),
        ("year in ()", "expected a value"),
        ("year not = 3", "expected in"),
        ("'a' = 'a'", "expected the name"),
        ("year = null", "expected a value"),
        ("year = 'open", 'found "\'"'),
        ("(" * 60 + "a = 1" + ")" * 60, "nested more than"),
        ("not " * 200 + "a = 1", "nested more than"),
    ],
)
def test_what_is_no_filter_is_refused_with_the_place(text, place):
    with pytest.raises(UsageError, match="filter") as error:
        compile_where(text)
    assert place in str(error.value)


WORDS = ["year", "=", ">=", "(", ")", "'", '"', "and", "or", "not", "in", "is", "null", "1", "'a'", ",", "like"]


@given(st.text(max_size=60) | st.lists(st.sampled_from(WORDS)).map(" ".join))
def test_any_text_is_a_filter_that_runs_or_is_refused(text):
    with contextlib.suppress(UsageError):
        found(text)


@given(st.text(max_size=20))
def test_any_text_can_be_compared_with(value):
    assert set(found("source = '" + value.replace("'", "''") + "'")) <= set("abcd")


VALUES = st.text(max_size=20) | st.booleans() | st.integers(-(10**17), 10**17) | st.floats(allow_nan=False, width=32)


@given(st.text(max_size=20), st.sampled_from(["=", "!=", "<", "<=", ">", ">=", "like"]), VALUES)
def test_a_condition_compares_what_it_was_made_of(name, sign, value):
    if value in (float("inf"), float("-inf")):
        with pytest.raises(UsageError, match="a finite number"):
            condition(name, sign, value)
    else:
        assert parse_where(condition(name, sign, value)) == Comparison(name, sign, value)


def test_a_condition_is_of_the_signs_and_values_that_there_are():
    with pytest.raises(UsageError, match="or like, got '=='"):
        condition("year", "==", 1900)
    with pytest.raises(UsageError, match=r"True or False, got \[1\]"):
        condition("year", "=", [1])


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("year >= 2019 and source = 'manual'", ["year", "source"]),
        ("not (\"two words\" is null or id in ('a', 'b'))", ["two words", "id"]),
    ],
)
def test_the_names_of_a_filter_are_known(text, names):
    assert filter_names(text) == names
