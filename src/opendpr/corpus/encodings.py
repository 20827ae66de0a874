"""Text of bytes: a form of Unicode (`unicode_forms.py`), or Windows-1252 where nothing else fits and the letters do."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import NamedTuple

from opendpr.corpus.extract import NotReadError
from opendpr.corpus.source import Reading, not_valid
from opendpr.corpus.unicode_forms import unicode_form
from opendpr.types import Document

WESTERN_ENCODING = "cp1252"
ENCODING_KEY, WESTERN_NAME = "encoding", "windows-1252"
"""What the metadata of a document say if its file was read so."""
WESTERN_EXAMPLES = 3
"""Documents of which a word is named where they were read in an encoding that nothing tells."""
SNIFFED_BYTES = 1 << 20
"""How much of a file of records is read to tell its encoding."""
FOREIGN_SHARE = 0.3
"""Share of letters that are not ASCII from which on a text is of another encoding than `WESTERN_ENCODING`."""
_FOREIGN = re.compile(rb"[\x80-\xff]+")
_UNDEFINED = re.compile(rb"[\x81\x8d\x8f\x90\x9d]")
"""Bytes that stand for nothing in Windows-1252."""
_SIGNS = rb"\x83\x86-\x8a\x8c\x8e\x95\x98\x9f\xa1\xa3-\xa6\xa8\xa9\xac\xae\xb1-\xb3\xb6\xb8\xb9\xbc-\xbf"
_OTHER_SIGNS = re.compile(
    rb"[a-z\xc0-\xff][%b][\xb7%b]?[a-z\xc0-\xff]|[a-z](?:[\x82\x84]|[\x8a\x8c\x8e\x9f](?![A-Za-z]))|(?!\xc5{4})[\xc0-\xff]{4}"
    % (_SIGNS, _SIGNS)
)
"""Signs and capitals of Windows-1252 after small letters, and four letters that are not ASCII: they are letters of
another encoding, as Mac Roman, ISO 8859-2 or Windows-1251."""
_LETTER, _SMALL = rb"[A-Za-z\xc0-\xd6\xd8-\xf6\xf8-\xff]", rb"[a-z\xe0-\xf6\xf8-\xff]"
_ODD_SIGNS = rb"\xa2\xa4-\xa8\xac\xaf\xb1\xb4-\xb6\xb8\xbc-\xbe"
_OTHER_WORDS = re.compile(
    rb"""
      (?<![A-Za-z\x80-\xff])(?!(?:[\xe4\xe5\xf6]{2,3}\xfc?|\xe6[\xf8\xf0]\xe5?|\xf8\xe5|\xc5+)(?![A-Za-z\xc0-\xff]))
      (?!\xe7)(?:(?![\xde\xf0\xfe])[\xc0-\xff]){2,}(?![A-Za-z\xc0-\xff])  # a word of accented letters alone
    | (?![\xa1-\xbf]{4}|\xc5{4})[\xa1-\xff]{4}
    | [\xc0-\xff][%(odd)s] | [%(odd)s]{2}(?<!\xbd\xbe) | (?<![\xbc-\xbe])[%(odd)s][\xc0-\xff]
    | [a-z]{2}[\xc0-\xd6\xd8-\xde]                     # a capital inside a word
    | %(letter)s[\x84\x93\x94]%(small)s                # a quotation mark inside a word
    | [\xa2\xa4-\xa6\xa8\xaf][A-Za-z]                  # half a character of Big5 beside a letter
    | \x83[@-~] | \x82[\x9f-\xf1]\x82 | [\x88\x89\x98\x99]%(letter)s   # Katakana, Hiragana, Kanji of Shift JIS
    | [\x8a\x8c\x8e\x9a\x9c\x9e\x9f][\x83\x86-\x89\x8b\x98\xa7] | (?<![A-Z])\x9f[a-z]
    | [0-9]\s?[\xa1\xf8]C\b                            # degrees Celsius of MS-DOS and Mac OS
    """
    % {b"odd": _ODD_SIGNS, b"letter": _LETTER, b"small": _SMALL},
    re.VERBOSE,
)
"""What words of Windows-1252 do not have: accented letters alone (but for some Nordic words), capitals and quotation
marks inside, signs of money or arithmetic beside an accented letter."""
SHOWN_CHARACTERS = 40
"""How much of a word is shown before and after its first letter that is not ASCII."""
_FOREIGN_LETTER, _FOREIGN_SIGN = re.compile(r"(?![\x00-\x7f])[^\W\d_]"), re.compile(r"[^\x00-\x7f]")
_LETTERS_BEFORE, _LETTERS_AFTER = re.compile(r"[^\W\d_]*\Z"), re.compile(r"[^\W\d_]*")
_SIGNS_BEFORE, _SIGNS_AFTER = re.compile(r"\S*\Z"), re.compile(r"\S*")
_OPENING, _ITS_PARTNERS = b"\x93", b"\x84\x94"
"""A quotation mark that opens, and those that close it or open before it; alone it is half a Kanji of Shift JIS."""
_LETTERS_APART = (("ðþý", "üçàèìòùãâêîõï"), ("øæ", "ìòùè"), ("õ", "ö", "áé"))
"""Letters that no language of Windows-1252 has together: they are Turkish, Czech, Croatian, Baltic, Hungarian ones."""
_APART_SHARE, _FEWEST_APART = 0.1, 2
"""How often letters of each of such groups occur in text of another encoding, among those that are not ASCII."""


class Decoded(NamedTuple):
    """The text of a file, and whether it was read as Windows-1252."""

    text: str
    is_western: bool = False

    def metadata(self) -> dict[str, object]:
        """What the metadata of a document say of it."""
        return {ENCODING_KEY: WESTERN_NAME} if self.is_western else {}


def decoded(data: bytes) -> Decoded:
    """The text of a whole file without its byte order mark.

    Raises:
        NotReadError: it is of another encoding; the message says which byte is not UTF-8.
    """
    mark, encoding = unicode_form(data)
    try:
        return Decoded(data[len(mark) :].decode(encoding))
    except UnicodeDecodeError as error:
        if encoding == "utf-8" and not mark and is_western(data):
            return Decoded(data.decode(WESTERN_ENCODING), is_western=True)
        raise NotReadError(not_valid(error, len(mark))) from None


def is_western(data: bytes) -> bool:
    """Whether a text, or its beginning, is Windows-1252: it has no UTF-8 and few foreign letters."""
    foreign = _FOREIGN.findall(data)
    if not foreign or any(map(is_utf8, foreign[:-1])) or is_utf8(foreign[-1]):
        return False
    if _UNDEFINED.search(data) or _OTHER_SIGNS.search(data) or _OTHER_WORDS.search(data):
        return False
    if data.count(_OPENING) % 2 and not set(_ITS_PARTNERS).intersection(data):
        return False
    letters = len(re.findall(rb"[A-Za-z]", data))
    if sum(map(len, foreign)) > FOREIGN_SHARE * (letters + sum(map(len, foreign))):
        return False
    counts = Counter(b"".join(foreign).decode(WESTERN_ENCODING).lower())
    fewest = max(_FEWEST_APART, _APART_SHARE * sum(count for sign, count in counts.items() if sign.isalpha()))
    return not any(all(sum(counts[sign] for sign in group) >= fewest for group in groups) for groups in _LETTERS_APART)


def western_records(readings: Iterable[Reading]) -> Iterator[Reading]:
    """The records of a file that was read as Windows-1252; their metadata say so."""
    note = Decoded("", is_western=True).metadata()
    for place, reading in readings:
        if isinstance(reading, Document):
            reading = replace(reading, metadata={**note, **reading.metadata})
        yield place, reading


def first_foreign_word(text: str) -> str:
    """The first word of a text that is not ASCII, else the first sign, by which a person knows a wrong encoding."""
    if match := _FOREIGN_LETTER.search(text):
        before, after = _LETTERS_BEFORE, _LETTERS_AFTER
    elif match := _FOREIGN_SIGN.search(text):
        before, after = _SIGNS_BEFORE, _SIGNS_AFTER
    else:
        return ""
    start, end = match.span()
    first = before.search(text[max(0, start - SHOWN_CHARACTERS) : start])
    last = after.match(text[end : end + SHOWN_CHARACTERS])
    return f"{first[0] if first else ''}{match[0]}{last[0] if last else ''}"


def is_utf8(data: bytes) -> bool:
    """Whether bytes are whole characters of UTF-8."""
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True
