"""What every page has: head, bar, foot; and the files that belong to it."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.resources import files
from urllib.parse import urlencode

from opendpr.evaluation.page.markup import Markup, element

STATIC = {
    "style.css": "text/css; charset=utf-8",
    "page.js": "text/javascript; charset=utf-8",
    "icon.svg": "image/svg+xml",
}
"""Files a page refers to, with their types."""


@cache
def static_file(name: str) -> bytes:
    """One of them."""
    return files(__package__).joinpath(name).read_bytes()


def _versioned(name: str) -> str:
    """The address of a file, another one when it changes, since browsers keep what they have."""
    return f"/static/{name}?{hashlib.sha256(static_file(name)).hexdigest()[:8]}"


def frame(title: str, main: Markup, *, collection: str = "", wide: bool = False) -> str:
    """A whole page."""
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("title", title),
        element("link", rel="icon", href=_versioned("icon.svg")),
        element("link", rel="stylesheet", href=_versioned("style.css")),
        element("script", src=_versioned("page.js"), defer=True),
    )
    bar = element(
        "header",
        element("a", "opendpr", href="/", class_="brand"),
        element("span", collection, class_="collection", dir="auto") if collection else None,
        element("nav", element("a", "API", href="/docs"), aria_label="Site"),
        class_="bar",
    )
    skip = element("a", "To the content", href="#content", class_="skip")
    body = element("body", skip, bar, element("main", main, id="content", class_="wide" if wide else None))
    return f"<!DOCTYPE html>\n{element('html', head, body, lang='en')}\n"


def link(path: str, text: object, fragment: str = "", **query: object) -> Markup:
    """A link to a page of this site; whatever the values are, it leads nowhere else."""
    return element("a", text, href=address(path, fragment, **query), dir="auto")


def address(path: str, fragment: str = "", **query: object) -> str:
    """The address of a page of this site, without the values that are None or empty."""
    given = urlencode({key: value for key, value in query.items() if value not in (None, "")})
    return path + (f"?{given}" if given else "") + fragment


def alert(heading: str, text: str) -> Markup:
    """What went wrong, told plainly."""
    return element("div", element("h2", heading), element("p", text, dir="auto"), class_="card alert", role="alert")
