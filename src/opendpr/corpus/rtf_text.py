"""Turns the tokens of rich text into what a word processor shows: hidden and deleted text is left out, notes follow."""

from __future__ import annotations

import re
from dataclasses import replace

from opendpr.corpus.docx_formula import Formula
from opendpr.corpus.extract import BlockText
from opendpr.corpus.office import whole
from opendpr.corpus.rtf_groups import Group, Look
from opendpr.corpus.rtf_tables import TABLE_WORDS, RichTables
from opendpr.corpus.rtf_words import (
    BREAKS,
    CHARSET_PAGES,
    DOCUMENT_PAGES,
    NESTED_ROW_GROUP,
    NUMBER_GROUPS,
    RTF_CHARACTERS,
    SCRIPTS,
    SIGN_CHARACTERS,
    STARRED_TEXT,
    SYMBOL_CHARSET,
    TEXT_BOXES,
    TOGGLES,
    UNSEEN_GROUPS,
    code_page,
)
from opendpr.corpus.symbols import symbols

HEADING_LEVELS = 9
NOTE_MARK = re.compile(r"\A(\[\d+\]) +")


class RichText:
    """Reads token by token.

    Attributes:
        text: the text of the document so far
        page: the code page of the document
        ended: whether the group that is the document has ended
    """

    def __init__(self, page: str = "cp1252") -> None:
        self.text, self.page, self.ended = BlockText(), page, False
        self._out, self._tables = self.text, RichTables(self.text)
        self._notes: list[BlockText] = []
        self._marks = 0
        self._groups: list[Group] = []
        self._look = Look()
        self._fonts: dict[str, tuple[str, int]] = {}
        self._default_font = ""
        self._bytes = bytearray()
        self._skipped = self._high = 0
        self._level, self._in_heading, self._after_table = 0, False, False
        self._formula: Formula | None = None

    def take(self, match: re.Match[str]) -> None:
        """Read one token (`rtf_words.TOKEN`)."""
        if match["text"] or match["byte"]:
            raw = match["text"].encode("latin-1") if match["text"] else bytes.fromhex(match["byte"])
            self._bytes += raw[self._skipped :]
            self._skipped = max(0, self._skipped - len(raw))
        elif match["sign"] and self._skipped and match["sign"] != "*":
            self._skipped -= 1
        elif match["sign"] or match["brace"] or match["word"]:
            self._flush()
            self._skipped = 0
            if match["brace"] == "{":
                self._groups.append(Group(self._look))
            elif match["brace"]:
                self._end_group()
            elif match["sign"]:
                self._sign(match["sign"])
            else:
                self._word(match["word"], match["number"] or "")

    def finish(self) -> None:
        """Write what is left, and the notes."""
        self._flush()
        self._end_paragraph("\n\n")
        for note in self._notes:
            self.text.separate("\n\n")
            self.text.add(NOTE_MARK.sub(r"\1 ", note.text()))

    def _flush(self) -> None:
        """Write the bytes that came, in the code page of their font."""
        data, self._bytes = bytes(self._bytes), bytearray()
        if not data:
            return
        name, charset = self._fonts.get(self._look.font or self._default_font, ("", 1))
        if self._look.dropped == "fonttbl":
            self._fonts[self._look.font] = (data.decode("latin-1").partition(";")[0].strip() or name, charset)
        elif charset == SYMBOL_CHARSET:
            self._put(symbols(data.decode("latin-1"), name))
        else:
            self._put(symbols(data.decode(CHARSET_PAGES.get(charset) or self.page, "replace"), name))

    def _put(self, words: str) -> None:
        """Add text of the current look."""
        look, out = self._look, self._out
        if not words or look.dropped or look.unseen:
            return
        if self._formula is not None:
            self._formula.data(words)
            return
        if out is self.text:
            self._begin_place()
        if look.script and words.strip():
            add = out.add_raised if look.script == "super" else out.add_lowered
            add(words.strip())
            out.separate(" " if words[-1].isspace() else "")
        else:
            out.add(words)

    def _begin_place(self) -> None:
        """What comes next lies in a cell, is the first after a table, or a heading."""
        if self._in_table():
            self._tables.begin_cell()
            return
        if self._after_table:
            self._tables.end_table()
            self.text.separate("\n\n")
            self._after_table = False
        if self._level and not self._in_heading:
            self.text.begin_heading(self._level)
            self._in_heading = True

    def _end_body_paragraph(self) -> None:
        """A paragraph of the text, or of a cell, ends."""
        if self._out is self.text and not self._look.in_table:
            self._tables.leave_empty_row()
        self._end_paragraph(" " if self._in_table() else "\n\n")

    def _in_table(self) -> bool:
        return self._look.in_table or self._tables.in_row

    def _sign(self, sign: str) -> None:
        """A backslash and a sign; before a line end it ends a paragraph."""
        if sign == "*" and self._groups:
            self._groups[-1].starred = True
        elif sign in "\r\n":
            self._end_body_paragraph()
        else:
            self._put(SIGN_CHARACTERS.get(sign, ""))

    def _word(self, word: str, number: str) -> None:
        group = self._groups[-1] if self._groups else Group(self._look)
        if not group.name:
            group.name = word
            self._begin_group(group, word)
        elif word in UNSEEN_GROUPS:
            self._drop(word)
        if word == "u":
            self._unicode(int(number or 0) & 0xFFFF)
        elif word in RTF_CHARACTERS:
            character = RTF_CHARACTERS[word]
            self._put(" " if character in "\t\n" and self._in_table() and self._out is self.text else character)
        elif word == "par":
            self._end_body_paragraph()
        elif word in TABLE_WORDS and self._out is self.text and not self._look.dropped:
            self._tables.word(word, hidden=bool(self._look.unseen))
            self._after_table = self._after_table or word == "row"
        elif word in BREAKS and self._look.dropped in ("", NESTED_ROW_GROUP):
            self._out.separate(BREAKS[word])
        elif word == "chftn":
            self._mark()
        elif not self._set_look(word, number):
            self._set_document(word, number)

    def _begin_group(self, group: Group, word: str) -> None:
        """Note what a group is, by its first word."""
        if self._look.dropped == "upr" and word == "ud":
            self._look = replace(self._look, dropped="")
        elif word in UNSEEN_GROUPS or word == "upr" or (group.starred and word not in STARRED_TEXT):
            self._drop(word)
        elif self._look.dropped:
            return
        elif word == "footnote":
            self._notes.append(BlockText())
            self._divert(group, "note", self._notes[-1])
        elif word in NUMBER_GROUPS:
            self._divert(group, "number", BlockText())
        elif word in TEXT_BOXES:
            group.kind = "box"
            self._out.separate("\n\n")
        elif word == "moMath" or (self._formula is not None and word.startswith("m")):
            if word.endswith("Pr"):
                self._drop(word)
                return
            group.kind = "math"
            self._formula = self._formula or Formula()
            self._formula.start(word[1:])

    def _drop(self, word: str) -> None:
        """The rest of the group is no text."""
        self._look = replace(self._look, dropped=self._look.dropped or word)

    def _divert(self, group: Group, kind: str, out: BlockText) -> None:
        """The text of a group goes elsewhere."""
        group.kind, group.outer, self._out = kind, self._out, out
        self._look = replace(self._look, script="")

    def _end_group(self) -> None:
        if not self._groups:
            return
        group, inner = self._groups.pop(), self._out
        self._out, self._look = group.outer or self._out, group.look
        if group.kind == "number":
            label = " ".join(inner.text().split())
            if any(map(str.isalnum, label)) and label != "o":  # a bullet of typewriters
                self._put(label)
                self._out.separate(" ")
        elif group.kind == "box":
            self._out.separate("\n\n")
        elif group.kind == "math" and self._formula is not None:
            written = self._formula.end(group.name[1:])
            if written is not None:
                self._formula = None
                self._put(written)
        self.ended = not self._groups

    def _unicode(self, code: int) -> None:
        """A character, or half of one: characters beyond the first 65,536 are written as two."""
        self._skipped = self._look.fallback
        if 0xD800 <= code < 0xDC00:
            self._high = code
        elif 0xDC00 <= code < 0xE000 and self._high:
            self._put(chr(0x10000 + ((self._high - 0xD800) << 10) + code - 0xDC00))
            self._high = 0
        else:
            self._put(symbols(chr(code), self._fonts.get(self._look.font, ("", 1))[0]))

    def _mark(self) -> None:
        """The mark of a note, in the text and before the note."""
        if self._look.dropped or self._look.unseen:
            return
        self._marks += self._out is self.text
        self._look, kept = replace(self._look, script=""), self._look
        self._put(f"[{self._marks}]")
        self._look = kept
        if self._out is not self.text:
            self._out.separate(" ")

    def _end_paragraph(self, separator: str) -> None:
        """A paragraph ends, unless its end is hidden or deleted."""
        if self._look.dropped or self._look.unseen:
            return
        if self._in_heading and self._out is self.text:
            self.text.end_heading()
            self._in_heading = False
        self._out.separate(separator)

    def _set_look(self, word: str, number: str) -> bool:
        """Note what a word says of the look of what follows; False if it says nothing of it."""
        look = self._look
        if word == "plain":
            look = replace(look, font="", script="", unseen=frozenset())
        elif word == "pard":
            look, self._level = replace(look, in_table=False), 0
        elif word in TOGGLES:
            name = frozenset((TOGGLES[word],))
            look = replace(look, unseen=look.unseen - name if number == "0" else look.unseen | name)
        elif word in SCRIPTS:
            look = replace(look, script=SCRIPTS[word])
        elif word in ("up", "dn"):
            look = replace(look, script="" if number == "0" else {"up": "super", "dn": "sub"}[word])
        elif word == "f":
            look = replace(look, font=number)
        elif word == "uc":
            look = replace(look, fallback=whole(number, 1))
        elif word in ("intbl", "itap"):
            look = replace(look, in_table=number != "0")
        else:
            return False
        self._look = look
        return True

    def _set_document(self, word: str, number: str) -> None:
        """Note what a word says of the document or of the paragraph."""
        if word == "ansicpg":
            self.page = code_page(number)
        elif word in DOCUMENT_PAGES:
            self.page = DOCUMENT_PAGES[word]
        elif word == "deff":
            self._default_font = number
        elif word == "fcharset" and self._look.dropped == "fonttbl":
            self._fonts[self._look.font] = ("", whole(number, 1))
        elif word == "outlinelevel":
            self._level = (whole(number, HEADING_LEVELS) + 1) % (HEADING_LEVELS + 1)
