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
        ("must be ≤ 5 metres", "≤ 5"),
        ("is 4 ± 0.2 mm", "4 ± 0.2"),
        ("is 3.14e-5 or so", "3.14e-5"),
        ("is 1.5×10^-3 m", "1.5×10^-3"),
        ("is 10^4 m", "10^4"),
        ("costs 12,50 € now", "12,50 €"),
        ("costs US$ 5.50 now", "US$ 5.50"),
        ("it is 100 % now", "100 %"),
        ("has 1\u202f200 men", "1\u202f200"),
        ("house № 7 there", "№ 7"),
        ("see § 12(3) there", "§ 12(3)"),
        ("call +47 22 33 44 55 now", "+47 22 33 44 55"),
        ("call (555) 010-9999 now", "(555) 010-9999"),
        ("at fe80::1%eth0 now", "fe80::1%eth0"),
        ("at 192.168.0.1:8080 now", "192.168.0.1:8080"),
        ("listens at :8080 now", ":8080"),
        ("in $HOME/.config/a now", "$HOME/.config/a"),
        ("in %APPDATA%\\orvik now", "%APPDATA%\\orvik"),
        ("in \\\\server\\share\\a now", "\\\\server\\share\\a"),
        ("install @scope/pkg now", "@scope/pkg"),
        ("clone git@orvik.example:x/y.git now", "git@orvik.example:x/y.git"),
        ("needs >=3.8 now", ">=3.8"),
        ("set --level=3 now", "--level=3"),
        ("on 2024-05-06T10:30:00Z it", "2024-05-06T10:30:00Z"),
        ("on 2024-05-06 it", "2024-05-06"),
        ("at 45°12′30″N now", "45°12′30″N"),
        ("an A/B test", "A/B"),
        ("uses TCP/IP now", "TCP/IP"),
        ("is 12 km/h fast", "km/h"),
        ("by AT&T now", "AT&T"),
        ("in ASP.NET now", "ASP.NET"),
        ("press Ctrl+C now", "Ctrl+C"),
        ("type O− blood", "O−"),
        ("got A- today", "A-"),
        ("the car ABC-123 there", "ABC-123"),
        ("calls sync() here", "sync()"),
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
    spans_together = list(together(text))
    assert spans_together == sorted(spans_together)
