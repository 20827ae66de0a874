"""HTML, by Lexbor through selectolax: the title and the visible text, block by block."""

from __future__ import annotations

import codecs
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import IO, TYPE_CHECKING

from opendpr.corpus.anchors import ANCHORED, HEADING_LEVELS, anchor_of
from opendpr.corpus.elements import OrderedList, is_note, is_numerator, mathml, ruby, shown, whole_number, written_as
from opendpr.corpus.encodings import Decoded, decoded
from opendpr.corpus.extract import BlockText, Extract, NotReadError, section_metadata, storable, visible
from opendpr.corpus.front_matter import front_matter, titled
from opendpr.corpus.hidden import UNSEEN_TAGS, hidden_elements, script_elements, style_sheet
from opendpr.corpus.menus import menu_elements
from opendpr.corpus.running_lines import MENU_LINES, left_out
from opendpr.corpus.source import TEXT_BYTES, TOO_LONG
from opendpr.corpus.spanned_cells import VALUE_CHARACTERS, SpannedCells
from opendpr.corpus.unicode_forms import is_binary, unicode_form

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
"""The charsets of web pages, as Python calls them. UTF-16 is not told by them, as the standard has it."""
WESTERN_CHARSETS = ("iso8859-1", "ascii")
"""What pages call Windows-1252, according to the same standard."""

PREFORMATTED = frozenset(("pre", "textarea", "listing"))
BLOCK_SEPARATORS = {
    "\n\n": "address article aside blockquote body center details dialog dir div dl fieldset figcaption figure footer "
    "form h1 h2 h3 h4 h5 h6 header hgroup hr listing main menu nav ol p pre section summary table textarea ul",
    "\n": "caption dd dt legend li optgroup option tbody tfoot thead tr",
    "\t": "td th",
    " ": "button desc object select text title",
}
SEPARATOR_OF_TAG = {tag: separator for separator, tags in BLOCK_SEPARATORS.items() for tag in tags.split()}
"""What separates a block from its neighbours. Other elements are part of a line."""
LIST_TAGS = frozenset(("ol", "ul", "menu", "dir", "nav"))
"""Where list items belong; those of a navigation have no numbers."""
WHOLE_TAGS = frozenset(("sup", "sub", "ruby", "math", "img", "input"))
"""Elements that `PageText` adds as a whole."""
LAYOUT_ELEMENTS = "table, pre, textarea, dl, h1, h2, h3, h4, h5, h6"
"""What a cell with a single value does not hold."""
TABLE_TAGS = frozenset(("table", "tr", "td", "th"))
IN_LINE_TAGS = frozenset(("a", "span", "small", "font", "em", "i", "b", "strong"))
"""Elements that a style sheet may raise or lower."""
NO_SCRIPTS: Mapping[int, str] = MappingProxyType({})
SCRIPT_CHARACTERS = 60
"""A longer superscript is text in small print."""


def parse_html(file: IO[bytes]) -> Extract:
    """The title of the page and its text without menus; `left_out` in the metadata counts their lines."""
    return _described(_page(file), menus=False)


def parse_whole_html(file: IO[bytes]) -> Extract:
    """The title of the page and its text, menus too."""
    return _described(_page(file), menus=True)


def _described(page: Decoded, *, menus: bool) -> Extract:
    """A page, which has front matter where a program makes the pages of a site of such."""
    values, start = front_matter(page.text)
    named, values = titled(values)
    read = extract(page.text[start:], menus=menus)
    metadata = {**page.metadata(), **values, **read.metadata}
    return replace(read, title=visible(storable(named)) or read.title, metadata=metadata)


def _page(file: IO[bytes]) -> Decoded:
    data = file.read(TEXT_BYTES + 1)
    if len(data) > TEXT_BYTES:
        raise NotReadError(TOO_LONG)
    return decode(data)


def decode(data: bytes) -> Decoded:
    """The page as text: in the charset of its byte order mark, `<meta>` or XML declaration, in UTF-8 or Windows-1252.

    Raises:
        NotReadError: nothing tells the charset, and it is neither.
    """
    mark, encoding = unicode_form(data)
    if encoding == "utf-8" and not mark and (match := CHARSET.search(data[:META_BYTES])):
        try:
            name = codecs.lookup((match[1] or match[2]).decode("ascii", "replace")).name
        except (LookupError, ValueError):
            name = ""
        if name in WESTERN_CHARSETS:
            name = "cp1252"
        if name != "utf-8" and CHARSETS.fullmatch(name):
            return Decoded(data.decode(name, "replace"))  # as browsers do
    elif is_binary(data[:META_BYTES]):
        raise NotReadError("binary file")
    return decoded(data)


def extract(page: str, *, menus: bool = False, linked: str = "") -> Extract:
    """The title and the text of a page; without its menus, unless they are wanted or there is nothing else.

    Args:
        linked: style sheets that lie beside the page, as in a book
    """
    from selectolax.lexbor import LexborHTMLParser

    tree = LexborHTMLParser(page)
    heading = tree.head.css_first("title") if tree.head is not None else None
    title = " ".join(heading.text().split()) if heading is not None else ""
    if tree.body is None:
        return Extract(title, "")
    sheet = linked + style_sheet(tree, page)
    hidden, scripts = hidden_elements(tree, sheet), script_elements(tree, sheet)
    left = [] if menus else menu_elements(tree)
    text = block_text(tree.body, hidden | {node.mem_id for node in left}, scripts)
    lines = Counter(line for node in left for line in block_text(node, hidden).text().split("\n") if line.strip())
    if left and _only_headings(text):
        text, lines = block_text(tree.body, hidden, scripts), Counter()
    content = text.text()
    metadata = section_metadata(text.sections, content) | (left_out(lines, MENU_LINES) if lines else {})
    return Extract(visible(title), visible(content), metadata)


def block_text(root: LexborNode, hidden: set[int], scripts: Mapping[int, str] = NO_SCRIPTS) -> BlockText:
    """The text of an element without those in it that are hidden; `scripts` are raised or lowered by a style sheet."""
    reading = PageText(hidden, scripts)
    walk(root, reading)
    return reading.text


def _only_headings(text: BlockText) -> bool:
    """Whether a page has no text but its headings."""
    letters = sum(map(str.isalnum, text.text()))
    return letters <= sum(map(str.isalnum, "".join(section.heading for section in text.sections)))


class PageText:
    """Turns the elements of a page into text, as they are entered and left."""

    def __init__(self, hidden: set[int], scripts: Mapping[int, str]) -> None:
        self.text = BlockText()
        self._hidden, self._scripts = hidden, scripts
        self._preformatted = 0
        self._lists: list[OrderedList | None] = []
        self._tables: list[SpannedCells] = []
        self._cells: list[int] = []
        """For each open cell of a table how many pieces of text there are before it."""

    def enter(self, node: LexborNode) -> bool:
        """Add what comes before the content of an element; returns whether its content is to be read too."""
        tag = node.tag or ""
        if tag == "-text":
            if content := node.text_content:
                self.text.add(content) if self._preformatted else self.text.add_collapsed(content)
            return False
        if tag in UNSEEN_TAGS or node.mem_id in self._hidden:
            return False
        form = self._scripts.get(node.mem_id, "") if tag in IN_LINE_TAGS else ""
        if (form := form or written_as(node)) in WHOLE_TAGS:
            self._add_whole(form, node)
            return False
        self._preformatted += tag in PREFORMATTED
        if tag in TABLE_TAGS:
            self._enter_table(tag, node)
        self.text.separate(SEPARATOR_OF_TAG.get(tag, ""))
        if tag in HEADING_LEVELS:
            self.text.begin_heading(HEADING_LEVELS[tag], anchor_of(node))
        elif tag in ANCHORED and (anchor := node.attributes.get("id")):
            self.text.add_anchor(anchor)
        if tag in LIST_TAGS:
            self._lists.append(OrderedList(node) if tag == "ol" else None)
        elif tag == "li" and self._lists and (numbering := self._lists[-1]):
            if number := numbering.next(node):
                self.text.add(number)
                self.text.separate(" ")
        elif tag == "br":
            self.text.break_line()
        elif tag == "q":
            self.text.add("\u201c")
        return True

    def leave(self, node: LexborNode) -> None:
        """Add what comes after the content of an element that was read."""
        tag = node.tag or ""
        self._preformatted -= tag in PREFORMATTED
        if tag in HEADING_LEVELS:
            self.text.end_heading()
        elif tag in LIST_TAGS:
            self._lists.pop()
        elif tag == "table":
            self._tables.pop()
        elif tag == "tr" and self._tables:
            self._add_spanned(self._tables[-1])
            self.text.end_row()
        elif tag in ("td", "th") and self._tables:
            self._end_cell(node, self._cells.pop())
        elif tag == "q":
            self.text.add("\u201d")
        self.text.separate(SEPARATOR_OF_TAG.get(tag, ""))

    def _enter_table(self, tag: str, node: LexborNode) -> None:
        """Begin a table, a row or a cell; before a cell stand the values that span into its row."""
        if tag == "table":
            self._tables.append(SpannedCells())
        elif self._tables and tag == "tr":
            self._tables[-1].begin_row()
            self.text.begin_row()
        elif self._tables:
            self._add_spanned(self._tables[-1])
            self.text.begin_cell(one_line=_is_value(node))
            self._cells.append(self.text.piece_count())

    def _end_cell(self, node: LexborNode, pieces: int) -> None:
        """Note what a cell that spans several rows says: the text that was added since it began."""
        rows, columns = (whole_number(node.attributes.get(name), 1) for name in ("rowspan", "colspan"))
        if rows != 1 and node.css_first("table") is not None:
            rows = 1  # a table in it has ended its row
        self._tables[-1].add_cell(self.text.since(pieces) if rows != 1 else "", rows, columns)

    def _add_spanned(self, table: SpannedCells) -> None:
        for value in table.before_cell():
            self.text.separate("\t")
            self.text.begin_cell()
            if value:
                self.text.add(value)
            self.text.separate("\t")

    def _add_whole(self, tag: str, node: LexborNode) -> None:
        """Add an element whose content is read as a whole."""
        if tag in ("sup", "sub"):
            content = " ".join(node.text().split())
            if not content or len(content) > SCRIPT_CHARACTERS:
                self.text.add_collapsed(f" {content} ")
            elif tag == "sup" and is_numerator(node):
                self.text.add_beside_number(content)
            elif tag == "sup":
                self.text.end_script()
                self.text.add_raised(content, note=is_note(node))
            else:
                self.text.add_lowered(content)
        elif tag == "ruby":
            self.text.add_collapsed(ruby(node))
        elif tag == "math":
            self.text.add_collapsed(mathml(node))
        elif content := shown(tag, node.attributes):
            self.text.add_collapsed(f" {content} ")


def _is_value(cell: LexborNode) -> bool:
    """Whether a cell is one of several in its row and short: its lines are one value, not a layout of texts."""
    first = cell.first_child
    if first is None or (first.tag == "-text" and first.next is None):
        return False  # which has no lines: most cells
    beside = (_neighbour(cell.next, forward=True), _neighbour(cell.prev, forward=False))
    if not any(beside) or cell.css_first(LAYOUT_ELEMENTS) is not None:
        return False
    return len(cell.text()) <= VALUE_CHARACTERS


def _neighbour(node: LexborNode | None, *, forward: bool) -> bool:
    """Whether a cell comes next in the row, or before."""
    while node is not None and node.tag not in ("td", "th"):
        node = node.next if forward else node.prev
    return node is not None


def walk(root: LexborNode, text: PageText) -> None:
    """Enter and leave each node below `root`, without recursion: pages may be nested at will."""
    node, depth = root, 0
    while True:
        entered = text.enter(node)
        if entered and (child := node.first_child) is not None:
            node, depth = child, depth + 1
            continue
        while True:
            if entered:
                text.leave(node)
            if depth == 0:
                return
            if (following := node.next) is not None:
                node = following
                break
            node, depth, entered = node.parent, depth - 1, True  # type: ignore[assignment, unused-ignore]
