"""Amounts are written as people read them."""

import re
from pathlib import Path

import pytest

import opendpr
from opendpr.wording import counted, readable_size


@pytest.mark.parametrize(
    ("count", "words"), [(0, "0 passages"), (1, "1 passage"), (2, "2 passages"), (2_000, "2,000 passages")]
)
def test_a_noun_has_the_number_of_its_count(count: int, words: str) -> None:
    assert counted(count, "passage") == words


def test_nothing_else_makes_plurals() -> None:
    by_hand = re.compile(r"""['"]s['"]\s*(if|\})|else\s*['"]s['"]""")
    sources = [path for suffix in ("py", "jinja") for path in Path(opendpr.__file__).parent.rglob(f"*.{suffix}")]
    assert [path.name for path in sources if by_hand.search(path.read_text(encoding="utf-8"))] == ["wording.py"]


@pytest.mark.parametrize(
    ("size", "words"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1_000, "1.0 kB"),
        (999_949, "999.9 kB"),
        (999_950, "1.0 MB"),
        (9_400_000, "9.4 MB"),
        (16_600_000_000, "16.6 GB"),
        (4 * 10**15, "4,000.0 TB"),
    ],
)
def test_a_size_is_shown_in_the_unit_that_suits_it(size: int, words: str) -> None:
    assert readable_size(size) == words
