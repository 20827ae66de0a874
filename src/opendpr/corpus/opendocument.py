"""OpenDocument texts, presentations and tables: .odt, .odp, .ods, a zip file of XML (ISO/IEC 26300)."""

from __future__ import annotations

import posixpath
from typing import IO

from opendpr.corpus.archive import Archive
from opendpr.corpus.extract import BlockText, Extract, NotReadError, section_metadata, storable, visible
from opendpr.corpus.office import core_title
from opendpr.corpus.opendocument_content import ContentReader
from opendpr.corpus.opendocument_formula import MathElements
from opendpr.corpus.opendocument_styles import TextStyles


def parse_opendocument(file: IO[bytes]) -> Extract:
    """The title in the properties; paragraphs and headings, tables a row a line, notes where their marks are."""
    archive = Archive(file)
    if "META-INF/manifest.xml" in archive and b"encryption-data" in b"".join(archive.chunks("META-INF/manifest.xml")):
        raise NotReadError("an encrypted document; save a copy without password")
    styles = TextStyles()
    if "styles.xml" in archive:
        archive.parse("styles.xml", styles.start)

    def formula(link: str) -> str:
        """The formula in the part that a link names; nothing if it is something else."""
        name, reading = posixpath.join(posixpath.normpath(link), "content.xml"), MathElements()
        if name in archive:
            archive.parse(name, reading.start, reading.end, reading.data)
        return reading.written

    text = BlockText()
    content = ContentReader(text, styles, formula)
    archive.parse("content.xml", content.start, content.end, content.data)
    written = storable(text.text())
    return Extract(core_title(archive, "meta.xml"), visible(written), section_metadata(text.sections, written))
