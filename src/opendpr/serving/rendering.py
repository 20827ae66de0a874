"""The pages' templates, by Jinja2: every value is escaped, and a name that is not given to a template is an error."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from opendpr.jinja2 import template_environment

if TYPE_CHECKING:
    from jinja2 import Environment


def render(template: str, *, collection: str = "", wide: bool = False, improves: bool = False, **values: object) -> str:
    """A whole page.

    Args:
        collection: name shown in the bar; empty where nobody is known to have access
        wide: for pages that show text or tables
        improves: whether the bar leads to the page on which a better model is made
        values: what the template shows
    """
    return _environment().get_template(template).render(collection=collection, wide=wide, improves=improves, **values)


def address(path: str, fragment: str = "", **query: object) -> str:
    """The address of a page of this site, without the values that are None or empty. It always stays on this site.

    >>> address("/documents", words="", filter=["a = 1", "b = 2"])
    '/documents?filter=a+%3D+1&filter=b+%3D+2'
    """
    encoded = urlencode({key: value for key, value in query.items() if value not in (None, "")}, doseq=True)
    return path + (f"?{encoded}" if encoded else "") + fragment


@cache
def static_address(name: str) -> str:
    """The address of a static file. It changes with the file, since browsers keep what they have."""
    content = files("opendpr.serving").joinpath("static", name).read_bytes()
    return f"/static/{name}?{hashlib.sha256(content).hexdigest()[:8]}"


@cache
def _environment() -> Environment:
    environment = template_environment("opendpr.serving")
    environment.globals.update(address=address, static_address=static_address)
    return environment
