"""What other libraries take out of a file, kind by kind: the reference that our readers are compared with."""

from __future__ import annotations

import csv
import json
import pydoc
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from opendpr.storage.compression import READ_ERRORS

PYTHON_ERRORS = (*READ_ERRORS, ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError)
"""What libraries raise over broken files beside exceptions of their own."""


@dataclass(frozen=True)
class Reference:
    """A library that reads a kind of file."""

    name: str
    """As the documents call it."""
    package: str
    """What is imported; empty for what Python brings."""
    read: Callable[[Path], str]
    error: str = "builtins.ValueError"
    """What it raises over a broken file, beside exceptions of Python's own."""

    @property
    def errors(self) -> tuple[type[Exception], ...]:
        """All that it raises over a broken file."""
        own = pydoc.locate(self.error)
        assert isinstance(own, type) and issubclass(own, Exception)
        return (own, *PYTHON_ERRORS)


def by_beautiful_soup(path: Path) -> str:
    return html_text(path.read_bytes())


def html_text(page: str | bytes) -> str:
    """What Beautiful Soup takes for text."""
    import bs4

    return str(bs4.BeautifulSoup(page, "html.parser").get_text(" "))


def by_calamine(path: Path) -> str:
    from python_calamine import CalamineWorkbook, SheetVisibleEnum

    with path.open("rb") as file:
        workbook = CalamineWorkbook.from_filelike(file)
        visible = [sheet.name for sheet in workbook.sheets_metadata if sheet.visible == SheetVisibleEnum.Visible]
        rows = [row for name in visible for row in workbook.get_sheet_by_name(name).to_python()]
    cells = (int(cell) if isinstance(cell, float) and cell.is_integer() else cell for row in rows for cell in row)
    return "\n".join(map(str, cells))


def by_csv(path: Path) -> str:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return "\n".join(" ".join(row) for row in csv.reader(file))


def by_json(path: Path) -> str:
    return "\n".join(map(values_of, map(json.loads, filter(str.strip, path.read_text(encoding="utf-8").splitlines()))))


def values_of(value: object) -> str:
    """The names and the values of a record of JSON."""
    if isinstance(value, dict):
        return " ".join(f"{name} {values_of(inner)}" for name, inner in value.items())
    return " ".join(map(values_of, value)) if isinstance(value, list) else str(value)


def by_docutils(path: Path) -> str:
    from docutils.core import publish_doctree
    from docutils.nodes import system_message

    quiet = {"report_level": 5, "halt_level": 5, "file_insertion_enabled": False, "raw_enabled": False}
    tree = publish_doctree(path.read_text(encoding="utf-8"), settings_overrides=quiet)
    for message in list(tree.findall(system_message)):
        message.parent.remove(message)
    return str(tree.astext())


def by_lxml(path: Path) -> str:
    from lxml import etree

    parser = etree.XMLParser(resolve_entities=False, no_network=True)
    return " ".join(etree.parse(path, parser).getroot().itertext("*"))


def by_mail_parser(path: Path) -> str:
    import mailparser

    return mail_text(mailparser.parse_from_bytes(path.read_bytes()))


def by_mailbox(path: Path) -> str:
    import mailbox

    import mailparser

    with closing(mailbox.mbox(path, create=False)) as box:
        return "\n".join(mail_text(mailparser.parse_from_bytes(box.get_bytes(key))) for key in box.iterkeys())


def mail_text(mail: object) -> str:
    """Subject and text of a mail; its HTML if it has no text."""
    plain, pages = getattr(mail, "text_plain", []), getattr(mail, "text_html", [])
    return "\n".join([getattr(mail, "subject", "") or "", *(plain or map(html_text, pages))])


def by_markdown_it(path: Path) -> str:
    from markdown_it import MarkdownIt

    markdown = MarkdownIt("commonmark").enable("table").disable("html_block")
    return html_text(markdown.render(path.read_text(encoding="utf-8")))


def by_nbformat(path: Path) -> str:
    import nbformat

    notebook = nbformat.read(path, as_version=4)
    return "\n".join(text for cell in notebook.cells for text in cell_texts(cell))


def cell_texts(cell: Mapping[str, object]) -> Iterator[str]:
    """The source of a cell, and what it printed or showed as text."""
    yield str(cell["source"])
    outputs = cell.get("outputs", [])
    for output in outputs if isinstance(outputs, list) else ():
        yield str(output.get("text", output.get("data", {}).get("text/plain", "")))


def by_odfpy(path: Path) -> str:
    from odf import teletype
    from odf.office import Annotation
    from odf.opendocument import load
    from odf.text import H, P

    body = load(str(path)).body
    for comment in body.getElementsByType(Annotation):
        comment.parentNode.removeChild(comment)
    blocks = [*body.getElementsByType(H), *body.getElementsByType(P)]
    return "\n".join(str(teletype.extractText(block)) for block in blocks)


def by_pandoc(form: str) -> Callable[[Path], str]:
    """Reads a format of pandoc."""

    def read(path: Path) -> str:
        import pypandoc

        return str(pypandoc.convert_file(str(path), "plain", format=form, extra_args=["--wrap=none"]))

    return read


def by_pdfminer(path: Path) -> str:
    from pdfminer.high_level import extract_text

    return extract_text(path)


def by_pysubs2(path: Path) -> str:
    import pysubs2

    return "\n".join(event.plaintext for event in pysubs2.load(str(path)))


def by_python_docx(path: Path) -> str:
    import docx

    document = docx.Document(str(path))
    cells = (cell.text for table in document.tables for row in table.rows for cell in row.cells)
    return "\n".join([*(paragraph.text for paragraph in document.paragraphs), *cells])


def by_python_pptx(path: Path) -> str:
    import pptx

    slides = pptx.Presentation(str(path)).slides
    return "\n".join(shape.text_frame.text for slide in slides for shape in slide.shapes if shape.has_text_frame)


REFERENCES: Mapping[str, Reference] = {
    ".csv": Reference("Python's csv", "", by_csv, "csv.Error"),
    ".docx": Reference("python-docx", "docx", by_python_docx, "docx.opc.exceptions.OpcError"),
    ".eml": Reference("mail-parser", "mailparser", by_mail_parser, "mailparser.exceptions.MailParserError"),
    ".epub": Reference("pandoc", "pypandoc", by_pandoc("epub")),
    ".html": Reference("Beautiful Soup", "bs4", by_beautiful_soup),
    ".jsonl": Reference("Python's json", "", by_json),
    ".ipynb": Reference("nbformat", "nbformat", by_nbformat, "nbformat.ValidationError"),
    ".1": Reference("pandoc", "pypandoc", by_pandoc("man")),
    ".md": Reference("markdown-it-py", "markdown_it", by_markdown_it),
    ".mbox": Reference("mailbox and mail-parser", "mailparser", by_mailbox, "mailparser.exceptions.MailParserError"),
    ".odt": Reference("odfpy", "odf", by_odfpy),
    ".pdf": Reference("pdfminer.six", "pdfminer", by_pdfminer, "pdfminer.psexceptions.PSException"),
    ".pptx": Reference("python-pptx", "pptx", by_python_pptx, "pptx.exc.PythonPptxError"),
    ".rst": Reference("docutils", "docutils", by_docutils, "docutils.utils.SystemMessage"),
    ".rtf": Reference("pandoc", "pypandoc", by_pandoc("rtf")),
    ".srt": Reference("pysubs2", "pysubs2", by_pysubs2, "pysubs2.exceptions.Pysubs2Error"),
    ".vtt": Reference("pysubs2", "pysubs2", by_pysubs2, "pysubs2.exceptions.Pysubs2Error"),
    ".xlsx": Reference("calamine", "python_calamine", by_calamine, "python_calamine.CalamineError"),
    ".xml": Reference("lxml", "lxml", by_lxml, "lxml.etree.LxmlError"),
}
"""By suffix."""
