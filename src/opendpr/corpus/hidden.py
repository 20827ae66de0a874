"""Elements of an HTML page that its reader does not see.

Left out are what the attribute `hidden`, a style or a simple rule of the page's own style sheet hides, a `<dialog>`
that is not open, and struck text (`<del>`, `<s>`), which no longer holds. Text with `aria-hidden` is seen, so it
stays; only KaTeX's second form of a formula goes.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from opendpr.corpus.elements import VERTICAL_ALIGN

if TYPE_CHECKING:
    from selectolax.lexbor import LexborHTMLParser

UNSEEN_TAGS = frozenset(
    [
        "audio",
        "canvas",
        "datalist",
        "del",
        "head",
        "iframe",
        "noembed",
        "noframes",
        "meter",
        "noscript",
        "progress",
        "script",
        "s",
        "strike",
        "style",
        "template",
        "video",
    ]
)
"""Elements without text that a reader sees."""
HIDING = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*(?:hidden|collapse)|transform\s*:\s*scale\(0\)"
    r"|(?:opacity|font-size)\s*:\s*0(?:\.0+)?(?:px|pt|r?em|%)?\s*(?:;|$|!)"
    r"|(?:left|right|top|text-indent)\s*:\s*-\d{3,}(?:\d(?:px|pt)|r?em|%)"  # off the screen
    r"|clip\s*:\s*rect\(\s*[01](?:px)?\b|clip-path\s*:\s*inset\((?:50|100)%"
    r"|text-decoration[\w-]*\s*:[^;]*line-through",
    re.I,
)
"""Styles of text that is not seen, or is struck through."""
TRANSPARENT = re.compile(r"(?<![\w-])color\s*:\s*(?:transparent|rgba\([^)]*,\s*0(?:\.0+)?\s*\))", re.I)
FILLED = re.compile(r"background-clip\s*:\s*text|text-(?:shadow|stroke)\s*:\s*(?!none|0\b)", re.I)
"""What shows transparent letters: colours behind them, cut to their form, their shadow or their outline."""
SHOWING = re.compile(r"display\s*:\s*(?!none)\w|visibility\s*:\s*visible", re.I)
EMPTY_BOX = re.compile(r"(?:^|[;\s])(?:max-)?(?:width|height)\s*:\s*0(?:px|pt|r?em|%)?\s*(?:;|$|!)", re.I)
CLIPPED = re.compile(r"overflow(?:-[xy])?\s*:\s*(?:hidden|clip)", re.I)
"""What reaches beyond an empty box is not seen if its style says so too."""
COMMENT = re.compile(r"/\*.*?\*/", re.S)
RULE = re.compile(r"([^{}]{1,500})\{([^{}]{0,5000})\}")
AT_RULE = re.compile(r"@([^{};]{0,500})\{((?:[^{}]{0,5000}\{[^{}]{0,5000}\}){0,1000}[^{}]{0,5000})\}")
"""Rules that count only for some media, as for print."""
SCREEN = re.compile(r"media\s+(?:only\s+)?(?:screen|all)|layer\b.*|supports\b.*", re.I)
"""What every reader at a screen meets."""
COMBINATOR = re.compile(r"\s*>\s*|\s+")
SIMPLE_SELECTOR = re.compile(r"(?:(?:[.#]?[\w-]{1,100}|[a-z]{1,20}[.#][\w-]{1,100})(?:\s*>\s*|\s+|$)){1,4}")
FOR_SCREEN_READERS = ".sr-only, .visually-hidden, .visuallyhidden, .screen-reader-text"
"""Classes by which style sheets that many pages share hide what is only read out."""
FOR_OTHER_SIZES = "d-none"
"""Bootstrap's class for what is hidden, unless another shows it at a wider screen (`d-md-block`)."""
WIDER_CLASS = re.compile(r"d-(?:sm|md|lg|xl|xxl)-(?!none)\w+")
CANDIDATES = (
    "[hidden], [popover], [style], dialog:not([open]), object[data], .katex-html, "
    f".{FOR_OTHER_SIZES}, {FOR_SCREEN_READERS}"
)
UNSEEN_CLASSES = frozenset(("katex-html", *FOR_SCREEN_READERS.replace(".", "").split(", ")))
HEADING_LINKS = ", ".join(f"{tag} a[href^='#']" for tag in ("h1", "h2", "h3", "h4", "h5", "h6", "dt", "caption"))
"""Links of headings to themselves: often a sign that is seen under the pointer alone, a pilcrow or a chain."""
STYLE_CHARACTERS = 200_000
"""How much of a style sheet is read."""


def style_sheet(tree: LexborHTMLParser, page: str) -> str:
    """The page's own style sheets."""
    if "<style" not in page and "<STYLE" not in page:
        return ""
    return "\n".join(style.text() or "" for style in tree.css("style"))


def script_elements(tree: LexborHTMLParser, sheet: str) -> dict[int, str]:
    """`sup` or `sub` for the `mem_id` of every element that a simple rule of a style sheet raises or lowers."""
    scripts = {}
    for selectors, body in _rules(sheet):
        if aligned := VERTICAL_ALIGN.search(body):
            for selector in _simple(selectors):
                scripts.update({node.mem_id: aligned[1].lower()[:3] for node in tree.css(selector)})
    return scripts


def hidden_elements(tree: LexborHTMLParser, sheet: str = "") -> set[int]:
    """The `mem_id` of every element that is hidden, apart from those that `UNSEEN_TAGS` names.

    Args:
        sheet: the style sheets of the page
    """
    hidden = set()
    for node in tree.css(CANDIDATES):
        attributes = node.attributes
        if (
            ("hidden" in attributes and (attributes["hidden"] or "").lower() != "until-found")
            or "popover" in attributes
            or is_hiding(attributes.get("style") or "")
            or (node.tag == "dialog" and "open" not in attributes)
            or (node.tag == "object" and attributes.get("data"))
            or _has_unseen_class((attributes.get("class") or "").split())
        ):
            hidden.add(node.mem_id)
    for link in tree.css(HEADING_LINKS):
        sign, parent = link.text(), link.parent
        if not any(map(str.isalnum, sign)) and parent and parent.text().strip() != sign.strip():
            hidden.add(link.mem_id)
    for selector in hiding_selectors(sheet):
        nodes = tree.css(selector)
        hidden.update(node.mem_id for node in nodes if not SHOWING.search(node.attributes.get("style") or ""))
    return hidden


def _has_unseen_class(classes: list[str]) -> bool:
    return not UNSEEN_CLASSES.isdisjoint(classes) or (
        FOR_OTHER_SIZES in classes and not any(map(WIDER_CLASS.fullmatch, classes))
    )


def _rules(sheet: str) -> list[tuple[str, str]]:
    """The selectors and the body of each rule that counts for all media, or for screens of any size."""
    plain = AT_RULE.sub(
        lambda rule: rule[2] if SCREEN.fullmatch(rule[1].strip()) else "", COMMENT.sub("", sheet[:STYLE_CHARACTERS])
    )
    return RULE.findall(plain)


def _simple(selectors: str) -> list[str]:
    return [name for name in map(str.strip, selectors.split(",")) if SIMPLE_SELECTOR.fullmatch(name)]


def hiding_selectors(sheet: str) -> list[str]:
    """Simple selectors whose elements a style sheet hides, if no other rule says how to show them."""
    hiding: set[str] = set()
    showing = ""
    for selectors, body in _rules(sheet):
        if is_hiding(body):
            hiding.update(_simple(selectors))
        elif "display" in body or "visibility" in body:
            showing += selectors + "\n"
    last = {name: re.escape(COMBINATOR.split(name)[-1]) for name in hiding}
    return sorted(name for name in hiding if not re.search(rf"{last[name]}(?![\w-])", showing))


def is_hiding(style: str) -> bool:
    """Whether a style hides what has it."""
    return bool(
        HIDING.search(style)
        or (EMPTY_BOX.search(style) and CLIPPED.search(style))
        or (TRANSPARENT.search(style) and not FILLED.search(style))
    )
