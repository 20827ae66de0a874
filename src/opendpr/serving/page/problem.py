"""The page of what went wrong."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

from opendpr.serving.rendering import render

PROBLEM_HEADINGS: Mapping[int, str] = {
    403: "That is not allowed",
    404: "There is nothing here",
    409: "That cannot be done now",
    413: "That is too large",
    422: "That cannot be done",
    429: "Please wait a moment",
    503: "Please try again in a moment",
}
"""What is said of a status; others have the name that HTTP gives them."""


def problem_page(status: int, detail: str, request_id: str, *, collection: str = "") -> str:
    """The whole page.

    Args:
        collection: its name, where it is known that the reader may see it
    """
    heading = PROBLEM_HEADINGS.get(status, HTTPStatus(status).phrase)
    return render("problem.html.jinja", collection=collection, heading=heading, detail=detail, request_id=request_id)
