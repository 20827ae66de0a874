"""Menus of one HTML page: what it calls navigation, and lists of links in its header, its footer and beside its text.

They are found by what elements mean, not by their names or words. A block that holds text beside its links stays.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from selectolax.lexbor import LexborHTMLParser, LexborNode

NAVIGATION = "nav, [role=navigation], [role=menu], [role=menubar], [role=tablist]"
AROUND = "header, footer, aside, [role=banner], [role=contentinfo], [role=complementary]"
LINK_LISTS = "ul, ol, menu, table, div, p, section"
"""Blocks of an element around the content that may be nothing but links."""
LINK_SHARE = 0.7
"""Share of the letters of a block that must be those of links."""
LEAST_LINKS = 2


def menu_elements(tree: LexborHTMLParser) -> list[LexborNode]:
    """The outermost elements that are menus."""
    chosen: dict[int, LexborNode] = {node.mem_id: node for node in tree.css(NAVIGATION)}
    for around in tree.css(AROUND):
        for block in (around, *around.css(LINK_LISTS)):
            if block.mem_id not in chosen and _is_links(block):
                chosen[block.mem_id] = block
    return [node for node in chosen.values() if not _has_above(node, chosen)]


def _is_links(block: LexborNode) -> bool:
    """Whether a block has several links, next to no other text, and no heading."""
    links = block.css("a[href]")
    if len(links) < LEAST_LINKS or block.css_first("h1, h2, h3, h4, h5, h6") is not None:
        return False
    return sum(_letters(link) for link in links) >= LINK_SHARE * max(1, _letters(block))


def _letters(node: LexborNode) -> int:
    return sum(map(str.isalnum, node.text()))


def _has_above(node: LexborNode, chosen: dict[int, LexborNode]) -> bool:
    """Whether an element lies in another that was chosen."""
    above = node.parent
    while above is not None:
        if above.mem_id in chosen:
            return True
        above = above.parent
    return False
