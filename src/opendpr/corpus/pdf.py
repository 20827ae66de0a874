"""PDF, by PDFium: the text of every page with the values of its form fields, and where each page begins.

PDFium parts words by the distances between their letters, which other readers glue together, and opens every method
of encryption. It is built without JavaScript.
"""

from __future__ import annotations

import re
from itertools import accumulate
from typing import IO, TYPE_CHECKING

from opendpr.corpus.extract import Extract, NotReadError, storable
from opendpr.corpus.pdf_fields import field_lines
from opendpr.corpus.pdf_outline import outline_sections
from opendpr.corpus.pdf_scripts import with_scripts
from opendpr.corpus.running_lines import left_out, without_running_lines
from opendpr.corpus.source import TEXT_BYTES, TOO_LONG
from opendpr.text.sections import SECTIONS_KEY

if TYPE_CHECKING:
    from pypdfium2 import PdfDocument

ENCRYPTED_REASON = "an encrypted PDF that asks for a password; save a copy without"
SCANNED_REASON = "no text (a scanned PDF? its pages are pictures; OCR software makes text of them)"
PASSWORD_ERROR = 4
"""PDFium's FPDF_ERR_PASSWORD."""
PARTED_WORD = re.compile("[\x02\ufffe](?:\r?\n)?")
"""How PDFium writes the hyphen of a word that goes on in the next line."""


def parse_pdf(file: IO[bytes]) -> Extract:
    """Pages, one after the other, each on a new line; `page_starts` are the offsets where they begin.

    Bookmarks are the headings of its sections.

    A page that cannot be read is empty, and a problem of its own. Headers and footers are there once; `left_out` says
    how many of their lines are not.
    """
    document = opened(file)
    pages: list[str] = []
    problems: list[tuple[str, str]] = []
    length = 0
    for number in range(len(document)):
        try:
            pages.append(page_text(document, number))
        except RuntimeError as error:  # PDFium's own is one
            problems.append((f"page {number + 1}", f"cannot be read: {error}"[:200]))
            pages.append("")
        length += len(pages[-1]) + 1
        if length > TEXT_BYTES:
            raise NotReadError(TOO_LONG)
    pages, repeated = without_running_lines(pages)
    text = "\n".join(pages)
    if not text.strip():
        raise NotReadError(f"{problems[0][0]} {problems[0][1]}" if problems else SCANNED_REASON)
    starts = [min(start, len(text)) for start in accumulate((len(page) + 1 for page in pages[:-1]), initial=0)]
    metadata: dict[str, object] = {"page_starts": starts}
    if sections := outline_sections(document, pages, starts):
        metadata[SECTIONS_KEY] = [list(section) for section in sections]
    if repeated:
        metadata |= left_out(repeated)
    return Extract(storable(" ".join(document.get_metadata_value("Title").split())), text, metadata, problems)


def opened(file: IO[bytes]) -> PdfDocument:
    """The document; the empty password is tried, with which a file is only protected against changes."""
    from pypdfium2 import PdfDocument, PdfiumError

    try:
        document = PdfDocument(file)
        document.init_forms()
    except PdfiumError as error:
        if error.err_code == PASSWORD_ERROR:
            raise NotReadError(ENCRYPTED_REASON) from None
        raise
    return document


def page_text(document: PdfDocument, number: int) -> str:
    """The text of a page, then a line for each field of a form that is filled in, and for each text put on it."""
    page = document[number]
    text_page = page.get_textpage()
    text = with_scripts(text_page.get_text_range(), text_page)
    text = PARTED_WORD.sub("-\n", text).replace("\r\n", "\n").replace("\r", "\n").rstrip("\n")
    lines = [line for line in field_lines(document, page) if line]
    text_page.close()
    page.close()
    return storable("\n".join([text, *lines] if text else lines))
