"""Words that readers of PDF find, and glue: `python -m experiments.peers.pdf_readers`.

Of each file the first eight pages are read: at most two manuals of each of the packages of Debian that are listed
below, fetched once into the folder of --work. The share of words that the vocabulary of BERT knows says how well they
were parted; glued words are those of 18 letters and more.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable, Sequence
from pathlib import Path

from experiments.common.command import command_line, parse, require
from experiments.common.report import Report
from experiments.common.tiny_files import write_pdf
from experiments.peers.packages import Package, fetch, files_of
from opendpr.model.directory import DEFAULT_MODEL, find_model

MANUALS = tuple(
    Package(name, "", licence, (".pdf",))
    for name, licence in {
        "asymptote-doc": "GPL-3.0 and LGPL-3.0",
        "bash-doc": "GFDL-1.3",
        "debian-policy": "GPL-2.0",
        "debian-reference-en": "GPL-2.0",
        "debmake-doc": "MIT",
        "developers-reference": "GPL-2.0",
        "gnuplot-doc": "gnuplot",
        "maint-guide": "GPL-2.0",
        "octave-doc": "GPL-3.0",
        "r-doc-pdf": "GPL-2.0",
        "valgrind": "GFDL-1.2",
        "zsh-doc": "MIT-like, that of Zsh",
    }.items()
)
"""Packages of Debian."""
PACKAGE_FILES = 2
FILE_PAGES = 8
"""Pages of each file that are read, from the first."""
GLUED_LETTERS = 18


def by_pypdf(path: Path) -> str:
    from pypdf import PdfReader

    return "\n".join(page.extract_text() for page in PdfReader(path).pages[:FILE_PAGES])


def by_pdfminer(path: Path) -> str:
    from pdfminer.high_level import extract_text

    return extract_text(path, maxpages=FILE_PAGES)


def by_pdfium(path: Path) -> str:
    import pypdfium2

    document = pypdfium2.PdfDocument(path)
    return "\n".join(
        document[number].get_textpage().get_text_range() for number in range(min(FILE_PAGES, len(document)))
    )


READERS: dict[str, Callable[[Path], str]] = {"pypdf": by_pypdf, "pdfminer.six": by_pdfminer, "PDFium": by_pdfium}


def measure(report: Report, files: Sequence[Path]) -> None:
    """Report the words of each reader."""
    tokenizer = json.loads(find_model(DEFAULT_MODEL).tokenizer_path.read_text(encoding="utf-8"))
    known = {word for word in tokenizer["model"]["vocab"] if word.isalpha()}
    report.add("files", len(files))
    for name, read in READERS.items():
        words = [word for file in files for word in re.findall(r"[^\W\d_]+", read(file))]
        share = 100 * sum(word.lower() in known for word in words) / len(words)
        glued = sum(len(word) >= GLUED_LETTERS for word in words)
        report.add(f"{name}/words", len(words))
        report.add(f"{name}/known", share, "%")
        report.add(f"{name}/glued", glued)
        print(f"{name:14} {len(words):8,} words, {share:.1f} % known, {glued} glued", flush=True)


def main(arguments: Sequence[str] | None = None) -> None:
    args = parse(command_line(__doc__, data=False, precision=None), arguments)
    for package in ("pypdf", "pdfminer"):
        require(package, "'opendpr[peers]'")
    logging.disable()
    folder = args.work / "manuals"
    if args.smoke:
        folder.mkdir(exist_ok=True)
        write_pdf(folder / "page.pdf")
    directories = [folder] if args.smoke else [fetch(package, folder) for package in MANUALS]
    report = Report(args)
    measure(report, [path for directory in directories for path in files_of([directory], ".pdf")[:PACKAGE_FILES]])
    report.write()


if __name__ == "__main__":
    main()
