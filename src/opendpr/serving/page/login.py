"""Where a browser gives the token of a service that has one."""

from __future__ import annotations

from opendpr.evaluation.page.markup import element, joined
from opendpr.serving.page.frame import alert, frame

COOKIE = "opendpr_token"
"""Holds the token that a browser gave."""


def login_page(target: str, *, wrong: bool = False) -> str:
    """A form for the token; after it the browser is sent to `target`, a path of this site."""
    form = element(
        "form",
        element("h1", "This collection needs a token"),
        element("p", "Whoever runs the service has it. This browser keeps it until it is closed.", class_="soft"),
        element("label", "Token", for_="token"),
        element(
            "div",
            element(
                "input",
                id="token",
                name="token",
                type="password",
                required=True,
                autocomplete="current-password",
                autofocus=True,
            ),
            element("button", "Open"),
            class_="box",
        ),
        element("input", type="hidden", name="next", value=target),
        method="post",
        action="/login",
        class_="ask",
    )
    return frame("Token needed · opendpr", joined(form, alert("Wrong token", "Try again.") if wrong else None))
