"""Small files of every kind that takes a parser, made by hand."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence

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


def archive(members: Mapping[str, str | bytes]) -> bytes:
    """A zip file."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
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
