"""Marks of notes and exponents on PDF pages, which only their size and height tell from the word before them."""

from __future__ import annotations

import io

import pytest

from opendpr.corpus.pdf import parse_pdf
from samples import pdf


def script(content: str, size: int = 7, rise: int = 4) -> str:
    """What stands in the line of a page of `pdf` for a script, in the midst of its text."""
    return f") Tj /F1 {size} Tf {rise} Ts ({content}) Tj 0 Ts /F1 12 Tf ("


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (f"Strand{script('a')} came", "Strand^a came"),
        (f"the keeper{script('e')} and", "the keeper^e and"),
        (f"levels{script('ab')}, normal{script('b,c')} or", "levels^ab, normal^b,c or"),
        (f"done{script('a')}in", "done^a in"),
        (f"in 1874.{script('12')} The pier", "in 1874.^12 The pier"),
        (f"\\(at night\\){script('3')} and", "(at night)^3 and"),
        (f"in 1874{script('12')} and 10{script('4')} m{script('2')}", "in 1874^12 and 10^4 m^2"),
        (f"31{script('a')} and {script('a')} too", "31^a and a too"),
        (f"{script('a')}Measured at noon", "a Measured at noon"),
        (f"{script('12')}See the log", "12 See the log"),
        (f"the 1{script('st')} of M{script('me')} Curie, XIX{script('e')}", "the 1st of Mme Curie, XIXe"),
        (f"H{script('2', rise=-2)}O and x{script('i', rise=-2)}", "H2O and xi"),
        (f"star{script('*')} of", "star* of"),
        (f"N{script('AME', 9, 0)} of the ship", "NAME of the ship"),
    ],
)
def test_a_script_does_not_change_the_word_before_or_after_it(line, expected):
    written = parse_pdf(io.BytesIO(pdf([line]))).text
    assert " ".join(written.split()) == expected


def test_letters_after_a_large_initial_are_no_script():
    line = ") Tj /F1 40 Tf (I) Tj /F1 12 Tf 20 Ts (t was built) Tj 0 Ts ("
    assert "^" not in parse_pdf(io.BytesIO(pdf([line]))).text
