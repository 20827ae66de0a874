"""Word documents, .docx: a zip file of XML (ECMA-376)."""

from __future__ import annotations

import posixpath
from typing import IO

from opendpr.corpus.archive import Archive
from opendpr.corpus.docx_body import Body
from opendpr.corpus.docx_numbering import Numbering
from opendpr.corpus.docx_styles import Styles
from opendpr.corpus.extract import BlockText, Extract, section_metadata, storable, visible
from opendpr.corpus.office import core_title, main_part


def parse_docx(file: IO[bytes]) -> Extract:
    """The title in the properties; paragraphs, tables a row a line, then footnotes and endnotes."""
    archive = Archive(file)
    main = main_part(archive, "word/document.xml")
    folder = posixpath.dirname(main)
    styles = Styles()
    numbering = Numbering(styles)
    if (name := posixpath.join(folder, "styles.xml")) in archive:
        archive.parse(name, styles.start)
    if (name := posixpath.join(folder, "numbering.xml")) in archive:
        archive.parse(name, numbering.start, numbering.end)
    text = BlockText()
    body = Body(text, numbering)
    archive.parse(main, body.start, body.end, body.data)
    for kind in ("footnote", "endnote"):
        if (name := posixpath.join(folder, f"{kind}s.xml")) in archive:
            notes = Body(text, numbering, marks=body.notes(kind))
            archive.parse(name, notes.start, notes.end, notes.data)
    written = storable(text.text())
    return Extract(core_title(archive), visible(written), section_metadata(text.sections, written))
