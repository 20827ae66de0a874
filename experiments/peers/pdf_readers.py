"""Words that readers of PDF find, and glue: `python -m experiments.peers.pdf_readers`.

Of each file the first eight pages are read: at most two manuals of each of the packages of Debian that are listed
below, fetched once into the folder of --work. The share of words that the vocabulary of BERT knows says how well they
were parted; glued words are those of 18 letters and more.
"""

from __future__ import annotations

import json
import logging
import re
import subprocess
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from experiments.common.command import Missing, command_line, parse, require
from experiments.common.report import Report
from experiments.common.tiny_files import write_pdf
from opendpr.model.directory import DEFAULT_MODEL, find_model

MANUALS = (
    "asymptote-doc",
    "bash-doc",
    "debian-policy",
    "debian-reference-en",
    "debmake-doc",
    "developers-reference",
    "gnuplot-doc",
    "maint-guide",
    "octave-doc",
    "r-doc-pdf",
    "valgrind",
    "zsh-doc",
)
"""Packages of Debian, under licences of free software."""
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


def fetch_manuals(folder: Path) -> None:
    """Download and unpack the packages that are not in the folder yet.

    Raises:
        Missing: this is no Debian.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name in (name for name in MANUALS if not (folder / name).exists()):
        try:
            subprocess.run(["apt-get", "download", "-qq", name], cwd=folder, check=True)
        except FileNotFoundError:
            raise Missing("the manuals are packages of Debian, which apt-get fetches") from None
        (packed,) = folder.glob(f"{name}_*.deb")
        subprocess.run(["dpkg-deb", "-x", packed.name, f"{name}.new"], cwd=folder, check=True)
        packed.unlink()
        (folder / f"{name}.new").rename(folder / name)


def manuals(folder: Path) -> Iterator[Path]:
    """The files that are read."""
    for package in sorted(path for path in folder.iterdir() if path.is_dir()):
        yield from sorted(path for path in package.rglob("*.pdf") if path.is_file())[:PACKAGE_FILES]


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
        (folder / "tiny").mkdir(parents=True, exist_ok=True)
        write_pdf(folder / "tiny" / "page.pdf")
    else:
        fetch_manuals(folder)
    report = Report(args)
    measure(report, list(manuals(folder)))
    report.write()


if __name__ == "__main__":
    main()
