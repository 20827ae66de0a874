"""Rich text is what a word processor shows of it, whichever program wrote it."""

from __future__ import annotations

import codecs
import io

import pytest

from opendpr.corpus.child import PARSER_MODULES
from opendpr.corpus.extract import Extract
from opendpr.corpus.rtf_words import CHARSET_PAGES, DOCUMENT_PAGES

FONTS = (
    r"{\fonttbl{\f0\fcharset0 Arial;}{\f1\fcharset204 Arial Cyr;}{\f2\fcharset2 Symbol;}{\f3\fcharset128 Mincho;}"
    r"{\f4\fcharset2 Wingdings;}}"
)


def read(body: str, head: str = r"\ansi") -> Extract:
    extract = PARSER_MODULES["rtf"](io.BytesIO(("{\\rtf1" + head + " " + body + "}").encode("latin-1")))
    assert isinstance(extract, Extract)
    return extract


@pytest.mark.parametrize(
    ("body", "seen"),
    [
        (r"The rent is {\deleted 900 }{\revised 950} crowns.", "The rent is 950 crowns."),
        (r"The rent is \deleted 900 \deleted0 950 crowns.", "The rent is 950 crowns."),
        (r"It is {\strike 40 }{\striked1 41 }55, {\striked0 new}.", "It is 55, new."),
        (r"a\v secret\v0 b{\v x{\b y}z}c", "abc"),
        (r"{\v gone\plain seen}", "seen"),
        (r"{\mvf Moved. }{\mvt Here.}", "Here."),
        (r"One {\deleted\par}two\par three", "One two\n\nthree"),
        (r"a{\*\unknown x{\b y}}b{\header H}{\footerl 3}{\*\annotation note}c{\xe index}", "abc"),
        (r"a{\pict\wmetafile8 0102ff}{\*\shppict{\pict ffee}}{\nonshppict{\pict ab}}b{\pict\bin3 {}}}c", "abc"),
        (r'See {\field{\*\fldinst HYPERLINK "http://x.example"}{\fldrslt the page}}.', "See the page."),
        (
            r"a\par{\shp{\*\shpinst{\sp{\sn x}{\sv 1}}{\shptxt Box\par}}{\shprslt{\*\do{\*\dptxbxtext Box}}}}b",
            "a\n\nBox\n\nb",
        ),
        (r"{\object{\*\objdata 01ff}{\result Shown}}", "Shown"),
        (r"a{\upr{caf?}{\*\ud{caf\u233 ?}}}b", "acaféb"),
    ],
)
def test_what_a_word_processor_does_not_show_is_left_out(body, seen):
    assert read(body).text == seen


@pytest.mark.parametrize(
    ("body", "seen"),
    [
        (r"in 1874\super 12\nosupersub  by hand", "in 1874^12 by hand"),
        (r"in 1874{\super 1}{\super 2} by hand", "in 1874^12 by hand"),
        (r"10{\super -3} m{\up6 2} 1{\super st} H{\sub 2}O", "10^-3 m^2 1st H2O"),
        (r"E={\mmath{\*\moMath{\mr m}{\msSup{\msSupPr{\mctrlPr x}}{\me{\mr c}}{\msup{\mr 2}}}}}.", "E=mc^2."),
        (
            r"By hand{\super\chftn{\footnote\pard\plain{\super\chftn} By Lund.}}, late{\chftn{\footnote\chftn Yes.}}.",
            "By hand[1], late[2].\n\n[1] By Lund.\n\n[2] Yes.",
        ),
        (
            r"{\listtext\pard 2.1\tab}Rent\par{\pntext\f1\'B7\tab}Dot\par{\listtext o\tab}Ring",
            "2.1 Rent\n\nDot\n\nRing",
        ),
        (
            r"Head\par\trowd\pard\intbl Stop\cell Time\cell\row\intbl Quay\par two\cell 08:15\cell\row\pard After.\par",
            "Head\n\nStop\tTime\nQuay two\t08:15\n\nAfter.",
        ),
        (r"light\-house non\_break a\~b\line c\tab d", "lighthouse non\u2011break a\u00a0b\nc\td"),
        (r"\ldblquote Hi\rdblquote , it\rquote s \emdash  1\endash 2", "“Hi”, it’s — 1–2"),
        ("One\\\nTwo\\\n\n", "One\n\nTwo"),
    ],
)
def test_notes_scripts_numbers_tables_and_signs_are_text(body, seen):
    assert read(body).text == seen


@pytest.mark.parametrize(
    ("head", "body", "seen"),
    [
        (
            r"\ansi",
            r"caf\'e9 \u8364\'80 5, \u-10179?\u-8704?, {\uc2 \u12354\'82\'a0}x{\uc0\u229}y",
            "café € 5, 😀, あxåy",
        ),
        (r"\ansi\ansicpg1251", r"\'cf\'f0\'e8", "При"),
        (r"\ansi\ansicpg99999", r"caf\'e9", "café"),
        (r"\mac", r"caf\'8e", "café"),
        (r"\pc", r"caf\'82", "café"),
        (r"\ansi", FONTS + r"\f1\'cf\f0\'e9{\f2 a\'b3}{\f3\'93\'fa\'83A}{\f4\'fc}", "Пéα≥日ア✓"),
        (r"\ansi\deff1", FONTS + r"\'cf{\f0\'e9}\plain\'cf", "ПéП"),
    ],
)
def test_characters_are_those_of_the_code_page_of_document_and_font(head, body, seen):
    assert read(body, head).text == seen


def test_every_code_page_that_is_named_is_known():
    for page in filter(None, (*CHARSET_PAGES.values(), *DOCUMENT_PAGES.values())):
        codecs.lookup(page)


def test_the_title_is_that_of_the_properties_and_outline_levels_are_headings():
    extract = read(
        r"{\info{\title Harbour r\'e8gles \u8364?}{\author X}}\pard\outlinelevel1 Fees\par\pard 5 crowns.\par"
    )
    assert (extract.title, extract.text) == ("Harbour règles €", "Fees\n\n5 crowns.")
    assert extract.metadata["sections"] == [[0, 2, "Fees", ""]]


@pytest.mark.parametrize("body", [r"{{{\super", r"}}}} \chftn\par", r"\footnote x\u\bin99999 ", r"{\*", r"\'4", "\\"])
def test_damaged_rich_text_is_read_as_far_as_it_goes(body):
    assert isinstance(read(body).text, str)
