"""An answer is never cut between a sign and the letters or digits it belongs to."""

from __future__ import annotations

import pytest

from opendpr.text.boundaries import cuts, together


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        *((f"measured at {sign}41.5 degrees", f"{sign}41.5") for sign in "-−+±~"),
        ("costs $12.50 for adults", "$12.50"),
        ("costs € 12 for adults", "€ 12"),
        ("fog is 37% in a year", "37%"),
        ("it was 41.5 °C then", "41.5 °C"),
        ("at 59°N of here", "59°N"),
        ("read from /etc/orvik/station.conf when", "/etc/orvik/station.conf"),
        ("kept in ~/.config/orvik.", "~/.config/orvik"),
        ("kept in C:\\Orvik\\station.ini, too", "C:\\Orvik\\station.ini"),
        ("see src/text/a.py, line 3", "src/text/a.py"),
        ("kept in .sensorignore in", ".sensorignore"),
        ("the option --verbose-all, off", "--verbose-all"),
        ("the option -v is", "-v"),
        ("mail keeper@orvik.example.", "keeper@orvik.example"),
        ("page https://orvik.example/log?year=1966.", "https://orvik.example/log?year=1966"),
        ("(see www.orvik.example/a-b)", "www.orvik.example/a-b"),
        ("needs v3.1.5-rc1 or later", "v3.1.5-rc1"),
        ("written in C++ by", "C++"),
        ("written in C#.", "C#"),
        ("follow @orvik or #12 there", "@orvik"),
        ("follow @orvik or #12 there", "#12"),
        ("set $HOME first", "$HOME"),
        ("set max_tokens first", "max_tokens"),
        ("a std::string is", "std::string"),
        ("Mr O'Neill said", "O'Neill"),
        ("on 3/4/2020 we", "3/4/2020"),
        ("the file setup.py is", "setup.py"),
        ("files *.conf there", "*.conf"),
    ],
)
def test_what_belongs_together_is_never_cut(text, whole):
    start = text.index(whole)
    end = start + len(whole)
    assert all(cuts(text, place) for place in range(start + 1, end) if boundary(text, place))
    assert not cuts(text, start)
    assert not cuts(text, end)


def boundary(text: str, place: int) -> bool:
    """Whether a tokenizer may part the text here: on one side is a sign."""
    return not (text[place - 1].isalnum() and text[place].isalnum())


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("Ada's mill", 3),
        ("the years 1939-1945", 14),
        ("a Paris-London train", 7),
        ("he and/or she", 6),
        ("it ended. Then", 8),
        ("a well-known man", 6),
        ("yes (no)", 4),
        ("1874^12", 4),
        ("1874[12]", 4),
    ],
)
def test_words_beside_other_words_stay_apart(text, place):
    assert not cuts(text, place)


def test_stretches_are_in_order_and_a_long_text_of_signs_takes_no_time():
    text = "/" * 2_000 + "a-" * 2_000 + "." * 2_000 + "_" * 2_000
    found = list(together(text))
    assert found == sorted(found)
