"""Elements of an HTML page that are shown as other text than they hold: lists, notes, formulas, pictures, fields."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from opendpr.corpus.formula import ELEMENT_SHAPES, INVISIBLE, OTHER_NOTATIONS, shaped
from opendpr.corpus.numerals import counted

if TYPE_CHECKING:
    from selectolax.lexbor import LexborNode

NOTE_CLASS = re.compile(r"footnote|noteref|reference|citation", re.I)
LIST_STYLES = {"a": "lowerLetter", "A": "upperLetter", "i": "lowerRoman", "I": "upperRoman"}
NOTE_LINK = re.compile(r"#(?:_?fn|_?ftn|_?edn|(?:foot|end)?note|cite_note)", re.I)
NOTE_MARK = re.compile(r"\[?(?:\d{1,3}|[a-z*\u2020\u2021\u00a7]{1,2})\]?")
"""What a link to a note says, if it is only its mark."""
UNMARKED = re.compile(r"list-style(?:-type)?\s*:[^;]*none", re.I)
UNREAD_INPUTS = frozenset(("hidden", "password", "checkbox", "radio", "file", "image", "color", "range"))
"""Kinds of `<input>` whose value nobody reads on the page; that of others is text, or the name of a button."""
SCRIPT_CLASSES = {"sup": "sup", "super": "sup", "superscript": "sup", "sub": "sub", "subscript": "sub"}
"""What style sheets of books call the looks of a superscript and of a subscript."""
VERTICAL_ALIGN = re.compile(r"vertical-align\s*:\s*(super|sub)\b", re.I)
FORMULA_LEVELS = 50
"""Deepest formula that is read as one."""


class OrderedList:
    """The numbers of an ordered list, which a browser writes before its items."""

    def __init__(self, node: LexborNode) -> None:
        attributes = node.attributes
        self._style = LIST_STYLES.get(attributes.get("type") or "", "decimal")
        self._step = -1 if "reversed" in attributes else 1
        items = sum(child.tag == "li" for child in node.iter()) if self._step < 0 else 1
        self._next = whole_number(attributes.get("start"), items)
        self._unmarked = bool(UNMARKED.search(attributes.get("style") or ""))

    def next(self, item: LexborNode) -> str:
        """The number of the next item; nothing in a list whose style shows none."""
        number = whole_number(item.attributes.get("value"), self._next)
        self._next = number + self._step
        return "" if self._unmarked else f"{counted(number, self._style)}."


def whole_number(value: str | None, default: int) -> int:
    """The number that an attribute holds."""
    return int(value) if value and re.fullmatch(r"\s*-?\d{1,9}\s*", value, re.ASCII) else default


def written_as(node: LexborNode) -> str:
    """The tag that an element is written as: `sup` and `sub` also where a style or the role of a note says so."""
    tag, attributes = node.tag or "", node.attributes
    if attributes.get("role") == "img" and attributes.get("aria-label") and not node.text().strip():
        return "img"
    if tag not in ("a", "span"):
        return tag
    if _refers(attributes) or (tag == "a" and _leads_to_note(node)):
        return "sup"
    if named := SCRIPT_CLASSES.keys() & {*(attributes.get("class") or "").lower().split()}:
        return SCRIPT_CLASSES[min(named)]
    aligned = VERTICAL_ALIGN.search(attributes.get("style") or "")
    return {"super": "sup", "sub": "sub"}[aligned[1].lower()] if aligned else tag


def is_note(node: LexborNode) -> bool:
    """Whether a superscript is the mark of a note, as it leads somewhere or says so."""
    parent = node.parent
    return (
        node.tag == "a"
        or node.css_first("a") is not None
        or (parent is not None and parent.tag == "a")
        or _refers(node.attributes)
        or bool(NOTE_CLASS.search(node.attributes.get("class") or ""))
    )


def is_numerator(node: LexborNode) -> bool:
    """Whether a superscript is the upper part of a fraction, as in `<sup>1</sup>/<sub>2</sub>`."""
    stroke = node.next
    if stroke is None or stroke.tag != "-text" or (stroke.text_content or "").strip() not in ("/", "\u2044"):
        return False
    return stroke.next is not None and stroke.next.tag == "sub" and node.text().strip().isdigit()


def _refers(attributes: Mapping[str, str | None]) -> bool:
    """Whether an element calls itself the mark of a note, as a page or as a page of a book does."""
    return "doc-noteref" in (attributes.get("role") or "") or "noteref" in (attributes.get("epub:type") or "")


def _leads_to_note(node: LexborNode) -> bool:
    """Whether a link is the mark of a note on the same page."""
    target, named = node.attributes.get("href") or "", node.attributes.get("class") or ""
    leads = NOTE_LINK.match(target) or (target.startswith("#") and NOTE_CLASS.search(named))
    return bool(leads and NOTE_MARK.fullmatch(node.text().strip()))


def ruby(node: LexborNode) -> str:
    """The characters, and how they are read in parentheses: `東京(とうきょう)`."""
    base, reading = "", ""
    for child in node.iter(include_text=True):
        if child.tag in ("rt", "rtc"):
            reading += child.text()
        elif child.tag != "rp":
            base += child.text_content or "" if child.tag == "-text" else child.text()
    return f"{base.strip()}({reading.strip()})" if reading.strip() else base


def mathml(node: LexborNode, level: int = 0) -> str:
    """A formula on one line: `E=mc^2`."""
    if node.tag in OTHER_NOTATIONS:
        return ""
    if level > FORMULA_LEVELS or node.tag in ("mi", "mn", "mo", "mtext", "ms"):
        return INVISIBLE.sub("", " ".join(node.text().split()))
    parts = [mathml(child, level + 1) for child in node.iter()]
    if node.tag == "msqrt":
        parts = ["".join(parts)]
    return shaped(ELEMENT_SHAPES.get(node.tag or "", ""), parts)


def shown(tag: str, attributes: Mapping[str, str | None]) -> str:
    """What is seen of a picture that is not there, or of a field of a form."""
    if tag == "img":
        return attributes.get("alt") or (attributes.get("aria-label") or "" if "role" in attributes else "")
    kind = (attributes.get("type") or "").strip().lower()
    return attributes.get("value") or "" if kind not in UNREAD_INPUTS else ""
