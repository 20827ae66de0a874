"""The values of cells as Excel shows them: dates, times, shares, currencies, leading zeros."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import cache

from opendpr.corpus.extract import storable
from opendpr.corpus.office import OFF_VALUES, values, whole

FORMAT_TOKEN = re.compile(
    r'"(?P<quoted>[^"]*)"?|\\(?P<escaped>.)|[_*].|\[\$(?P<currency>[^\]-]*)[^\]]*\]|\[[^\]]*\]'
    r"|(?P<digits>[0#?][0#?.,]*)|(?P<other>.)",
    re.DOTALL,
)
"""A piece of a number format: words, the sign of a currency, a colour or condition, the places of digits."""
PLAIN_FORMATS = frozenset(("", "General", "@"))
OTHER_WRITING = frozenset("/eE@")
"""Outside quotes they make fractions, powers of ten and texts, which are not written here."""
WRITTEN_DIGITS = 15
"""Digits that Excel keeps of a number."""
ESCAPED_CHARACTER = re.compile("_x([0-9A-Fa-f]{4})_")


@dataclass(frozen=True)
class NumberFormat:
    """What a format adds to the digits of a number."""

    before: str = ""
    after: str = ""
    whole_digits: int = 0
    decimals: int = 0
    is_share: bool = False


@dataclass
class CellStyles:
    """The number formats of cells by the numbers of their styles, and which of them strike their text out."""

    formats: list[str] = field(default_factory=list)
    struck: list[bool] = field(default_factory=list)
    _named: dict[int, str] = field(default_factory=dict)
    _fonts: list[bool] = field(default_factory=list)
    _inside: str = ""

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        """Take in an element of `styles.xml`."""
        from openpyxl.styles.numbers import BUILTIN_FORMATS

        local, attributes = name.rpartition("}")[2], values(attributes)
        if local in ("fonts", "cellXfs", "cellStyleXfs", "dxfs"):
            self._inside = local
        elif local == "numFmt" and self._inside != "dxfs":
            self._named[whole(attributes.get("numFmtId", "0"))] = attributes.get("formatCode", "")
        elif local == "font" and self._inside == "fonts":
            self._fonts.append(False)
        elif local == "strike" and self._inside == "fonts" and self._fonts:
            self._fonts[-1] = attributes.get("val", "1") not in OFF_VALUES
        elif local == "xf" and self._inside == "cellXfs":
            number, font = (whole(attributes.get(key, "0")) for key in ("numFmtId", "fontId"))
            self.formats.append(self._named.get(number, BUILTIN_FORMATS.get(number, "")))
            self.struck.append(font < len(self._fonts) and self._fonts[font])


def shown_number(value: str, code: str, *, from_1904: bool = False) -> str:
    """A number in a format; its digits are those that are stored, however few the format shows."""
    try:
        number = float(value)
    except ValueError:
        return one_line(value)
    if code in PLAIN_FORMATS:
        return digits(number)
    if (moment := _moment(number, code, from_1904)) is not None:
        return moment
    written = number_format(code)
    if written is None:
        return ""
    size = digits(round(abs(number) * 100, 10) if written.is_share else abs(number))
    if size.replace(".", "").isdigit() and (written.whole_digits or written.decimals):
        units, _, decimals = size.partition(".")
        decimals = decimals.ljust(written.decimals, "0")
        size = units.zfill(written.whole_digits) + (f".{decimals}" if decimals else "")
    return f"{'-' if number < 0 else ''}{written.before}{size}{written.after}"


def digits(number: float) -> str:
    """A number without needless decimals, and without what binary arithmetic adds at the end."""
    return str(int(number)) if number.is_integer() and abs(number) < 1e15 else f"{number:.{WRITTEN_DIGITS}g}"


@cache
def number_format(code: str) -> NumberFormat | None:
    """What a format adds to positive numbers; None if it hides them. Nothing is added by forms that are not known."""
    tokens = list(FORMAT_TOKEN.finditer(code))
    ends = [place for place, token in enumerate(tokens) if token["other"] == ";"]
    tokens = tokens[: ends[0]] if ends else tokens
    if not tokens and ends:
        return None
    places = [token["digits"] for token in tokens if token["digits"]]
    if len(places) != 1 or places[0].endswith(",") or any(token["other"] in OTHER_WRITING for token in tokens):
        return NumberFormat()
    pieces = ["", ""]
    for token in tokens:
        if token["digits"]:
            pieces[0], pieces[1] = pieces[1], ""
        else:
            pieces[1] += token["quoted"] or token["escaped"] or token["currency"] or token["other"] or ""
    units, _, decimals = places[0].partition(".")
    is_share = any(token["other"] == "%" for token in tokens)
    return NumberFormat(
        pieces[0].lstrip(), pieces[1].rstrip(), units.count("0"), 0 if is_share else decimals.count("0"), is_share
    )


def _moment(number: float, code: str, from_1904: bool) -> str | None:
    """The date, time or duration that a number stands for in such a format; None if it stands for none."""
    from openpyxl.styles.numbers import is_date_format, is_timedelta_format
    from openpyxl.utils.datetime import MAC_EPOCH, WINDOWS_EPOCH, from_excel

    if number < 0 or not is_date_format(code):
        return None
    try:
        moment = from_excel(number, MAC_EPOCH if from_1904 else WINDOWS_EPOCH, timedelta=is_timedelta_format(code))
    except (OverflowError, ValueError):
        return None
    return shown_moment(moment)


def shown_moment(moment: datetime | date | time | timedelta) -> str:
    """As ISO 8601 writes it, without seconds and a midnight that say nothing; a duration in hours."""
    if isinstance(moment, timedelta):
        minutes, seconds = divmod(round(abs(moment.total_seconds())), 60)
        sign = "-" if moment < timedelta() else ""
        return f"{sign}{minutes // 60}:{minutes % 60:02}" + (f":{seconds:02}" if seconds else "")
    written = moment.isoformat(" ") if isinstance(moment, datetime) else moment.isoformat()
    written = written.partition(".")[0].removesuffix(" 00:00:00")
    return written.removesuffix(":00") if written.count(":") == 2 else written


def unescaped(text: str) -> str:
    """The text of a string, in which control characters are written as `_x000D_`."""
    return storable(ESCAPED_CHARACTER.sub(lambda match: chr(int(match[1], 16)), text))


def one_line(text: str) -> str:
    """The text of a cell on one line."""
    return " ".join(text.split())
