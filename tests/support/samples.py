"""Small files of every kind that takes a parser, made by hand."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping, Sequence

from openpyxl import Workbook

from opendpr.corpus.child import PARSER_MODULES

W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"


def pdf(pages: Sequence[str], *, extra: Mapping[int, str] | None = None, trailer: str = "") -> bytes:
    """A PDF with a line of text on each page. `extra` replaces objects: 1 catalog, 2 pages, 3 font."""
    count = len(pages)
    objects = {
        1: "<< /Type /Catalog /Pages 2 0 R >>",
        2: f"<< /Type /Pages /Count {count} /Kids [{' '.join(f'{4 + 2 * n} 0 R' for n in range(count))}] >>",
        3: "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    }
    for n, line in enumerate(pages):
        content = f"BT /F1 12 Tf 20 100 Td ({line}) Tj ET" if line else ""
        page = f"/Parent 2 0 R /MediaBox [0 0 300 200] /Contents {5 + 2 * n} 0 R /Resources << /Font << /F1 3 0 R >> >>"
        objects[4 + 2 * n] = f"<< /Type /Page {page} >>"
        objects[5 + 2 * n] = f"<< /Length {len(content)} >>\nstream\n{content}\nendstream"
    objects.update(extra or {})
    out = b"%PDF-1.4\n"
    offsets = []
    for number, body in sorted(objects.items()):
        offsets.append(len(out))
        out += f"{number} 0 obj\n{body}\nendobj\n".encode("latin-1")
    table = "".join(f"{offset:010} 00000 n \n" for offset in offsets)
    size = len(objects) + 1
    end = f"xref\n0 {size}\n0000000000 65535 f \n{table}trailer\n<< /Size {size} /Root 1 0 R {trailer} >>\n"
    return out + f"{end}startxref\n{len(out)}\n%%EOF\n".encode("latin-1")


def pdf_with_bookmarks(pages: Sequence[str], bookmarks: Sequence[tuple[str, int]]) -> bytes:
    """The same with bookmarks in one row, each of a title and the page from 0 that it leads to."""
    first = 4 + 2 * len(pages)
    last = first + len(bookmarks)
    extra = {
        1: f"<< /Type /Catalog /Pages 2 0 R /Outlines {first} 0 R >>",
        first: f"<< /Type /Outlines /First {first + 1} 0 R /Last {last} 0 R /Count {len(bookmarks)} >>",
    }
    for number, (title, page) in enumerate(bookmarks, start=first + 1):
        following = f"/Next {number + 1} 0 R" if number < last else ""
        target = f"/Dest [{4 + 2 * page} 0 R /XYZ 0 150 0]"
        extra[number] = f"<< /Title ({title}) /Parent {first} 0 R {target} {following} >>"
    return pdf(pages, extra=extra)


def archive(members: Mapping[str, str | bytes]) -> bytes:
    """A zip file."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as packed:
        for name, content in members.items():
            packed.writestr(name, content)
    return out.getvalue()


def docx(body: str, title: str = "", **members: str) -> bytes:
    """A Word document with this content of its body."""
    dc = "http://purl.org/dc/elements/1.1/"
    return archive(
        {
            "word/document.xml": f'<w:document xmlns:w="{W}"><w:body>{body}</w:body></w:document>',
            "docProps/core.xml": f'<p xmlns:dc="{dc}"><dc:title>{title}</dc:title><dc:creator>me</dc:creator></p>',
            **{f"word/{name}.xml": content for name, content in members.items()},
        }
    )


def paragraph(text: str) -> str:
    return f'<w:p><w:pPr/><w:r><w:t xml:space="preserve">{text}</w:t></w:r></w:p>'


def epub(pages: Mapping[str, str], title: str = "A book", **members: str) -> bytes:
    """A book with these pages, in order."""
    items = "".join(
        f'<item id="i{n}" href="{name}" media-type="application/xhtml+xml"/>' for n, name in enumerate(pages)
    )
    spine = "".join(f'<itemref idref="i{n}"/>' for n in range(len(pages)))
    dc = "http://purl.org/dc/elements/1.1/"
    return archive(
        {
            "mimetype": "application/epub+zip",
            "META-INF/container.xml": '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>'
            '<rootfile full-path="OEBPS/book.opf"/></rootfiles></container>',
            "OEBPS/book.opf": f'<package xmlns="http://www.idpf.org/2007/opf"><metadata xmlns:dc="{dc}">'
            f"<dc:title>{title}</dc:title></metadata><manifest>{items}</manifest><spine>{spine}</spine></package>",
            **{f"OEBPS/{name.replace('%20', ' ')}": content for name, content in pages.items()},
            **{f"META-INF/{name}.xml": content for name, content in members.items()},
        }
    )


MAIL = (
    b"From: keeper@orvik.example\nDate: Mon, 06 Jan 2020 10:00:00 +0000\nSubject: =?utf-8?q?The_b=C3=A5t?=\n"
    b"Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n\n"
    b"The b=C3=A5t was built by =C3=85sa Lind for tw=\nelve people.\n"
)
MAILBOX = (
    b"From keeper@orvik.example Mon Jan  6 10:00:00 2020\n" + MAIL + b"\n"
    b"From a@b.example Mon Jan  6 11:00:00 2020\nSubject: Two\n\n>From here on.\n"
)
RTF = (
    r"{\rtf1\ansi{\b Rules of 1874{\super 12}\par}{\v secret}At most forty people.\par"
    r"\trowd\cellx3000\cellx6000\pard\intbl Trip\cell Price\cell\row}"
)
MAN = (
    '.\\" comment\n.TH ORVIK 1 "May 2020"\n.SH NAME\norvik \\- log the frost\n.SH OPTIONS\n.TP\n.B \\-\\-verbose\n'
    'Turn on \\(aqverbose\\(aq output.\n.TP\n.BI \\-q " file"\nBe \\fIquiet\\fR, see\n.BR log (5).\n'
)


def notebook(*cells: tuple[str, ...]) -> bytes:
    """A Jupyter notebook of cells: kind, source, what it printed."""
    made = [
        {"cell_type": kind, "source": source.splitlines(True), "outputs": [{"text": text} for text in printed]}
        for kind, source, *printed in cells
    ]
    return json.dumps({"cells": made, "nbformat": 4}).encode()


def odt(content: str, title: str = "") -> bytes:
    """An OpenDocument text with this content of its body."""
    oasis = "urn:oasis:names:tc:opendocument:xmlns"
    spaces = f'xmlns:text="{oasis}:text:1.0" xmlns:table="{oasis}:table:1.0" xmlns:office="{oasis}:office:1.0"'
    dc = "http://purl.org/dc/elements/1.1/"
    return archive(
        {
            "mimetype": "application/vnd.oasis.opendocument.text",
            "content.xml": f"<office:document-content {spaces}>{content}</office:document-content>",
            "meta.xml": f'<m xmlns:dc="{dc}"><dc:title>{title}</dc:title></m>',
        }
    )


def pptx(slides: Sequence[str], hidden: Sequence[int] = (), notes: Mapping[int, str] | None = None) -> bytes:
    """A presentation with a line of text on each slide, or the shapes that it is given as elements."""
    a, p = (f"http://schemas.openxmlformats.org/{part}/2006/main" for part in ("drawingml", "presentationml"))
    r = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    members = {}
    links = ids = ""

    def page(name: str, text: str, attributes: str = "") -> str:
        body = text if text.startswith("<p:") else f"<p:sp><a:p><a:r><a:t>{text}</a:t></a:r></a:p></p:sp>"
        return f'<p:{name} xmlns:p="{p}" xmlns:a="{a}"{attributes}>{body}</p:{name}>'

    for number, text in enumerate(slides):
        members[f"ppt/slides/s{number}.xml"] = page("sld", text, ' show="0"' if number in hidden else "")
        links += f'<Relationship Id="r{number}" Target="slides/s{number}.xml"/>'
        ids += f'<p:sldId r:id="r{number}"/>'
    for number, text in (notes or {}).items():
        members[f"ppt/notesSlides/n{number}.xml"] = page("notes", text)
        link = f'<Relationship Id="n" Target="../notesSlides/n{number}.xml"/>'
        members[f"ppt/slides/_rels/s{number}.xml.rels"] = f"<Relationships>{link}</Relationships>"
    members["ppt/_rels/presentation.xml.rels"] = f"<Relationships>{links}</Relationships>"
    members["ppt/presentation.xml"] = f'<p:presentation xmlns:p="{p}" xmlns:r="{r}">{ids}</p:presentation>'
    return archive(members)


def workbook(rows: Sequence[Sequence[object]], title: str = "Sheet") -> bytes:
    """An Excel workbook of one sheet."""
    book = Workbook()
    book.active.title = title
    for row in rows:
        book.active.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def workbook_of_parts(sheets: Mapping[str, str], book: str = "", strict: bool = False, **parts: str | bytes) -> bytes:
    """An Excel workbook of sheets with this content. `parts` lie beside the sheets: `styles`, `sharedStrings`, ..."""
    kind = "http://purl.oclc.org/ooxml" if strict else "http://schemas.openxmlformats.org"
    relation = f"{kind}/officeDocument/relationships" if strict else f"{kind}/officeDocument/2006/relationships"
    main = f"{kind}/spreadsheetml/main" if strict else f"{kind}/spreadsheetml/2006/main"
    links = "".join(
        f'<Relationship Id="s{n}" Type="{relation}/worksheet" Target="worksheets/sheet{n}.xml"/>'
        for n in range(len(sheets))
    )
    for name in ("styles", "sharedStrings"):  # the latter is named whether it is there or not, as some programs do
        links += f'<Relationship Id="{name}" Type="{relation}/{name}" Target="{name}.xml"/>'
    entries = "".join(f'<sheet name="{name}" r:id="s{n}"/>' for n, name in enumerate(sheets))
    office = f'<Relationship Id="r" Type="{relation}/officeDocument" Target="xl/workbook.xml"/>'
    return archive(
        {
            "_rels/.rels": f"<Relationships>{office}</Relationships>",
            "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{relation}">{book}{entries}</workbook>',
            "xl/_rels/workbook.xml.rels": f"<Relationships>{links}</Relationships>",
            **{
                f"xl/worksheets/sheet{n}.xml": f'<worksheet xmlns="{main}">{content}</worksheet>'
                for n, content in enumerate(sheets.values())
            },
            **{f"xl/{name}.xml": content for name, content in parts.items()},
        }
    )


def row_of_texts(*texts: str) -> str:
    """A row of a sheet whose cells hold their texts themselves."""
    cells = "".join(f'<c t="inlineStr"><is><t>{text}</t></is></c>' for text in texts)
    return f"<row>{cells}</row>"


def text(kind: str, content: bytes | str) -> str:
    """The text that the parser of a kind of file gives, without a problem."""
    extract = PARSER_MODULES[kind](io.BytesIO(content.encode() if isinstance(content, str) else content))
    assert extract.problems == []
    return extract.text
