"""SVG elements out of Python values: everything that is not markup already is escaped."""

from __future__ import annotations

from markupsafe import Markup, escape


def element(tag: str, /, *content: object, **attributes: object) -> Markup:
    """An element. Content is escaped unless it is `Markup`; None and attributes that are None are left out.

    Lists are written item after item. An attribute is written with `-` for `_` in its name, without `_` at the end.
    """
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    return Markup(f"<{tag}{written}>{_joined(content)}</{tag}>")


def _joined(content: object) -> str:
    if isinstance(content, list | tuple):
        return "".join(map(_joined, content))
    return "" if content is None else str(escape(content))
