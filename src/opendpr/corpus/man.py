"""Manual pages in roff, with the macros `man` or `mdoc`: their words, without a formatter."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from typing import IO

from opendpr.corpus.extract import BlockText, Extract, NotReadError, section_metadata, storable
from opendpr.corpus.html import decode
from opendpr.corpus.source import TEXT_BYTES, TOO_LONG

MAN_PAGE_BEGINNING = re.compile(rb"(?:(?:[.']\\\"[^\n]*|\.?\s*)\n)*(?:\.\s*(?:TH|Dd|so|Dt)\b|[.']\\\")")
"""How a manual page begins: with comments and its title."""
FONT_ESCAPE = re.compile(
    r"\\f(?:\[[^\]]*\]|\(..|.)|\\s[-+]?\d{1,2}|\\[&|^/,%:]|\\[hvklLwoxDbzN]'[^']*'|\\\*\[[^\]]*\]|\\\*\(.."
)
NAMED_SIGN = re.compile(r"\\\((..)|\\\[([^\]]{1,20})\]")
_SIGN_LIST = (
    "aq' dq\" lq\u201c rq\u201d oq\u2018 cq\u2019 em\u2014 en\u2013 hy- mi\u2212 bu\u2022 co\u00a9 "
    "rg\u00ae de\u00b0 ti~ ha^ rs\\ ga` sh# Do$ at@ ->\u2192 <-\u2190 +-\u00b1 mu\u00d7 di\u00f7 Eu\u20ac eu\u20ac "
    "Po\u00a3 Ye\u00a5 ct\u00a2 sc\u00a7 ss\u00df ae\u00e6 AE\u00c6 /o\u00f8 /O\u00d8 oe\u0153 OE\u0152 *m\u03bc "
    "12\u00bd 14\u00bc 34\u00be S2\u00b2 S3\u00b3 tm\u2122 "
    "<=\u2264 >=\u2265 !=\u2260 fi\ufb01 fl\ufb02 Fo\u00ab Fc\u00bb"
)
SIGNS_BY_NAME = {entry[:2]: entry[2:] for entry in _SIGN_LIST.split()}
ACCENTS = {"'": "\u0301", "`": "\u0300", "^": "\u0302", ":": "\u0308", "~": "\u0303", ",": "\u0327", "o": "\u030a"}
"""Signs before a letter that stand for its accent."""
HEADING_MACROS = frozenset(("SH", "SS", "Sh", "Ss"))
BLOCK_MACROS = frozenset(
    ("PP", "LP", "P", "Pp", "RS", "RE", "Bl", "El", "Bd", "Ed", "sp", "nf", "fi", "EX", "EE", "D1", "Dl")
)
ITEM_MACROS = frozenset(("TP", "TQ", "IP", "It", "HP", "br"))
LITERAL_MACROS = {"nf": True, "EX": True, "Bd": True, "fi": False, "EE": False, "Ed": False}
"""Requests from which on lines stay lines, or no longer do."""
FONT_MACROS = frozenset(["B", "I", "SM", "SB", "MR", "UR", "MT"])
ALTERNATING_MACROS = frozenset(["BR", "RB", "BI", "IB", "IR", "RI"])
"""Requests whose words are written without spaces, each in another font."""
INLINE_MACROS = frozenset(
    (
        *("Nm", "Nd", "Ar", "Cm", "Ic", "Ev", "Pa", "Em", "Sy", "Li", "Xr", "Ql", "Qq", "Dq", "Sq"),
        *("Fl", "Op", "Ns", "No", "Oo", "Oc"),
    )
)
"""Macros of mdoc that are part of a line, and may follow one another in it."""


def looks_like_man(head: bytes) -> bool:
    """Whether a file begins as a manual page; the suffix alone (`.1`) is that of many other files."""
    return MAN_PAGE_BEGINNING.match(head) is not None


def parse_man(file: IO[bytes]) -> Extract:
    """Sections, paragraphs and lists; the title is the name of the page."""
    data = file.read(TEXT_BYTES + 1)
    if len(data) > TEXT_BYTES:
        raise NotReadError(TOO_LONG)
    page, read = ManualPage(), decode(data)
    for line in read.text.replace("\r\n", "\n").split("\n"):
        page.line(line)
    text = page.text.text()
    metadata = {**read.metadata(), **section_metadata(page.text.sections, "")}
    return Extract(storable(page.title), storable(text), metadata)


class ManualPage:
    """Reads a manual page line by line."""

    def __init__(self) -> None:
        self.text = BlockText()
        self.title = ""
        self._literal = self._tagged = False
        """Whether lines stay lines, and whether the next words are the tag of a list."""
        self._ignored = ""

    def line(self, line: str) -> None:
        """Take in one line."""
        if self._ignored:
            if line.strip() == self._ignored:
                self._ignored = ""
        elif line[:1] in (".", "'") and (match := re.match(r"[.']\s*([\w-]+)(.*)", line)):
            self._request(match[1], match[2].strip())
        elif line[:1] not in (".", "'"):
            if not line.strip():
                self.text.separate("\n\n")
                return
            self.text.separate("\n" if self._literal else " ")
            self._add(line)

    def _request(self, name: str, rest: str) -> None:
        words = arguments(rest)
        self._literal = LITERAL_MACROS.get(name, self._literal)
        if name in ("TH", "Dt"):
            self.title = f"{words[0]}({words[1]})" if len(words) > 1 else " ".join(words)
        elif name in ("de", "de1", "dei", "am", "am1", "ami", "ig"):
            end = words[name != "ig" :][:1]
            self._ignored = f".{end[0]}" if end else ".."
        elif name in HEADING_MACROS:
            self.text.separate("\n\n")
            self.text.begin_heading(1 if name.upper() == "SH" else 2)
            self._add(" ".join(words))
            self.text.end_heading()
            self.text.separate("\n\n")
        elif name in BLOCK_MACROS:
            self.text.separate("\n\n")
        elif name in ITEM_MACROS:
            self.text.separate("\n")
            self._tagged = name in ("TP", "TQ", "IP", "It")
            self._add(" ".join(words[:1]) if name == "IP" else in_line(words) if name == "It" else "")
        elif name in FONT_MACROS | ALTERNATING_MACROS | INLINE_MACROS:
            self.text.separate(" ")
            self._add(
                in_line([name, *words])
                if name in INLINE_MACROS
                else ("" if name in ALTERNATING_MACROS else " ").join(words)
            )

    def _add(self, words: str) -> None:
        written = unescaped(words)
        if written.strip():
            self.text.add(written.strip() if not self._literal else written.rstrip())
            self.text.separate("\n" if self._tagged else "")
            self._tagged = False


def arguments(rest: str) -> list[str]:
    """The words of a request, those in quotes as one; a comment ends them."""
    rest = re.split(r"\\\"", rest)[0]
    return [quoted or word for quoted, word in re.findall(r'"((?:[^"]|"")*)"|(\S+)', rest)]


def in_line(words: Iterable[str]) -> str:
    """Write `Fl v Ar file`, as mdoc has it, as `-v file`."""
    written, flag = [], False
    for word in words:
        if word in INLINE_MACROS:
            flag = word == "Fl"
        else:
            written.append(f"-{word}" if flag else word)
            flag = False
    return " ".join(written)


def named_sign(name: str) -> str:
    """The character that roff calls so: `co`, `'e`, `u20AC`; nothing if it is not known."""
    if re.fullmatch(r"u[0-9A-F]{4,5}", name):
        return chr(int(name[1:], 16))
    if name in SIGNS_BY_NAME or len(name) != 2 or name[0] not in ACCENTS or not name[1].isalpha():
        return SIGNS_BY_NAME.get(name, "")
    return unicodedata.normalize("NFC", name[1] + ACCENTS[name[0]])


def unescaped(words: str) -> str:
    """The characters that roff's escapes stand for."""
    words = re.split(r"\\\"", words)[0]
    words = NAMED_SIGN.sub(lambda name: named_sign(name[1] or name[2]), FONT_ESCAPE.sub("", words))
    return words.replace("\\-", "-").replace("\\ ", " ").replace("\\~", " ").replace("\\e", "\\").replace("\\.", ".")
