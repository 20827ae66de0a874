"""A word is found however Unicode writes it, and its place in the text is where it was."""

from __future__ import annotations

import sys
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opendpr.search.tantivy import terms
from opendpr.text.normalising import plain, searchable

TEXTS = st.text(
    st.one_of(
        st.characters(exclude_categories=["Cs"]), st.sampled_from("aZ1٣ʻŉ-\n\u00adﬁ²½é\u0301ＡＢ\u200bｶﾞ각\u1100\u1161")
    ),
    max_size=40,
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The oﬃce has a certiﬁcate", "The office has a certificate"),
        ("Ｍａｌｍö １９３１", "Malmö 1931"),
        ("ｶﾞｽ", "ガス"),
        ("cafe\u0301", "café"),
        ("light\u00adhouse\u200b \ufeffkeeper", "lighthouse keeper"),
        ("inspec-\ntion, reg\u2010\n  ulation, har\u00ad\nbour", "inspection, regulation, harbour"),
        ("Anglo-\nSaxon, 10-\n20, a -\nb", "Anglo-\nSaxon, 10-\n20, a -\nb"),
        ("10² m², 2½, H₂O, １２", "10 2 m2, 2 1⁄2, H2O, 12"),
        ("well-known\ntext - here", "well-known\ntext - here"),
        ("في عام ١٩٣١, ۱۹۳۱, १९३१, 𑁦𑁧²", "في عام 1931, 1931, 1931, 01 2"),
        ("Hawaiʻi, Qurʾan, Rusʹ, ŉ, Hawai’i", "Hawai'i, Qur'an, Rus', 'n, Hawai’i"),
    ],
)
def test_tokenizers_read_the_usual_form(text, expected):
    assert plain(text).text == expected


@pytest.mark.parametrize(
    ("asked", "written"),
    [
        ("CAFÉ", "cafe\u0301"),
        ("cafe", "café"),
        ("diyarbakir", "Diyarbakır"),
        ("istanbul", "İSTANBUL"),
        ("lodz", "Łódź"),
        ("orsted", "Ørsted"),
        ("oeuvre", "Œuvre"),
        ("محمد", "ﻣﺤﻤﺪ"),
        ("office", "oﬃce"),
        ("straße", "STRASSE"),
        ("malmö", "ＭＡＬＭÖ"),
        ("Ελλάς", "ΕΛΛΑΣ"),
        ("각", "\u1100\u1161\u11a8"),
        ("lighthouse", "light\u00adhouse"),
        ("inspection", "inspec-\ntion"),
        ("मिल", "मिल"),
        ("1931", "۱۹۳۱"),
        ("४२", "42"),
    ],
)
def test_question_and_text_meet_in_one_form(asked, written):
    assert searchable(asked) in searchable(written).split()


def test_a_compound_at_a_line_end_is_found_by_its_parts_too():
    assert {"wellknown", "well", "known"} <= set(searchable("a well-\nknown man").split())


def test_digits_of_every_script_are_ascii_digits_and_keep_their_places():
    digits = [character for character in map(chr, range(sys.maxunicode + 1)) if unicodedata.category(character) == "Nd"]
    form = plain("".join(digits))
    assert form.text == "".join(str(unicodedata.decimal(digit)) for digit in digits)
    assert form.span(60, 70) == (60, 70)


@pytest.mark.parametrize("written", ["hawaiʻi", "hawaiʼi", "hawaiʽi", "hawai’i", "hawai‘i", "hawaiꞌi"])
def test_what_stands_for_an_apostrophe_parts_words_as_it_does(written):
    assert terms(written) == terms("Hawai'i")


def test_vowel_signs_are_letters():
    assert searchable("मिल") != searchable("मल")


def sign_for(character):
    return str(unicodedata.decimal(character, "'" if unicodedata.category(character) in ("Lm", "Ll", "Lo") else ""))


@settings(deadline=None, max_examples=300)
@given(TEXTS)
def test_any_piece_of_the_plain_text_leads_back_to_what_it_stands_for(text):
    form = plain(text)
    for start in range(len(form.text)):
        first, last = form.span(start, start + 1)
        assert 0 <= first < last <= len(text)
        original = text[first:last]
        allowed = unicodedata.normalize("NFKC", original) + unicodedata.normalize("NFC", original) + " "
        assert form.text[start] in allowed + "".join(map(sign_for, allowed))
    assert form.span(0, len(form.text))[0] <= len(text)


def test_plain_text_is_not_touched():
    text = "Plain words, some-thing é 漢字."
    assert plain(text).text is text
    assert plain(text).span(6, 11) == (6, 11)
