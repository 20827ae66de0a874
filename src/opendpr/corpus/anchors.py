"""What a link to a place in an HTML page names: the anchors of headings and of entries of definition lists."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from selectolax.lexbor import LexborNode

HEADING_LEVELS = {f"h{level}": level for level in range(1, 7)}
ANCHORED = frozenset(("dt",))
"""Other elements whose own anchors are kept: names of functions, options and the like."""
SECTION_LEVELS = 3
"""Elements above a heading that may hold its anchor, if the heading comes first in them."""


def anchor_of(heading: LexborNode) -> str:
    """The anchor of a heading: its own, or that of a mark in it or before it, or of the section that it begins."""
    if own := heading.attributes.get("id"):
        return own
    if (mark := heading.css_first("[id], a[name]")) is not None:
        return mark.attributes.get("id") or mark.attributes.get("name") or ""
    node = heading
    for _ in range(SECTION_LEVELS):
        before = _element_before(node)
        if before is not None:
            return (before.attributes.get("id") or before.attributes.get("name") or "") if _is_empty(before) else ""
        if node.parent is None or node.parent.tag == "body":
            return ""
        node = node.parent
        if own := node.attributes.get("id"):
            return own
    return ""


def _element_before(node: LexborNode) -> LexborNode | None:
    """The element right before one in its parent."""
    before = node.prev
    while before is not None and before.tag == "-text" and not (before.text_content or "").strip():
        before = before.prev
    return before


def _is_empty(node: LexborNode) -> bool:
    """Whether an element only marks a place."""
    return node.tag in ("a", "span") and not node.text().strip()
