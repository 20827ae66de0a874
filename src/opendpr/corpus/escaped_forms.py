"""ISO-2022, HZ and UTF-7: text of another script in bytes of ASCII, between signs that say where it begins and ends."""

from __future__ import annotations

import codecs
import re
import unicodedata

_ISO_2022 = re.compile(rb"\x1b(?:\$[@AB]|\$[()*][A-Q]|\([IJ]|\.[AF])")
"""What tells a terminal, or a program of mail, that characters of a set follow."""
_ISO_2022_KOREAN = b"\x1b$)C"
_SHIFT_OUT = "\x0e"
_ISO_2022_ENCODINGS = ("iso2022_jp", "iso2022_jp_ext", "iso2022_jp_2", "iso2022_jp_2004")
"""From the usual one to those with more sets of characters."""
_HZ_TEXT = re.compile(rb"~\{((?:[\x21-\x77][\x21-\x7e])+)~\}")
_HZ_ESCAPE = re.compile(rb"~[{}~\n]")
_RARE_ROWS = range(0x58, 0x78)
"""Where GB 2312 has its rare characters, and ASCII small letters."""
_RARE_SHARE = 0.3
_FEWEST_HZ_CHARACTERS = 3
_BASE_64_TEXT = re.compile(r"\+([A-Za-z0-9+/]+)-?")
_PLUS = "+-"
"""A plus sign in UTF-7."""
_FEWEST_FOREIGN_CHARACTERS = 4
"""Fewer different letters of another script than these in UTF-7 may be chance; accents of Latin letters are not."""
_LATIN_END = "\u0250"
_USUAL_SIGNS = frozenset("\u2013\u2014\u2018\u2019\u201a\u201c\u201d\u201e\u2022\u2026\u2030\u2039\u203a\u20ac\u2122")
_COMMON_CHARACTERS = "shift_jis", "gb2312", "euc_kr"
"""Encodings that have the characters in common use of the languages with more than an alphabet."""


def escaped_form(head: bytes) -> str:
    """The encoding in which a text, or its beginning, says more than ASCII with bytes of ASCII; empty if it does not.

    A text that has the signs of ISO-2022 and is not valid has its usual form all the same: it is no ASCII either.
    """
    if not head.isascii() or b"\0" in head:
        return ""
    if _ISO_2022.search(head):
        if _ISO_2022_KOREAN in head:
            return "iso2022_kr"
        return next((encoding for encoding in _ISO_2022_ENCODINGS if _is_iso_2022(head, encoding)), "iso2022_jp")
    if b"~{" in head and _is_hz(head):
        return "hz"
    return "utf-7" if b"+" in head and _is_utf_7(head) else ""


def _decoded(head: bytes, encoding: str) -> str | None:
    """The beginning of a text; None if it is not valid."""
    try:
        return codecs.getincrementaldecoder(encoding)().decode(head)
    except UnicodeDecodeError:
        return None


def _is_iso_2022(head: bytes, encoding: str) -> bool:
    """Whether a text is valid, without a sign of further sets of characters, as those of Chinese."""
    text = _decoded(head, encoding)
    return text is not None and _SHIFT_OUT not in text


def _is_hz(head: bytes) -> bool:
    """Whether what lies between the signs of HZ are usual Chinese characters, and nothing else has a tilde."""
    texts = b"".join(_HZ_TEXT.findall(head))
    rare = sum(row in _RARE_ROWS for row in texts[::2])
    rest = _HZ_ESCAPE.sub(b"", _HZ_TEXT.sub(b"", head))
    return (
        len(texts) >= 2 * _FEWEST_HZ_CHARACTERS
        and rare <= _RARE_SHARE * len(texts) / 2
        and b"~" not in rest
        and _decoded(head, "hz") is not None
    )


def _is_utf_7(head: bytes) -> bool:
    """Whether every plus sign begins characters that occur in texts, written as UTF-7 writes them."""
    text = _decoded(head, "utf-7")
    if text is None:
        return False
    plain = head.decode("ascii").replace(_PLUS, "")
    if "+" in _BASE_64_TEXT.sub("", plain):
        return False
    foreign = [sign for sign in text if not sign.isascii()]
    if not foreign or any(unicodedata.category(sign) in ("Cn", "Co", "Cc") for sign in foreign):
        return False
    others = {sign for sign in foreign if sign >= _LATIN_END and sign.isalpha()}
    if not others:
        return all(sign < _LATIN_END or sign in _USUAL_SIGNS for sign in foreign)
    return len(others) >= _FEWEST_FOREIGN_CHARACTERS and any(
        _is_encodable("".join(others), encoding) for encoding in (*_COMMON_CHARACTERS, *_alphabets(others))
    )


def _alphabets(letters: set[str]) -> list[str]:
    """Encodings of alphabets, if the letters are of one block."""
    return ["utf-8"] if len({ord(letter) >> 8 for letter in letters}) == 1 else []


def _is_encodable(text: str, encoding: str) -> bool:
    try:
        return bool(text.encode(encoding))
    except UnicodeEncodeError:
        return False
