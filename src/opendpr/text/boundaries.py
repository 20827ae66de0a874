"""What belongs together in a text though it mixes letters and signs: no answer begins or ends inside it."""

from __future__ import annotations

import re
from collections.abc import Iterator

_FRACTION = r"[\u00bc-\u00be\u2150-\u215e]"
_NUMBER = rf"(?:\d+(?:[.,:/\u2044\u00a0\u2009\u202f]\d+|['\u2019]\d{{3}}(?!\d))*(?:\s?{_FRACTION})?|{_FRACTION})"
_MONEY = r"[$\u00a2-\u00a5\u058f\u060b\u09f2\u09f3\u0e3f\u17db\u20a0-\u20c0]"
CURRENCY_CODES = "AUD|BRL|CAD|CHF|CNY|CZK|DKK|EUR|GBP|HKD|HUF|ILS|INR|JPY|KRW|MXN|NOK|NZD|PLN|SEK|SGD|THB|USD|ZAR"
_SHARE = r"\s?(?:°[CFKNSEW]?\b|[%\u2030\u2031\u2103\u2109](?!\w))"
_UNIT = (
    rf"(?:{_SHARE}|\s?(?:[kM](?=\u20ac))?(?!\$){_MONEY}(?!\w)|[°\u00ba\u2032\u2033$](?!\w)|"
    r"\+(?!\w)|/-(?!\w))"
)
_RAISED = r"[\u207a\u207b]?[\u2070\u00b9\u00b2\u00b3\u2074-\u2079]+"
_EXPONENT = rf"(?:\^?[-\u2212+]?\d+|{_RAISED})"
_POWER = rf"(?:[eE][-\u2212+]?\d+|\s?[\u00d7x\u00b7*]\s?10{_EXPONENT})"
_SIGN = r"[-\u2212+\u00b1\u2213~\u2248<>\u2264\u2265]"
_NAME = r"[\w.+@~%-]"
_ADDRESS = r"(?:[0-9a-fA-F]{0,4}:){2,7}[0-9a-fA-F]{0,4}(?:%\w+|/\d{1,3}\b)?"

_LONG_RUN = re.compile(r"\S{256,}")
"""Longer than any answer; in such runs the patterns below would take the square of their length."""

UNDIVIDED_PATTERN = re.compile(
    rf"""
      \b[A-Za-z][A-Za-z0-9+.-]*://[^\s<>"\u201c\u201d]*[^\s<>"\u201c\u201d.,;:!?'()\[\]{{}}]  # https://a.example/b?c=1
    | \bwww\.[^\s<>"]*[\w/]
    | \bdoi:10\.\d+/\S*\w
    | \b(?:mailto:)?\w[\w.+'-]*@\w[\w-]*(?:\.\w[\w-]*)+(?::[\w./-]*\w)?  # keeper@orvik.example, git@a.example:b/c
    | %\w+%(?:\\[\w.-]+)* | \\\\\w[\w.-]*(?:\\[\w.$-]+)+                   # %HOME%\x, \\server\share
    | @\w[\w-]*/\w[\w.-]*\b                                             # @scope/package
    | \[{_ADDRESS}\](?::\d+)? | (?<![\w:]){_ADDRESS}                     # fe80::1, [::1]:8080
    | \b[0-9A-Fa-f]{{2}}(?:-[0-9A-Fa-f]{{2}}){{5}}\b                     # 00-1A-2B-3C-4D-5E
    | \+\d{{1,3}}[ .-]?\(\d{{1,5}}\)(?:[ .-]?\d{{1,8}}){{1,6}}\b           # +44 (0)20 7946 0018
    | \+\d{{1,3}}(?:[ .-]\d{{1,8}}){{2,6}}\b                              # +47 22 33 44 55
    | \(\d{{2,5}}\)\s?\d{{3,4}}[ -]?\d{{4}}\b                              # (555) 010-9999
    | (?<![\w.,-])0\d{{2,4}}[ /-]\d{{3,8}}(?:[ -]\d{{2,4}})*\b | (?<![\w-])\d{{3}}-\d{{4}}\b(?!-)  # 01632 960027
    | (?<!\w)[*\#]\d+(?:\*\d+)*\#                                        # *100#
    | \b\d{{4}}-\d\d-\d\dT\d\d:[\d:.]*\d(?:Z|[-+]\d\d:?\d\d)? | \b\d+(?:-\d+){{2,}}\b  # 2024-05-06
    | \b\d{{1,2}}-[A-Z][a-z]{{2}}-\d{{2,4}}\b | \b\d{{4}}-W\d\d(?:-\d)?\b  # 6-May-2024
    | \b\d{{1,2}}\.\s?\d{{1,2}}\.\s?\d{{4}}\b                               # 6. 5. 2024
    | (?<![\w'\u2019])['\u2019]\d\ds?\b(?!['\u2019])                      # '98
    | {_NUMBER}°\s?(?:\d+[′']\s?)?(?:{_NUMBER}[″"]\s?)?[NSEW]\b          # 45°12′30″N
    | \b\d+'\s?\d{{1,2}}" | \b\d+\u2032\s?{_NUMBER}\u2033                 # 5'11"
    | (?:[\u2116\u00a7]{{1,2}}|\b[Nn][°\u00ba])\s?\d\w*(?:\(\w+\))*(?:[-\u2013]\d+)?  # § 12(3)
    | (?<![\w.,)]){_SIGN}?(?:{_NUMBER}{_POWER}|10\^[-\u2212+]?\d+|(?:10|2){_RAISED}){_UNIT}?  # 3.14e-5, 10^4
    | \w+(?:[\u207a\u207b]\w*)+                                           # Ca²⁺, h⁻¹
    | \b\d+\s\d{{1,2}}/\d{{1,2}}\b(?!/)                                   # 1 1/2
    | {_NUMBER}(?:\s?[\u00d7x]\s?{_NUMBER})+{_UNIT}?                       # 3 × 4
    | (?<!\w){_NUMBER}[-\u2013]{_NUMBER}(?:{_SHARE}|\s?\u20ac)         # 5-7 %
    | (?<![\w.,:/-])\d{{1,2}}[-\u2013]\d{{1,2}}\b(?![-\u2013.,:/]\d)              # the score 3-1
    | \+/[-\u2212]\s?{_NUMBER}{_UNIT}? | (?<=[^\S\n])[<>]\s{_NUMBER}{_UNIT}? | (?<=[A-Za-z])[<>]{_NUMBER}  # > 95%
    | \bf/\d+(?:\.\d+)?\b                                                 # f/2.8
    | (?<![\w.,)]){_SIGN}?{_NUMBER}\s?\u00b1\s?{_NUMBER}{_UNIT}?           # 4 ± 0.2
    | (?:[<>=!~]=|~>|[\^\u2264\u2265\u2248\u00b1\u2213~])\s?v?{_NUMBER}{_UNIT}?  # >=3.8, ≤ 5
    | \b(?:[A-Z]{{1,3}}\$|{CURRENCY_CODES}|Rs\.?|[Kk]r\.?)\s?{_NUMBER}(?:/-)?              # US$ 5, SEK 500
    | (?<![\w:]):\d{{2,5}}\b                                             # :8080
    | \b[A-Z]{{1,5}}-\d+\b                                              # ABC-123
    | \b(?:[A-Z][A-Za-z]?\d?[+\u2212]|[A-Z]{{3,4}}\+)(?![\w+]) | \b(?:A|B|AB|O|C|D)-(?![\w-])   # O−, Na+, grade A-
    | \b[A-Za-z_][\w.]*\(\)                                              # call()
    | \b[A-Za-z]:\\[^\s<>"|?*]*[\w\\]                                    # C:\Program\x.ini
    | (?<![\w/.])(?:~|\.{{1,2}})?(?:/{_NAME}*\w)+/?(?!\w)                # /etc/orvik, ~/.config, ./run
    | (?<!\w)\.?\w[\w.-]*(?:/\w{_NAME}*)+/{_NAME}*\w                     # src/text/a.py
    | (?<!\w)\w[\w-]*/[\w-]+\.[a-z]\w*\b                                 # text/a.py
    | (?<![\w-])--?[A-Za-z](?:[\w-]*\w)?(?:=[\w./-]*\w)?                # --verbose-all, -v, --level=3
    | {_NUMBER}{_UNIT}                                                   # 37%, 59°N
    | \b\d+(?:\.\d+){{2,}}(?:[-+_.]\w+)*                                    # 5.15.0-91-generic
    | \b[vV]?\d+(?:\.\d+)+(?:[-.+_]?(?:alpha|beta|rc|dev|post|pre|[ab])\d*){{0,3}}(?:[-+.]\w+)?(?!\w)  # 3.1.5-rc1
    | \b[A-Za-z]\w{{0,12}}(?:\+\+\d*|\#)(?![\w#])                        # C++17, C#
    | (?<![A-Za-z])\$\{{?\w+\}}? (?<=[A-Za-z_}}])(?:/{_NAME}*\w)*                     # $HOME/.config
    | (?<!\w)(?:{_SIGN}\s?)?{_MONEY}\s?{_SIGN}?{_NUMBER}(?:\s?(?:k|m|bn)\b|/-|\^\d\d\b)?  # $12.50
    | (?<![\w.,)]){_SIGN}{_NUMBER}{_UNIT}?                                # -41.5
    | (?<![\w.])[#@\u2116\u00a7.](?=\w)[\w-]*\w                          # #12, @name, .gitignore, .5
    | (?<!\w)\*\.\w+                                                     # *.conf
    | \w*_\w*                                                            # snake_case
    | (?<=\w)(?:::|->)(?=\w)                                             # std::string
    | (?<=[A-Z])[&](?=[A-Z]) | (?<=[A-Za-z])[!$](?=[A-Za-z])             # the middle of AT&T, of P!nk
    | (?<=[A-Za-z])-(?=[A-Z]\b) | (?<=\d)\s:\s(?=\d)                      # Objective-C, 1 : 4
    | [\u2303\u2318\u2325\u21e7]+-?\w+(?:-\w+)* | (?<!\w)%[A-Za-z]\b     # ⌘C, %d
    | (?<=[A-Z])/(?=[A-Z]) | (?<=\w)\+(?=\w)                             # TCP/IP, Ctrl+C
    | (?:(?<=\d)|(?<=\d\s))[A-Za-z\u00b5]{{1,4}}/[a-z]{{1,3}}\b | \b[a-z]/[a-z]\b       # 12 km/h, w/o
    | (?<=[0-9])[\u00a0\u2009\u202f](?=[0-9]{{3}}\b)                       # thousands
    | (?<=\w)\.(?=[A-Z]{{2}})                                             # ASP.NET
    | (?<=[0-9])[.,:/\u2044](?=[0-9]) | (?<=[0-9])['\u2019](?=[0-9]{{3}}\b)  # 1,888  3.14  10:30  3/4
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
