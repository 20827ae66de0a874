"""PDF, by pypdf: the text of every page and where each page begins."""

from __future__ import annotations

from typing import IO

from opendpr.corpus.extract import Extract, NotReadError, storable
from opendpr.corpus.source import TEXT_BYTES, TOO_LONG

ENCRYPTED = "an encrypted PDF; save a copy without password"
SCANNED = "no text (a scanned PDF? its pages are pictures; OCR software makes text of them)"
EMPTY_FILE = "a PDF without pages"


def parse_pdf(file: IO[bytes]) -> Extract:
    """Pages, one after the other, each on a new line; `page_starts` are the offsets where they begin.

    A page that cannot be read is empty, and a problem of its own.
    """
    from pypdf import PdfReader

    reader = PdfReader(file)
    if reader.is_encrypted:
        open_encrypted(reader)
    text, starts, problems, length = [], [], [], 0
    for number, page in enumerate(reader.pages, start=1):
        try:
            content = storable(page.extract_text()) + "\n"
        except MemoryError:
            raise
        except Exception as error:  # noqa: BLE001 - pypdf raises whatever a broken page leads it to
            problems.append((f"page {number}", f"cannot be read: {type(error).__name__}: {error}"[:200]))
            content = "\n"
        starts.append(length)
        text.append(content)
        length += len(content)
        if length > TEXT_BYTES:
            raise NotReadError(TOO_LONG)
    if not text:
        raise NotReadError(EMPTY_FILE)
    whole = "".join(text)[:-1]
    if not whole.strip():
        raise NotReadError(f"{problems[0][0]} {problems[0][1]}" if problems else SCANNED)
    return Extract(title(reader), whole, {"page_starts": [min(start, len(whole)) for start in starts]}, problems)


def open_encrypted(reader: object) -> None:
    """Try the empty password, with which a file is only protected against changes."""
    try:
        opened = reader.decrypt("")  # type: ignore[attr-defined]
    except Exception:  # noqa: BLE001 - a method of encryption that pypdf has no package for, among others
        opened = 0
    if not opened:
        raise NotReadError(ENCRYPTED)


def title(reader: object) -> str:
    """The title in the file's properties, if it has one that can be read."""
    try:
        return storable(" ".join(str(reader.metadata.title or "").split()))  # type: ignore[attr-defined]
    except Exception:  # noqa: BLE001 - a file without readable properties has no title
        return ""
