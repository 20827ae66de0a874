"""The encoding of a text: what a byte order mark says, else what its zero bytes or its escapes show, else UTF-8."""

from __future__ import annotations

import codecs
import io
import string
import unicodedata
from collections import Counter
from collections.abc import Sequence
from typing import IO

from opendpr.corpus.escaped_forms import escaped_form

RECOGNISED_BYTES = 8_192
"""How far into a file a NUL byte is looked for, the mark of a binary file, and its form of Unicode."""
BYTE_ORDER_MARKS = (  # UTF-32 first: its little-endian mark begins with that of UTF-16
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
    (codecs.BOM_UTF8, "utf-8"),
)
WIDE_ENCODINGS = ("utf-32-le", "utf-32-be", "utf-16-le", "utf-16-be")
FEWEST_WIDE_CHARACTERS = 4
"""A shorter text is not recognised without a mark."""
LETTERS_OF_ASCII_SHARE = 0.7
"""Share of English letters and spaces among the bytes beside NULs from which on it is ASCII, unless NULs are many."""
MANY_ZEROS_SHARE = 0.25
"""Share of NULs of text of mostly Latin letters in UTF-16."""
FEWEST_LETTERS_SHARE = 0.2
"""Share of letters and digits among the signs of a text."""
USUAL_SHARE = 0.95
"""Share of the characters of a text that lie in few blocks of 256: those of its script, and common signs."""
SIGN_BLOCKS = frozenset((0x00, 0x20, 0x21, 0x22))
"""Where letters of English and common signs lie."""
EAST_ASIAN_BLOCKS = frozenset((*SIGN_BLOCKS, 0x30, 0xFF, *range(0x4E, 0xA0), *range(0xAC, 0xD8)))
"""Where Chinese, Japanese and Korean lie."""
ALPHABET_BLOCKS = 2
"""How many further blocks an alphabet takes, with its accents."""
_SPACES = "\t\n\r\f\v"
_LETTERS = string.ascii_letters.encode() + b" "
_UNSEEN_CATEGORIES = frozenset(("Cc", "Cn", "Co"))


def unicode_form(head: bytes) -> tuple[bytes, str]:
    """The byte order mark `head` begins with, possibly none, and the encoding that it, or what else it has, stands for.

    What is neither marked nor clearly UTF-16, UTF-32 or an encoding in ASCII is called UTF-8, valid or not.
    """
    for mark, encoding in BYTE_ORDER_MARKS:
        if head.startswith(mark):
            return mark, encoding
    return b"", _unmarked_form(head[:RECOGNISED_BYTES]) or escaped_form(head) or "utf-8"


def is_binary(head: bytes) -> bool:
    """Whether a file that begins so is not text."""
    return b"\0" in head and unicode_form(head)[1] == "utf-8"


def as_utf8(head: bytes) -> bytes:
    """The beginning of a file as UTF-8, if it is of another form; without the mark."""
    mark, encoding = unicode_form(head)
    return head if encoding == "utf-8" else head[len(mark) :].decode(encoding, "ignore").encode()


def in_utf8(file: IO[bytes]) -> tuple[bytes, IO[bytes]]:
    """How a file begins, and the file from there; both in UTF-8, and without a mark if it is of another form."""
    head = file.read(RECOGNISED_BYTES)
    mark, encoding = unicode_form(head)
    if encoding == "utf-8":
        file.seek(0)
        return head, file
    file.seek(len(mark))
    return as_utf8(head), io.BufferedReader(_Utf8File(file, encoding))


def _unmarked_form(head: bytes) -> str:
    """The encoding with zero bytes that the beginning of a text has; empty if that is not clear."""
    zeros = head.count(0)
    if not zeros or _is_narrow(head.replace(b"\0", b""), zeros):
        return ""
    most, encoding = max((_plain_count(head, encoding), encoding) for encoding in WIDE_ENCODINGS)
    return encoding if most else ""


def _is_narrow(others: bytes, zeros: int) -> bool:
    """Whether bytes, which stand among so many NULs, are rather ASCII or UTF-8 with NULs in it."""
    try:
        text = codecs.getincrementaldecoder("utf-8")().decode(others)
    except UnicodeDecodeError:
        text = ""
    letters = len(others) - len(others.translate(None, _LETTERS))
    is_ascii = letters >= LETTERS_OF_ASCII_SHARE * len(others)
    return (bool(text) and not text.isascii()) or (is_ascii and zeros < MANY_ZEROS_SHARE * (len(others) + zeros))


def _plain_count(head: bytes, encoding: str) -> int:
    """How many ASCII characters the beginning of a text has in an encoding; 0 if it is no text in that.

    Without any it has neither spaces nor line ends. Read in the wrong order of bytes, those are other characters.
    """
    if len(head) % (4 if "32" in encoding else 2):
        return 0
    try:
        text = codecs.getincrementaldecoder(encoding)().decode(head)
    except UnicodeDecodeError:
        return 0
    signs = [sign for sign in text if not sign.isspace()]
    has_letters = sum(map(str.isalnum, signs)) >= FEWEST_LETTERS_SHARE * len(signs)
    if len(text) < FEWEST_WIDE_CHARACTERS or not has_letters or not _is_of_one_script(signs):
        return 0
    return sum(map(str.isascii, text)) if all(map(_is_seen, text)) else 0


def _is_of_one_script(signs: Sequence[str]) -> bool:
    """Whether nearly all characters are letters of one script and common signs."""
    blocks = Counter(ord(sign) >> 8 for sign in signs if sign <= "\uffff")
    alphabet = Counter({block: blocks[block] for block in blocks.keys() - EAST_ASIAN_BLOCKS})
    common = sum(blocks[block] for block in SIGN_BLOCKS)
    with_alphabet = common + sum(count for _, count in alphabet.most_common(ALPHABET_BLOCKS))
    east_asian = sum(blocks[block] for block in EAST_ASIAN_BLOCKS)
    return max(with_alphabet, east_asian) >= USUAL_SHARE * blocks.total()


def _is_seen(sign: str) -> bool:
    """Whether a character occurs in texts; what Python's Unicode does not know yet may be a new picture."""
    category = unicodedata.category(sign)
    return category not in _UNSEEN_CATEGORIES or sign in _SPACES or (category == "Cn" and sign > "\uffff")


class _Utf8File(io.RawIOBase):
    """Reads a file of another encoding as UTF-8; bytes that are not valid in it raise OSError."""

    def __init__(self, file: IO[bytes], encoding: str) -> None:
        self._file, self._encoding = file, encoding
        self._decoder = codecs.getincrementaldecoder(encoding)()
        self._pending = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        while not self._pending:
            data = self._file.read(io.DEFAULT_BUFFER_SIZE)
            try:
                self._pending = self._decoder.decode(data, final=not data).encode()
            except UnicodeDecodeError as error:
                raise OSError(f"not valid {self._encoding.upper()} ({error.reason}); convert it to UTF-8") from None
            if not data:
                break
        count = min(len(buffer), len(self._pending))
        buffer[:count] = self._pending[:count]
        self._pending = self._pending[count:]
        return count
