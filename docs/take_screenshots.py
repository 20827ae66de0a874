"""Take the pictures of `docs/serving.md` and `docs/improving.md` in Chromium: of this documentation and a register.

python docs/take_screenshots.py          all of them
python docs/take_screenshots.py improve  those of the register alone
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode

from selenium import webdriver
from selenium.webdriver.support.ui import WebDriverWait

import opendpr
from opendpr.improving.judging import add_files

DOCS = Path(__file__).parent
PICTURES = DOCS / "pictures"
QUESTION = "What is the limit of a body?"
STATES: Mapping[str, tuple[str, Mapping[str, object], int, str]] = {
    "answer": ("/", {"q": QUESTION}, 900, "light"),
    "documents": ("/documents", {}, 900, "light"),
    "find": ("/document", {"id": "serving.md", "find": "token", "at": 4}, 900, "dark"),
    "phone": ("/", {"q": QUESTION}, 390, "dark"),
}
"""For each picture of the documentation the path, the query, the width in pixels and the colour scheme."""
SHIPS = (
    *("Aurora", "Bergliot", "Cormorant", "Dagny", "Eider", "Freya", "Gannet", "Halcyon", "Ingeborg", "Juno", "Kestrel"),
    *("Laurel", "Merlin", "Nereid", "Osprey", "Petrel", "Quadra", "Ragna", "Sigrid", "Tern", "Undine", "Valborg"),
    *("Wren", "Ylva", "Zephyr", "Albatross", "Brisling", "Curlew", "Dunlin", "Egret", "Fulmar", "Grebe", "Heron"),
    *("Isbjorn", "Jackdaw", "Kittiwake", "Lapwing", "Mallard", "Nutcracker", "Ouzel"),
)
BUILDERS = ("Marta Lindqvist", "Nils Berg", "Olav Dahl", "Ingrid Falk", "Edith Holm")
SHIP_QUESTION = "Who built the Kestrel?"
TIMEOUT_SECONDS = 1_800
"""For a page to show what it is to show."""
SELECT = """
const walker = document.createTreeWalker(document.querySelector('#results'), NodeFilter.SHOW_TEXT);
for (let node = walker.nextNode(); node; node = walker.nextNode()) {
  const at = node.data.indexOf(arguments[0]);
  if (at < 0 || !node.parentElement.closest('.form')) continue;
  getSelection().setBaseAndExtent(node, at, node, at + arguments[0].length);
  return;
}
throw new Error('these words are in no passage');
"""
"""Selects words of a passage, as a person does with the mouse."""


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
def chromium() -> Iterator[webdriver.Chrome]:
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


def look(browser: webdriver.Chrome, width: int, scheme: str) -> None:
    """Show pages in a window of that width in pixels, with that colour scheme."""
    size = {"width": width, "height": 720, "deviceScaleFactor": 1, "mobile": width < 600}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})


def save(browser: webdriver.Chrome, name: str) -> None:
    """Write what is shown as a picture."""
    browser.save_screenshot(str(PICTURES / f"{name}.png"))


def press(browser: webdriver.Chrome, label: str) -> None:
    """Press the button with that label."""
    browser.find_element("xpath", f"//button[normalize-space()='{label}']").click()


def wait_for(browser: webdriver.Chrome, words: str) -> None:
    """Wait until the page shows some words."""
    script = "return document.querySelector('main')?.innerText.includes(arguments[0])"
    WebDriverWait(browser, TIMEOUT_SECONDS).until(lambda shown: shown.execute_script(script, words))


def make_register(directory: Path) -> None:
    """A register of ships, with a judged question about each but the one that is asked for the picture."""
    texts = {
        name: f"The {name} was built by {BUILDERS[number % 5]} in {1871 + number}. She is {90 + 3 * number} feet long."
        for number, name in enumerate(SHIPS)
    }
    documents = [opendpr.Document(f"{name.lower()}.txt", f"The {name}", text) for name, text in texts.items()]
    opendpr.add(directory, documents)
    records = [
        {"question": f"Who built the {name}?", "answers": [BUILDERS[number % 5]], "document_id": f"{name.lower()}.txt"}
        for number, name in enumerate(SHIPS)
    ]
    path = directory.with_name("judged.jsonl")
    path.write_text("".join(json.dumps(record) + "\n" for record in records if record["question"] != SHIP_QUESTION))
    add_files(directory, [path])


def take_documentation(url: str, browser: webdriver.Chrome) -> None:
    """The pictures of a question, the documents and a document."""
    for name, (path, query, width, scheme) in STATES.items():
        look(browser, width, scheme)
        browser.get(f"{url}{path}?{urlencode(query)}{'#place' if 'find' in query else ''}")
        save(browser, name)


def take_judging(url: str, browser: webdriver.Chrome) -> None:
    """The picture of the buttons below an answer, with words selected in its passage."""
    look(browser, 900, "light")
    browser.get(f"{url}/?{urlencode({'q': SHIP_QUESTION})}")
    browser.execute_script(SELECT, "Marta Lindqvist")
    wait_for(browser, "These words answer it")
    save(browser, "judging")
    browser.execute_script("getSelection().removeAllRanges()")
    press(browser, "Right")
    wait_for(browser, "Kept as right.")


def take_improving(url: str, browser: webdriver.Chrome) -> None:
    """The pictures of an improvement, which is made at the page."""
    look(browser, 900, "light")
    browser.get(f"{url}/improvements")
    press(browser, "Make a better model")
    wait_for(browser, "The improvement is done.")
    for name, width, scheme in (("improve", 900, "light"), ("improve-phone", 390, "dark")):
        look(browser, width, scheme)
        browser.get(f"{url}/improvements")
        save(browser, name)


def main(names: list[str]) -> None:
    """Write the pictures of the documentation, unless others are named, and those of the register."""
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, chromium() as browser:
        if "improve" not in names:
            collection = Path(folder) / "docs"
            opendpr.add(collection, DOCS)
            with service(collection) as url:
                take_documentation(url, browser)
        register = Path(folder) / "register"
        make_register(register)
        with service(register) as url:
            take_judging(url, browser)
            take_improving(url, browser)


if __name__ == "__main__":
    main(sys.argv[1:])
