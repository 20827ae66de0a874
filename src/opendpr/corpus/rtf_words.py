"""The control words of rich text (RTF 1.9.1): groups that are no text, characters that words stand for, code pages."""

from __future__ import annotations

import codecs
import re

TOKEN = re.compile(
    r"\\(?P<word>[A-Za-z]{1,32})(?P<number>-?\d{1,10})?[ ]?"
    r"|\\'(?P<byte>[0-9A-Fa-f]{2})"
    r"|\\(?P<sign>[^A-Za-z])"
    r"|(?P<brace>[{}])"
    r"|(?P<text>[^\\{}\r\n\0]+)"
    r"|[\r\n\0]+|\\",
    re.S,
)

_UNSEEN_NAMES = """
fonttbl colortbl stylesheet info header headerf headerl headerr footer footerf footerl footerr pict nonshppict
shprslt sp fldinst annotation atnid atnauthor objdata objclass objname objalias objsect comment xe tc rxe txe
filetbl template nonesttables background datafield mmathPict ftnsep ftnsepc ftncn aftnsep aftnsepc aftncn
"""
UNSEEN_GROUPS = frozenset(_UNSEEN_NAMES.split())
"""Groups that are no text of the document: tables of fonts, pictures, comments, a second form of what is there."""
STARRED_TEXT = frozenset(("shpinst", "shptxt", "ud", "do", "dptxbxtext", "moMath", "moMathPara"))
"""Groups marked as to be ignored by programs that do not know them, which hold text."""
TEXT_BOXES = frozenset(("shptxt", "dptxbxtext"))
NUMBER_GROUPS = frozenset(("listtext", "pntext"))
"""Groups with the number of a paragraph as its writer counted it."""

RTF_CHARACTERS = {
    "emdash": "\u2014",
    "endash": "\u2013",
    "bullet": "\u2022",
    "lquote": "\u2018",
    "rquote": "\u2019",
    "ldblquote": "\u201c",
    "rdblquote": "\u201d",
    "emspace": "\u2003",
    "enspace": "\u2002",
    "qmspace": "\u2005",
    "zwj": "\u200d",
    "zwnj": "\u200c",
    "tab": "\t",
    "line": "\n",
    "lbr": "\n",
}
SIGN_CHARACTERS = {"~": "\u00a0", "_": "\u2011", "{": "{", "}": "}", "\\": "\\", "-": "", ":": "", "|": ""}
"""What a backslash and a sign stand for; a hyphen is one that is only seen at a line end."""
_SEPARATORS = {"\n\n": "page sect column", "\t": "nestcell", "\n": "nestrow"}
BREAKS = {word: separator for separator, words in _SEPARATORS.items() for word in words.split()}
NESTED_ROW_GROUP = "nesttableprops"
"""The group that ends a row of a table inside a cell, and is no text besides."""
TOGGLES = {"v": "hidden", "deleted": "deleted", "strike": "struck", "striked": "struck", "mvf": "moved"}
"""Words that begin and end text that a reader does not see, or that no longer holds."""
SCRIPTS = {"super": "super", "sub": "sub", "nosupersub": ""}

SYMBOL_CHARSET = 2
CHARSET_PAGES = {
    0: "cp1252",
    1: "",
    2: "cp1252",
    77: "mac_roman",
    78: "shift_jis",
    79: "big5",
    80: "euc_kr",
    81: "mac_arabic",
    83: "mac_greek",
    84: "mac_cyrillic",
    85: "gb2312",
    86: "mac_romanian",
    88: "mac_latin2",
    128: "cp932",
    129: "cp949",
    130: "johab",
    134: "gbk",
    136: "cp950",
    161: "cp1253",
    162: "cp1254",
    163: "cp1258",
    177: "cp1255",
    178: "cp1256",
    186: "cp1257",
    204: "cp1251",
    222: "cp874",
    238: "cp1250",
    254: "cp437",
    255: "cp850",
}
"""Code pages of the characters of a font; an empty one is that of the document."""
DOCUMENT_PAGES = {"mac": "mac_roman", "pc": "cp437", "pca": "cp850", "ansi": "cp1252"}


def code_page(number: str | None) -> str:
    """The code page of a number, Windows' usual one if it is not known."""
    name = f"cp{number}"
    try:
        return codecs.lookup(name).name
    except LookupError:
        return "cp1252"
