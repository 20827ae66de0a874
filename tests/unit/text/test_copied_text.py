"""Copies of a text are recognized whatever their white space, capitals and marks; another sign is another text."""

from __future__ import annotations

import pytest

from opendpr.text.copies import folded

TEXT = "The ferry Nordan carried 4,120 passengers at -41.5 degrees. The captain was Åsa Öberg."


@pytest.mark.parametrize(
    "copy",
    [
        TEXT + "\r\n",
        TEXT.replace(" ", "  "),
        TEXT.replace(". The", ".\r\nThe"),
        TEXT.replace("4,120 ", "4,120\u00a0"),
        TEXT.upper(),
        "\ufeff" + TEXT,
        TEXT.replace("Åsa Öberg", "A\u030asa O\u0308berg"),
        TEXT.replace("passengers", "passen\u00adgers"),
        TEXT.replace("passengers", "passen-\ngers"),
        TEXT.replace("Nordan", "**Nordan**").replace("4,120", "`4,120`"),
        "> " + TEXT.replace("The captain", "\n> > The captain"),
        TEXT.replace("ferry", "\uff46\uff45\uff52\uff52\uff59"),
    ],
)
def test_a_copy_has_the_same_form(copy):
    assert folded(copy) == folded(TEXT)


@pytest.mark.parametrize(
    "other", [TEXT.replace("-41.5", "41.5"), TEXT.replace("4,120", "4.120"), TEXT[:-1], TEXT.replace("4,120", "4,12")]
)
def test_another_text_has_another(other):
    assert folded(other) != folded(TEXT)


@pytest.mark.parametrize(("text", "other"), [("2*3", "23"), ("2 * 3", "2 3"), ("> 65 degrees", "65 degrees")])
def test_signs_of_numbers_are_no_marks(text, other):
    assert folded(text) != folded(other)
