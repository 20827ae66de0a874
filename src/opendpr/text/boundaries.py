"""What belongs together in a text though it mixes letters and signs: no answer begins or ends inside it."""

from __future__ import annotations

import re
from collections.abc import Iterator

_NUMBER = r"\d+(?:[.,:/\u00a0\u2009\u202f]\d+)*"
_UNIT = r"(?:\s?°[CFKNSEW]?\b|\s?[%‰€£¥](?!\w)|\s?[kM]€(?!\w)|[°′″$](?!\w)|\+(?!\w))"
_POWER = r"(?:[eE][-\u2212+]?\d+|\s?[\u00d7x\u00b7*]\s?10\^?[-\u2212+]?\d+)"
_SIGN = r"[-\u2212+\u00b1~\u2248<>\u2264\u2265]"
_MONEY = r"[$\u20ac\u00a3\u00a5\u20b9]"
_NAME = r"[\w.+@~%-]"

_LONG_RUN = re.compile(r"\S{256,}")
"""Longer than any answer; in such runs the patterns below would take the square of their length."""

UNDIVIDED_PATTERN = re.compile(
    rf"""
      \b[A-Za-z][A-Za-z0-9+.-]*://[^\s<>"\u201c\u201d]*[^\s<>"\u201c\u201d.,;:!?'()\[\]{{}}]  # https://a.example/b?c=1
    | \bwww\.[^\s<>"]*[\w/]
    | \b(?:mailto:)?[\w.+-]+@\w[\w-]*(?:\.\w[\w-]*)+(?::[\w./-]*\w)?     # keeper@orvik.example, git@a.example:b/c
    | %\w+%(?:\\[\w.-]+)* | \\\\\w[\w.-]*(?:\\[\w.$-]+)+                   # %HOME%\x, \\server\share
    | @\w[\w-]*/\w[\w.-]*\b                                             # @scope/package
    | (?<![\w:])(?:[0-9a-fA-F]{{0,4}}:){{2,7}}[0-9a-fA-F]{{0,4}}(?:%\w+)?   # fe80::1
    | \+\d{{1,3}}(?:[ -]\d{{2,4}}){{2,5}}\b | \(\d{{3}}\)\s?\d{{3}}-\d{{4}}\b  # +47 22 33 44 55
    | \b\d{{4}}-\d\d-\d\dT\d\d:[\d:.]*\dZ? | \b\d+(?:-\d+){{2,}}\b           # 2024-05-06
    | {_NUMBER}°\s?(?:\d+[′']\s?)?(?:{_NUMBER}[″"]\s?)?[NSEW]\b          # 45°12′30″N
    | \b\d'\d{{1,2}}"                                                    # 5'11"
    | [\u2116\u00a7]\s?\d\w*(?:\(\w+\))*                                 # § 12(3)
    | (?<![\w.,)]){_SIGN}?(?:{_NUMBER}{_POWER}|10\^[-\u2212+]?\d+){_UNIT}?  # 3.14e-5, 10^4
    | (?<![\w.,)]){_SIGN}?{_NUMBER}\s?\u00b1\s?{_NUMBER}{_UNIT}?           # 4 ± 0.2
    | (?:[<>=!~]=|[\^\u2264\u2265\u2248\u00b1~])\s?v?{_NUMBER}{_UNIT}?       # >=3.8, ≤ 5
    | \b[A-Z]{{1,3}}\$\s?{_NUMBER}                                        # US$ 5
    | (?<![\w:]):\d{{2,5}}\b                                             # :8080
    | \b[A-Z]{{1,5}}-\d+\b                                              # ABC-123
    | \b[A-Z][A-Za-z]?\d?[+\u2212](?![\w+]) | \b(?:A|B|AB|O|C|D)-(?![\w-])   # O−, Na+, grade A-
    | \b[A-Za-z_][\w.]*\(\)                                              # call()
    | \b[A-Za-z]:\\[^\s<>"|?*]*[\w\\]                                    # C:\Program\x.ini
    | (?<![\w/.])(?:~|\.{{1,2}})?(?:/{_NAME}*\w)+/?(?!\w)                # /etc/orvik, ~/.config, ./run
    | (?<!\w)\.?\w[\w.-]*(?:/\w{_NAME}*)+/{_NAME}*\w                     # src/text/a.py
    | (?<!\w)\w[\w-]*/[\w-]+\.[a-z]\w*\b                                 # text/a.py
    | (?<![\w-])--?[A-Za-z](?:[\w-]*\w)?(?:=[\w./-]*\w)?                # --verbose-all, -v, --level=3
    | {_NUMBER}{_UNIT}                                                   # 37%, 59°N
    | \b[vV]?\d+(?:\.\d+)+(?:[-.+_]?(?:alpha|beta|rc|dev|post|pre|[ab])\d*){{0,3}}(?:[-+.]\w+)?(?!\w)  # 3.1.5-rc1
    | \b[A-Za-z]\w{{0,12}}(?:\+\+\d*|\#)(?![\w#])                        # C++17, C#
    | \$\{{?\w+\}}? (?<=[A-Za-z_}}])(?:/{_NAME}*\w)*                     # $HOME/.config
    | (?<!\w)(?:{_SIGN}\s?)?{_MONEY}\s?{_NUMBER}(?:\s?(?:k|m|bn)\b)?      # $12.50
    | (?<![\w.,)]){_SIGN}{_NUMBER}{_UNIT}?                                # -41.5
    | (?<![\w.])[#@\u2116\u00a7.](?=\w)[\w-]*\w                          # #12, @name, .gitignore, .5
    | (?<!\w)\*\.\w+                                                     # *.conf
    | \w*_\w*                                                            # snake_case
    | (?<=\w)(?:::|->)(?=\w)                                             # std::string
    | (?<=[A-Z])[&](?=[A-Z])                                             # the middle of AT&T
    | (?<=[A-Z])/(?=[A-Z]) | (?<=\w)\+(?=\w)                             # TCP/IP, Ctrl+C
    | (?:(?<=\d)|(?<=\d\s))[A-Za-z\u00b5]{{1,4}}/[a-z]{{1,3}}\b | \b[a-z]/[a-z]\b       # 12 km/h, w/o
    | (?<=[0-9])[\u00a0\u2009\u202f](?=[0-9]{{3}}\b)                       # thousands
    | (?<=\w)\.(?=[A-Z]{{2}})                                             # ASP.NET
    | (?<=[0-9])[.,:/](?=[0-9])                                          # 1,888  3.14  10:30  3/4
    | (?<=\w)\.(?=[a-z])                                                 # setup.py
    | (?<=\b[A-Z])\.(?=[A-Z]\b)                                          # U.S
    | (?<=\w)['\u2019](?=(?:t|ll|re|ve|d|m)\b)                           # don't; a genitive's s is a word of its own
    | (?<=\b[A-Z])['\u2019](?=[A-Z])                                     # O'Neill
    """,
    re.VERBOSE,
)


def together(text: str) -> Iterator[tuple[int, int]]:
    """The stretches [start, end) that belong together, in order; a sign within a word has a letter on either side."""
    for match in _matches(text):
        start, end = match.span()
        inside = start > 0 and end < len(text) and not any(map(str.isalnum, match[0]))
        yield (start - 1, end + 1) if inside and _joins(text, start, end) else (start, end)


def _matches(text: str) -> Iterator[re.Match[str]]:
    """The matches outside of runs that are too long."""
    at = 0
    for run in _LONG_RUN.finditer(text):
        yield from UNDIVIDED_PATTERN.finditer(text, at, run.start())
        at = run.end()
    yield from UNDIVIDED_PATTERN.finditer(text, at)


def _joins(text: str, start: int, end: int) -> bool:
    """Whether what lies between two letters or digits joins them."""
    return text[start - 1].isalnum() and text[end].isalnum()


def cuts(text: str, place: int) -> bool:
    """Whether a boundary at an offset parts what belongs together.

    >>> cuts("at -41.5 degrees", 4), cuts("at -41.5 degrees", 3)
    (True, False)
    """
    return any(start < place < end for start, end in together(text))
