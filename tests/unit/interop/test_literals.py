"""Lists of answers as Python writes them are parsed, and nothing in them is run."""

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foreign import refusal
from opendpr.interop import read_questions
from opendpr.interop.literals import LITERAL_CHARACTERS, parse_strings, write_strings

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)


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
        ("[__import__('os').system('touch x')]", "expected a list of strings"),
        ("['a'.__class__]", "expected a list of strings"),
        ("['a' + 'b']", "expected a list of strings"),
        ("[f'{1}']", "expected a list of strings"),
        ("['a'] + ['b']", "expected a list of strings"),
        ("[" * 10_000 + "]" * 10_000, "expected a list of strings"),
        ("(" * 10_000, "expected a list of strings"),
        ("[" + "'a'," * 250_000 + "]", f"at most {LITERAL_CHARACTERS:,} are allowed"),
        ("'" + "a" * 1_000_000 + "'", f"at most {LITERAL_CHARACTERS:,} are allowed"),
        ("[1, 2]", "expected a list of strings"),
        ("{'a': 1}", "expected a list of strings"),
        ("['a", "expected a list of strings"),
        (r"['\ud800']", "is not valid Unicode"),
        (r"['\N{NO SUCH THING}']", "expected a list of strings"),
        ("['a' 'b']", "with commas between them"),
        ("['a'\n'b', 'c']".replace("\n", " "), "with commas between them"),
        ("[b'a']", "expected a list of strings"),
        ("['a', None]", "expected a list of strings"),
        ("[['a']]", "expected a list of strings"),
        ("[*['a']]", "expected a list of strings"),
        ("['a' for _ in [1]]", "expected a list of strings"),
        ("(x := ['a'])", "expected a list of strings"),
        ("[" + "-" * 100_000 + "1]", "expected a list of strings"),
        ("[" + "'a'," * 30_000 + "]", "expected a list of strings"),
        ("('a')", "expected a list of strings"),
        ("", "expected a list of strings"),
    ],
)
def test_a_list_that_is_more_than_strings_is_refused_with_its_line(tmp_path, literal, problem):
    content = "who\t['x']\n" + f"what\t{literal}\n"
    message = refusal(read_questions, tmp_path / "a.csv", content)
    assert message.startswith((":2: the answers cannot be read: ", ":2: 'answers' is not valid Unicode"))
    assert problem in message
    assert len(message) < 300
    assert not (tmp_path / "x").exists()
