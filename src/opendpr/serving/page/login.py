"""The page where a browser gives the token of a service that has one."""

from __future__ import annotations

from opendpr.serving.rendering import render

TOKEN_COOKIE = "opendpr_token"
"""Holds the token that a browser gave."""
PAGE_PATHS = ("/", "/documents", "/document", "/improvements", "/docs")
"""Paths that a browser shows, with the token in the cookie."""
FORM_PATHS = (
    *("/documents", "/documents/remove", "/judgements", "/judgements/remove"),
    *("/improvements", "/improvements/apply", "/improvements/undo"),
)
"""Paths that forms of the pages are sent to, with the token in the cookie, by pages of this site alone."""


def login_page(target: str, *, wrong: bool = False) -> str:
    """A form for the token; after it the browser is sent to `target`, a path of this site."""
    return render("login.html.jinja", target=target, wrong=wrong)
