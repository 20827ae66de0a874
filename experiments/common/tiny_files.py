"""A tiny file of every kind, for a run that fetches nothing."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping
from pathlib import Path

SENTENCE = "The lighthouse of Norham was built in 1888."
RECORDS = f'id,text\n1,"{SENTENCE}"\n'
PAGE = f"<html><head><title>Norham</title></head><body><p>{SENTENCE}</p></body></html>"
MAIL = f"From: ida@example.org\nTo: otto@example.org\nSubject: Norham\nContent-Type: text/plain\n\n{SENTENCE}\n"
NOTEBOOK = {
    "nbformat": 4,
    "nbformat_minor": 5,
    "metadata": {},
    "cells": [{"cell_type": "markdown", "id": "a", "metadata": {}, "source": SENTENCE}],
}
TEXTS: Mapping[str, str] = {
    "table.csv": RECORDS,
    "records.jsonl": json.dumps({"id": "1", "text": SENTENCE}),
    "mail.eml": MAIL,
    "mails.mbox": f"From ida@example.org Mon Jan  6 10:00:00 2020\n{MAIL}",
    "page.html": PAGE,
    "notebook.ipynb": json.dumps(NOTEBOOK),
    "norham.1": f".TH NORHAM 1\n.SH DESCRIPTION\n{SENTENCE}\n",
    "notes.md": f"# Norham\n\n{SENTENCE}\n",
    "letter.rtf": rf"{{\rtf1\ansi {SENTENCE}\par}}",
    "notes.rst": f"Norham\n======\n\n{SENTENCE}\n",
    "film.srt": f"1\n00:00:01,000 --> 00:00:02,000\n{SENTENCE}\n",
    "film.vtt": f"WEBVTT\n\n00:01.000 --> 00:02.000\n{SENTENCE}\n",
    "text.xml": f"<text><title>Norham</title><p>{SENTENCE}</p></text>",
}
CONTAINER = (
    '<container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>'
    '<rootfile full-path="book.opf" media-type="application/oebps-package+xml"/></rootfiles></container>'
)
BOOK = (
    '<package xmlns="http://www.idpf.org/2007/opf" version="2.0"><metadata xmlns:dc="http://purl.org/dc/elements/1.1/">'
    '<dc:title>Norham</dc:title></metadata><manifest><item id="page" href="page.xhtml" '
    'media-type="application/xhtml+xml"/></manifest><spine><itemref idref="page"/></spine></package>'
)


def write_tiny_files(folder: Path) -> None:
    """Write them into a folder; those of office programs by the libraries that make them."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in TEXTS.items():
        (folder / name).write_text(text, encoding="utf-8")
    write_book(folder / "book.epub")
    write_pdf(folder / "page.pdf")
    write_office(folder)


def write_book(path: Path) -> None:
    """An EPUB of one page."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mimetype", "application/epub+zip")
        archive.writestr("META-INF/container.xml", CONTAINER)
        archive.writestr("book.opf", BOOK)
        archive.writestr("page.xhtml", PAGE.replace("<html>", '<html xmlns="http://www.w3.org/1999/xhtml">'))


def write_pdf(path: Path) -> None:
    """A PDF of one page."""
    stream = f"BT /F1 12 Tf 72 700 Td ({SENTENCE}) Tj ET"
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R "
        "/Resources << /Font << /F1 5 0 R >> >> >>",
        f"<< /Length {len(stream)} >>\nstream\n{stream}\nendstream",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    content, offsets = "%PDF-1.4\n", []
    for number, body in enumerate(objects, start=1):
        offsets.append(len(content))
        content += f"{number} 0 obj\n{body}\nendobj\n"
    entries = "".join(f"{offset:010} 00000 n \n" for offset in offsets)
    size = len(objects) + 1
    table = f"xref\n0 {size}\n0000000000 65535 f \n{entries}trailer\n<< /Size {size} /Root 1 0 R >>\n"
    path.write_text(f"{content}{table}startxref\n{len(content)}\n%%EOF\n", encoding="ascii")


def write_office(folder: Path) -> None:
    """A letter, slides, a sheet and an OpenDocument text."""
    import docx
    import openpyxl
    import pptx
    from odf.opendocument import OpenDocumentText
    from odf.text import P

    letter = docx.Document()
    letter.add_paragraph(SENTENCE)
    letter.save(str(folder / "letter.docx"))
    slides = pptx.Presentation()
    slides.slides.add_slide(slides.slide_layouts[0]).shapes.title.text = SENTENCE
    slides.save(str(folder / "slides.pptx"))
    workbook = openpyxl.Workbook()
    workbook.active.append([SENTENCE])
    workbook.save(folder / "sheet.xlsx")
    text = OpenDocumentText()
    text.text.addElement(P(text=SENTENCE))
    text.save(str(folder / "letter.odt"))
