"""What a browser is answered, and what an address asks for, without a web framework."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from opendpr.errors import UsageError
from opendpr.serving.page.login import PAGE_PATHS

Query = Mapping[str, str]


@dataclass(frozen=True)
class Page:
    """The answer to a browser."""

    body: bytes
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


def page_of(text: str, status: int = 200, headers: dict[str, str] | None = None) -> Page:
    """A page of that text."""
    return Page(text.encode("utf-8", "replace"), status, headers or {})


def sent_to(address: str) -> Page:
    """The answer to a form after which the browser shows another page."""
    return Page(b"", 303, {"Location": address})


def local_target(target: str) -> str:
    """A path of this site's pages; whatever else it is becomes the first page."""
    parts = urlsplit(target)
    is_page = not parts.scheme and not parts.netloc and parts.path in PAGE_PATHS
    return target if is_page and target.isascii() and target.isprintable() and not target.startswith("//") else "/"


def number_in(query: Query, name: str) -> int | None:
    """The number that an address has under a name; None if it has none.

    Raises:
        UsageError: it is not a number.
    """
    text = query.get(name, "")
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 12):
        raise UsageError(f"{name} must be a whole number, got {text[:20]!r}")
    return int(text)


def place_in(query: Query, first: str, last: str) -> tuple[int, int] | None:
    """The offsets that an address has under two names; None if they are no place; raises as `number_in`."""
    start, end = number_in(query, first), number_in(query, last)
    return (start, end) if start is not None and end is not None and start < end else None
