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
        ("adds 1½ cups of", "1½"),
        ("adds 1 1/2 cups of", "1 1/2"),
        ("adds 1⁄2 cup of", "1⁄2"),
        ("is 10⁻³ mol", "10⁻³"),
        ("is 6.02 × 10²³ now", "6.02 × 10²³"),
        ("has Ca²⁺ in", "Ca²⁺"),
        ("a slope of 35‰.", "35‰"),
        *((f"pays {amount} a day", amount) for amount in ("₩ 5000", "₽500", "500 ₽", "20¢", "฿40", "-$5.00", "$-5.00")),
        *(
            (f"pays {amount} a day", amount)
            for amount in ("SEK 500", "CHF 1'250.00", "CHF 1’250.00", "Rs. 500/-", "kr 12")
        ),
        ("is 5-7% now", "5-7%"),
        ("is 10–12 °C now", "10–12 °C"),
        ("the score 3–1 was", "3–1"),
        ("is 5′ 10″ tall", "5′ 10″"),
        ("is 5' 10\" tall", "5' 10\""),
        ("mixed 1 : 4 with", "1 : 4"),
        ("needs ~> 2.0 now", "~> 2.0"),
        ("needs 5.15.0-91-generic now", "5.15.0-91-generic"),
        ("call +44 (0)20 7946 0018 now", "+44 (0)20 7946 0018"),
        ("call +81-3-1234-5678 now", "+81-3-1234-5678"),
        ("call 01632 960027 now", "01632 960027"),
        ("call 555-0178 now", "555-0178"),
        ("dial *100# now", "*100#"),
        ("at [2001:db8::1]:8080 now", "[2001:db8::1]:8080"),
        ("at 2001:db8::/32 now", "2001:db8::/32"),
        ("at 00-1A-2B-3C-4D-5E now", "00-1A-2B-3C-4D-5E"),
        ("mail o'neil@c.example now", "o'neil@c.example"),
        ("on 6. 5. 2024 it", "6. 5. 2024"),
        ("on 14-Feb-2024 it", "14-Feb-2024"),
        ("in 2024-W07 it", "2024-W07"),
        ("in the '90s it", "'90s"),
        ("is 21 ℃ now", "21 ℃"),
        ("is > 95% now", "> 95%"),
        ("with p<0.05 now", "<0.05"),
        ("is +/- 0.5 mm now", "+/- 0.5"),
        ("is 1920 × 1080 now", "1920 × 1080"),
        ("at f/2.8 now", "f/2.8"),
        ("in §§ 3–5 of", "§§ 3–5"),
        ("in Objective-C now", "Objective-C"),
        ("by A$AP now", "A$AP"),
        ("see doi:10.1000/182 now", "doi:10.1000/182"),
        ("press ⌘C now", "⌘C"),
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
        ("the years 1939–45", 14),
        ("> 8 June is", 1),
        ("open 9:00-17:30", 9),
        ("at localhost:8000", 12),
        ("the 'nineties'", 4),
        ("it cost 'so much'", 8),
        ("an A-level", 4),
        ("*2 and 3*", 1),
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
