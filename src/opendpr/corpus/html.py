"""HTML, by Lexbor through selectolax: the title and the visible text, block by block."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from typing import IO, TYPE_CHECKING

from opendpr.corpus.extract import BlockText, Extract, NotReadError
from opendpr.corpus.source import TEXT_BYTES, TOO_LONG, byte_order_mark, not_valid

if TYPE_CHECKING:
    from selectolax.lexbor import LexborNode

META_BYTES = 4_096
"""How far into a file its charset is looked for."""
CHARSET = re.compile(
    rb"""<meta[^>]{0,500}?charset\s*=\s*["']?\s*([\w.:-]{1,40})|^\s*<\?xml[^>]*encoding=["']([\w.-]{1,40})""", re.I
)
CHARSETS = re.compile(
    r"utf-8|iso8859-\d+|cp\d+|koi8-[ru]|gbk|gb18030|gb2312|big5\w*|euc_\w+|shift_jis\w*|iso2022_(jp|kr)|mac-\w+"
)
"""The charsets of web pages, as Python calls them. UTF-16 is told by its mark alone, as the standard has it."""
WESTERN = ("iso8859-1", "ascii")
"""What pages call Windows-1252, according to the same standard."""

DROPPED = frozenset(["head", "iframe", "noembed", "noframes", "noscript", "script", "style", "template"])
PREFORMATTED = frozenset(("pre", "textarea", "listing"))
SEPARATORS = {
    "\n\n": "address article aside blockquote body center details dialog dir div dl fieldset figcaption figure footer "
    "form h1 h2 h3 h4 h5 h6 header hgroup hr listing main menu nav ol p pre section summary table textarea ul",
    "\n": "caption dd dt legend li optgroup option tbody tfoot thead tr",
    "\t": "td th",
}
SEPARATOR = {tag: separator for separator, tags in SEPARATORS.items() for tag in tags.split()}
"""What stands between a block and its neighbours. Other elements are part of a line."""


def parse_html(file: IO[bytes]) -> Extract:
    """The title of the page and its text."""
    data = file.read(TEXT_BYTES + 1)
    if len(data) > TEXT_BYTES:
        raise NotReadError(TOO_LONG)
    return extract(decode(data))


def decode(data: bytes) -> str:
    """The page as text. Its charset is told by a byte order mark, a `<meta>`, an XML declaration, or is UTF-8.

    Raises:
        NotReadError: nothing tells the charset, and it is not UTF-8.
    """
    mark, encoding = byte_order_mark(data)
    body = data[len(mark) :]
    if not mark and (match := CHARSET.search(data[:META_BYTES])):
        try:
            name = codecs.lookup((match[1] or match[2]).decode("ascii", "replace")).name
        except (LookupError, ValueError):
            name = ""
        if name in WESTERN:
            name = "cp1252"
        if name != "utf-8" and CHARSETS.fullmatch(name):
            return body.decode(name, "replace")  # as browsers do
    elif not mark and b"\0" in data[:META_BYTES]:
        raise NotReadError("binary file")
    try:
        return body.decode(encoding)
    except UnicodeDecodeError as error:
        raise NotReadError(not_valid(error, len(mark))) from None


def extract(page: str) -> Extract:
    """The title and the text of a page."""
    from selectolax.lexbor import LexborHTMLParser

    tree = LexborHTMLParser(page)
    found = tree.head.css_first("title") if tree.head is not None else None
    title = " ".join(found.text().split()) if found is not None else ""
    text = BlockText()
    if tree.body is not None:
        preformatted = 0
        for node, entered in walk(tree.body):
            tag = node.tag or ""
            if tag == "-text":
                if entered and (content := node.text_content):
                    text.add(content) if preformatted else text.add_collapsed(content)
            elif tag == "br":
                if entered:
                    text.break_line()
            else:
                preformatted += (1 if entered else -1) * (tag in PREFORMATTED)
                text.separate(SEPARATOR.get(tag, ""))
    return Extract(title, text.text())


def walk(root: LexborNode) -> Iterator[tuple[LexborNode, bool]]:
    """Each node when it is entered (True) and left (False), without recursion: pages may be nested at will."""
    node = root
    depth = 0
    while True:
        yield node, True
        if (child := node.first_child if node.tag not in DROPPED else None) is not None:
            node, depth = child, depth + 1
            continue
        while True:
            yield node, False
            if depth == 0:
                return
            if (following := node.next) is not None:
                node = following
                break
            node, depth = node.parent, depth - 1  # type: ignore[assignment, unused-ignore]
