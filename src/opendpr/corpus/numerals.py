"""Numbers as lists count: 3, c, III."""

from __future__ import annotations

ROMAN = (
    *((1000, "m"), (900, "cm"), (500, "d"), (400, "cd"), (100, "c"), (90, "xc"), (50, "l")),
    *((40, "xl"), (10, "x"), (9, "ix"), (5, "v"), (4, "iv"), (1, "i")),
)
LIST_LETTERS = "abcdefghijklmnopqrstuvwxyz"


def counted(number: int, style: str) -> str:
    """A number in a style, by the names of Word: `decimal`, `decimalZero`, `lowerLetter`, `upperRoman` and so on.

    Decimal for styles that are not known and for numbers that a style cannot write.
    """
    written = str(number)
    if style == "decimalZero":
        written = f"{number:02}"
    elif style in ("lowerRoman", "upperRoman") and 0 < number < 4000:
        written = roman(number)
    elif style in ("lowerLetter", "upperLetter") and 0 < number <= 780:
        written = LIST_LETTERS[(number - 1) % 26] * ((number - 1) // 26 + 1)  # aa comes after z, then bb
    return written.upper() if style.startswith("upper") else written


def roman(number: int) -> str:
    """1 to 3999, in small letters."""
    written = ""
    for value, letters in ROMAN:
        written += letters * (number // value)
        number %= value
    return written
