"""PDF, by PDFium: the text of every page with the values of its form fields, and where each page begins.

PDFium parts words by the distances between their letters, which other readers glue together, and opens every method
of encryption. It is built without JavaScript.
"""

from __future__ import annotations

import re
from typing import IO, TYPE_CHECKING

from opendpr.corpus.extract import Extract, NotReadError, storable
from opendpr.corpus.pdf_fields import field_lines
from opendpr.corpus.source import TEXT_BYTES, TOO_LONG

if TYPE_CHECKING:
    from pypdfium2 import PdfDocument

ENCRYPTED = "an encrypted PDF that asks for a password; save a copy without"
SCANNED = "no text (a scanned PDF? its pages are pictures; OCR software makes text of them)"
PASSWORD_ERROR = 4
"""PDFium's FPDF_ERR_PASSWORD."""
PARTED = re.compile("[\x02\ufffe](?:\r?\n)?")
"""How PDFium writes the hyphen of a word that goes on in the next line."""


def parse_pdf(file: IO[bytes]) -> Extract:
    """Pages, one after the other, each on a new line; `page_starts` are the offsets where they begin.

    A page that cannot be read is empty, and a problem of its own.
    """
    document = opened(file)
    text: list[str] = []
    starts: list[int] = []
    problems: list[tuple[str, str]] = []
    length = 0
    for number in range(len(document)):
        try:
            content = page_text(document, number) + "\n"
        except RuntimeError as error:  # PDFium's own is one
            problems.append((f"page {number + 1}", f"cannot be read: {error}"[:200]))
            content = "\n"
        starts.append(length)
        text.append(content)
        length += len(content)
        if length > TEXT_BYTES:
            raise NotReadError(TOO_LONG)
    whole = "".join(text)[:-1]
    if not whole.strip():
        raise NotReadError(f"{problems[0][0]} {problems[0][1]}" if problems else SCANNED)
    title = storable(" ".join(document.get_metadata_value("Title").split()))
    return Extract(title, whole, {"page_starts": [min(start, len(whole)) for start in starts]}, problems)


def opened(file: IO[bytes]) -> PdfDocument:
    """The document; the empty password is tried, with which a file is only protected against changes."""
    from pypdfium2 import PdfDocument, PdfiumError

    try:
        document = PdfDocument(file)
        document.init_forms()
    except PdfiumError as error:
        if error.err_code == PASSWORD_ERROR:
            raise NotReadError(ENCRYPTED) from None
        raise
    return document


def page_text(document: PdfDocument, number: int) -> str:
    """The text of a page, then a line for each field of a form that is filled in, and for each text put on it."""
    page = document[number]
    text_page = page.get_textpage()
    text = PARTED.sub("-\n", text_page.get_text_range()).replace("\r\n", "\n").replace("\r", "\n").rstrip("\n")
    lines = [line for line in field_lines(document, page) if line]
    text_page.close()
    page.close()
    return storable("\n".join([text, *lines] if text else lines))
