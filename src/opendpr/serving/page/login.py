"""The page where a browser gives the token of a service that has one."""

from __future__ import annotations

from opendpr.serving.rendering import render

TOKEN_COOKIE = "opendpr_token"
"""Holds the token that a browser gave."""


def login_page(target: str, *, wrong: bool = False) -> str:
    """A form for the token; after it the browser is sent to `target`, a path of this site."""
    return render("login.html.jinja", target=target, wrong=wrong)
