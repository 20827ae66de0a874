"""Text of PDF is what a reader of the page sees: forms, words set apart by their places, lines of every page once."""

from __future__ import annotations

import io

import pypdf
import pytest
from pypdf.generic import ArrayObject, DictionaryObject, FloatObject, NameObject, TextStringObject

from opendpr.corpus.extract import NotReadError
from opendpr.corpus.running_lines import without_running_lines
from samples import pdf, text

WORDS = ("first", "second", "third", "fourth", "fifth", "sixth")


# PDF


def written(writer: pypdf.PdfWriter) -> bytes:
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def writer(line: str) -> pypdf.PdfWriter:
    writer_of_form = pypdf.PdfWriter()
    writer_of_form.append(pypdf.PdfReader(io.BytesIO(pdf([line]))))
    return writer_of_form


def dictionary(**values: object) -> DictionaryObject:
    return DictionaryObject({NameObject(f"/{name}"): value for name, value in values.items()})


def form(**values: str) -> bytes:
    """A form with a text field of each name and value."""
    made = writer("Application")
    fields = ArrayObject()
    for name, value in values.items():
        field = dictionary(
            Type=NameObject("/Annot"),
            Subtype=NameObject("/Widget"),
            FT=NameObject("/Tx"),
            T=TextStringObject(name),
            V=TextStringObject(value),
            Rect=ArrayObject(map(FloatObject, (0, 0, 90, 20))),
        )
        fields.append(made._add_object(field))
    made.pages[0][NameObject("/Annots")] = fields
    made._root_object[NameObject("/AcroForm")] = dictionary(Fields=fields)
    return written(made)


def test_the_values_of_a_filled_pdf_form_are_text():
    assert text("pdf", form(Owner="Åsa Lind", Berth="", Boat="Nordan")) == "Application\nOwner: Åsa Lind\nBoat: Nordan"


@pytest.mark.parametrize("method", ["RC4-128", "AES-128", "AES-256"])
def test_an_encrypted_pdf_opens_without_a_password_or_says_that_it_asks_for_one(method):
    for password in ("", "secret"):
        made = writer("Hello")
        made.encrypt(password, "owner", algorithm=method)
        if password:
            with pytest.raises(NotReadError, match="asks for a password"):
                text("pdf", written(made))
        else:
            assert text("pdf", written(made)) == "Hello"


def test_letters_that_a_pdf_sets_apart_by_their_places_are_words():
    """The line has no space character: the second word is only moved."""
    content = "BT /F1 12 Tf 20 100 Td (arrival) Tj 45 0 Td (of) Tj 18 0 Td (mail) Tj ET"
    stream = f"<< /Length {len(content)} >>\nstream\n{content}\nendstream"
    assert text("pdf", pdf(["x"], extra={5: stream})) == "arrival of mail"


def test_digits_that_a_pdf_writes_small_and_high_are_set_apart():
    up, down, back = "/F1 7 Tf 5 Ts", "/F1 7 Tf -3 Ts", "/F1 12 Tf 0 Ts"
    year = f"BT /F1 12 Tf 20 100 Td (in 1874) Tj {up} (12) Tj {back} ( H) Tj {down} (2) Tj {back} (O, 10) Tj"
    content = f"{year} {up} (-3) Tj {back} (kg 12) Tj /F1 9 Tf (34) Tj ET"
    stream = f"<< /Length {len(content)} >>\nstream\n{content}\nendstream"
    assert text("pdf", pdf(["x"], extra={5: stream})) == "in 1874^12 H2O, 10^-3 kg 1234"


def test_headers_and_footers_that_repeat_on_pages_are_there_once():
    pages = [f"Harbour rules\nText of {name} page.\nPage {number}" for number, name in enumerate(WORDS, start=1)]
    kept, left_out = without_running_lines(pages)
    assert kept == ["Harbour rules\nText of first page.\nPage 1", *(f"Text of {name} page." for name in WORDS[1:])]
    assert left_out.total() == 10
    assert left_out["Harbour rules"] == 5


def test_lines_of_few_pages_and_lines_in_the_middle_are_kept():
    few = ["Harbour rules\nText."] * 3
    assert without_running_lines(few)[0] == few
    middle = ["\n".join([word, word * 2, word * 3, "the same", word * 4, word * 5, word * 6]) for word in WORDS]
    assert without_running_lines(middle)[0] == middle


def test_rows_of_numbers_at_the_edges_of_pages_are_kept():
    rows = [f"Berth {number} {number * 7} {number * 9}\nText of {name} page." for number, name in enumerate(WORDS)]
    assert without_running_lines(rows)[0] == rows
