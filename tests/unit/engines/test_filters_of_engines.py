"""Filters as PostgreSQL and Milvus get them: values are bound or quoted, and SQLite's rules are said aloud."""

from __future__ import annotations

from decimal import Decimal

import pytest

from opendpr.collection.filters import parse_where
from opendpr.engines.engine import InexpressibleError
from opendpr.engines.milvus_where import milvus_expression
from opendpr.engines.postgresql_where import postgresql_condition


@pytest.mark.parametrize(
    ("text", "sql", "values"),
    [
        ("year >= 2019", "((labels->%s->'number')::numeric >= %s)", ("year", Decimal(2019))),
        ("a.b = 'x''y'", """((labels->%s->>'text') COLLATE "C" = %s)""", ("a.b", "x'y")),
        ("title like 3.0", """(labels->%s->>'text' COLLATE "C" ILIKE %s ESCAPE '')""", ("title", "3.0")),
        ("not x is null", "(NOT coalesce((labels->%s IS NULL), false))", ("x",)),
        (
            "x != true",
            "(labels->%s ? 'written' OR ((labels->%s->'number')::numeric != %s))",
            ("x", "x", Decimal(1)),
        ),
    ],
)
def test_postgresql_binds_names_and_values(text, sql, values):
    assert postgresql_condition(parse_where(text)) == (sql, values)


@pytest.mark.parametrize(
    ("text", "expression"),
    [
        (
            "year >= 2019",
            '(json_contains(labels["present"], "number:year") and labels["labels"]["year"]["number"] >= 2019)',
        ),
        (
            '"a""b" = \'x"y\'',
            '(json_contains(labels["present"], "text:a\\"b") and labels["labels"]["a\\"b"]["text"] == "x\\"y")',
        ),
        (
            "x < true",
            '((not json_contains(labels["present"], "written:x")) and '
            '(json_contains(labels["present"], "number:x") and labels["labels"]["x"]["number"] < 1))',
        ),
        ("not x is null", '(not (not json_contains(labels["present"], "text:x")))'),
    ],
)
def test_milvus_is_told_quoted_values(text, expression):
    assert milvus_expression(parse_where(text)) == expression


def test_what_milvus_cannot_say_is_not_said_otherwise():
    with pytest.raises(InexpressibleError, match="like"):
        milvus_expression(parse_where("year > 3 and title like 'a%'"))
