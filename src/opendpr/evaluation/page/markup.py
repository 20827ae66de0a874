"""HTML and SVG out of Python values: whatever is not markup already is escaped, so foreign text stays text."""

from __future__ import annotations

from html import escape

VOID = frozenset({"br", "col", "input", "link", "meta"})
"""HTML elements that have no end tag."""


class Markup(str):
    """Text that is HTML or SVG, made by `element` or by a constant."""

    __slots__ = ()


def element(tag: str, /, *content: object, **attributes: object) -> Markup:
    """An element. Content is escaped unless it is `Markup`; None and attributes that are None or False are left out.

    An attribute is written with `-` for `_` in its name, without `_` at the end; True has no value.
    """
    written = "".join(
        f" {key.rstrip('_').replace('_', '-')}" + ("" if value is True else f'="{escape(str(value))}"')
        for key, value in attributes.items()
        if value is not None and value is not False
    )
    return Markup(f"<{tag}{written}>" if tag in VOID else f"<{tag}{written}>{joined(*content)}</{tag}>")


def joined(*content: object) -> Markup:
    """Content one after the other; lists and tuples are unfolded."""
    parts = []
    for one in content:
        if isinstance(one, Markup):
            parts.append(str(one))
        elif isinstance(one, list | tuple):
            parts.append(str(joined(*one)))
        elif one is not None:
            parts.append(escape(str(one)))
    return Markup("".join(parts))
