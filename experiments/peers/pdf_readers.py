"""Words that readers of PDF find, and glue: `python -m experiments.peers.pdf_readers VOCABULARY FILE...`.

VOCABULARY is a model's `tokenizer.json`: the share of words that it knows says how well they were parted. The table of
docs/files.md is of at most two manuals of each of the packages asymptote-doc, bash-doc, debian-policy,
debian-reference-en, debmake-doc, developers-reference, gnuplot-doc, groff, maint-guide, octave-doc, r-doc-pdf,
valgrind, zsh-doc and some others of Debian 12 (`apt-get download PACKAGE`, `dpkg-deb -x`).
"""

from __future__ import annotations

import json
import logging
import re
import sys
from collections.abc import Callable
from pathlib import Path

import pypdfium2
from pdfminer.high_level import extract_text
from pypdf import PdfReader

FILE_PAGES = 8
"""Pages of each file that are read, from the first."""
GLUED_LETTERS = 18


def by_pypdf(path: Path) -> str:
    return "\n".join(page.extract_text() for page in PdfReader(path).pages[:FILE_PAGES])


def by_pdfminer(path: Path) -> str:
    return extract_text(path, maxpages=FILE_PAGES)


def by_pdfium(path: Path) -> str:
    document = pypdfium2.PdfDocument(path)
    return "\n".join(
        document[number].get_textpage().get_text_range() for number in range(min(FILE_PAGES, len(document)))
    )


READERS: dict[str, Callable[[Path], str]] = {"pypdf": by_pypdf, "pdfminer.six": by_pdfminer, "PDFium": by_pdfium}


def main() -> None:
    """Print a row of the table for each reader."""
    logging.disable()
    vocabulary, *files = map(Path, sys.argv[1:])
    vocabulary_words = {word for word in json.loads(vocabulary.read_text())["model"]["vocab"] if word.isalpha()}
    for name, read in READERS.items():
        words = [word for file in files for word in re.findall(r"[^\W\d_]+", read(file))]
        share = 100 * sum(word.lower() in vocabulary_words for word in words) / len(words)
        glued = sum(len(word) >= GLUED_LETTERS for word in words)
        print(f"| {name} | {len(words):,} | {share:.1f} % | {glued} |", flush=True)


if __name__ == "__main__":
    main()
