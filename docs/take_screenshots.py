"""Take the pictures of `docs/serving.md`: this documentation, asked and read in Chromium.

python docs/take_screenshots.py
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from selenium import webdriver

import opendpr

DOCS = Path(__file__).parent
PICTURES = DOCS / "pictures"
QUESTION = "What is the limit of a body?"
STATES: Mapping[str, tuple[str, Mapping[str, object], int, str]] = {
    "answer": ("/", {"q": QUESTION}, 900, "light"),
    "documents": ("/documents", {}, 900, "light"),
    "find": ("/document", {"id": "serving.md", "find": "token", "at": 4}, 900, "dark"),
    "phone": ("/", {"q": QUESTION}, 390, "dark"),
}
"""For each picture the path, the query, the width in pixels and the colour scheme."""


@contextmanager
def service(collection: Path) -> Iterator[str]:
    """The address of a collection that is served."""
    command = [sys.executable, "-m", "opendpr", "serve", str(collection), "--port", "0", "--writable"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, encoding="utf-8") as process:
        assert process.stderr
        try:
            yield next(match[0] for line in process.stderr if (match := re.search(r"http://\S+", line)))
        finally:
            process.terminate()


@contextmanager
def chromium() -> Iterator[Any]:
    """A browser without a window."""
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or ""
    for flag in ("--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--disable-dev-shm-usage"):
        options.add_argument(flag)
    browser = webdriver.Chrome(options=options, service=webdriver.ChromeService(shutil.which("chromedriver")))
    try:
        yield browser
    finally:
        browser.quit()


def main() -> None:
    """Write each picture."""
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        collection = Path(folder) / "docs"
        opendpr.add(collection, DOCS)
        with service(collection) as url, chromium() as browser:
            for name, (path, query, width, scheme) in STATES.items():
                size = {"width": width, "height": 720, "deviceScaleFactor": 1, "mobile": width < 600}
                browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
                features = [{"name": "prefers-color-scheme", "value": scheme}]
                browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
                browser.get(f"{url}{path}?{urlencode(query)}{'#place' if 'find' in query else ''}")
                browser.save_screenshot(str(PICTURES / f"{name}.png"))


if __name__ == "__main__":
    main()
