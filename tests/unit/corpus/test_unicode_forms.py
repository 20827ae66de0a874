"""UTF-16 and UTF-32 without a byte order mark are read where that is clear; text of other encodings is refused."""

import codecs
import io
import json
import struct
import sys

import pytest

from corpora import read, skipped_reason, write
from opendpr.corpus.unicode_forms import WIDE_ENCODINGS, in_utf8, is_binary, unicode_form

TEXTS = {
    "English": "The ferry leaves at 08:15.\r\nIt carries forty people.\n",
    "a word": "Ferry",
    "Czech": "Příliš žluťoučký kůň úpěl ďábelské ódy.\n",
    "Vietnamese": "Phà rời bến lúc tám giờ.\n",
    "Russian": "Паром отходит в восемь часов утра.\nОн берёт сорок человек.\n",
    "Greek": "Το πλοίο φεύγει στις οκτώ.\n",
    "Hebrew": "המעבורת יוצאת בשמונה.\n",
    "Arabic": "تغادر العبارة في الساعة الثامنة.\n",
    "Hindi": "नौका आठ बजे निकलती है।\n",
    "Thai": "เรือข้ามฟากออกเวลาแปดโมง\n",
    "Georgian": "ბორანი რვა საათზე გადის.\n",
    "Chinese": "渡轮八点一刻出发。\n一次可载四十人。一一一\n",
    "Japanese": "渡し船は八時に出ます。\n四十人を運びます。\n",
    "Korean": "나룻배는 여덟 시에 떠납니다.\n",
    "pictures": "Ferry 🛳️ leaves 👍 now\n",
    "numbers": "1;2;3\r\n4;5;6\r\n",
    "table": "# T\n\n| a | b |\n|---|---|\n| 1 | 2 |\n",
}
NARROW = ("utf-8", "cp1252", "cp1250", "cp1251", "cp1255", "koi8-r", "shift_jis", "euc-jp", "gb18030", "big5", "euc-kr")
WORDS = "The ferry leaves at 08:15."
RECORD = json.dumps({"text": WORDS})
SPREAD_RECORD = json.dumps({"text": WORDS}, indent=1)
FILES = {
    "a.txt": WORDS,
    "README": WORDS,
    "a.md": WORDS,
    "a.rst": WORDS,
    "a.html": f"<!doctype html><p>{WORDS}</p>",
    "a.srt": f"1\r\n00:00:01,000 --> 00:00:02,000\r\n{WORDS}\r\n",
    "a.csv": f"id;text\r\na;{WORDS}\r\n",
    "a.tsv": f"id\ttext\nb\t{WORDS}\n",
    "a.jsonl": RECORD + "\n" + json.dumps({"text": "é \u2028 x"}, ensure_ascii=False) + "\n",
    "b.jsonl": f"[{RECORD}]",
    "c.jsonl": f"{SPREAD_RECORD}\n{SPREAD_RECORD}",
    "a.json": RECORD,
    "b.json": f"[{RECORD}, {RECORD}]",
    "c.json": f"{SPREAD_RECORD}\n{SPREAD_RECORD}",
    "d.json": f"{RECORD}\n{RECORD}",
    "a.ipynb": json.dumps({"cells": [{"cell_type": "markdown", "source": WORDS}], "nbformat": 4}),
}


def is_encodable(text: str, encoding: str) -> bool:
    try:
        return bool(text.encode(encoding))
    except UnicodeEncodeError:
        return False


@pytest.mark.parametrize("encoding", WIDE_ENCODINGS)
@pytest.mark.parametrize("language", TEXTS)
def test_text_with_zero_bytes_is_recognised_without_a_mark_whatever_its_script(language, encoding):
    for text in (TEXTS[language], TEXTS[language] * 2_000):
        assert unicode_form(text.encode(encoding)) == (b"", encoding)


@pytest.mark.parametrize("encoding", NARROW)
def test_other_text_with_a_nul_in_it_is_binary(encoding):
    for data in (text.encode(encoding) for text in TEXTS.values() if is_encodable(text, encoding)):
        for damaged in (data + b"\0", data[:7] + b"\0" + data[7:], (data * 400)[:8_190] + b"\0x"):
            assert is_binary(damaged)


@pytest.mark.parametrize(
    "data",
    [
        struct.pack("<400h", *(number % 200 - 100 for number in range(400))),
        struct.pack("<400H", *(100 + number * 7 % 900 for number in range(400))),
        struct.pack(">400I", *(number * 13 % 5_000 for number in range(400))),
        struct.pack("<400f", *(number / 7 for number in range(400))),
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x10\0\0\0\x10",
        b"PK\x03\x04\x14\0\0\0\x08\0",
        b"a\0",
        "\ud83d".encode("utf-16-le", "surrogatepass") + "words ".encode("utf-16-le") * 9,
        ("words " * 9).encode("utf-16-le") + b"\0",
        ("words \x01" * 9).encode("utf-16-le"),
    ],
)
def test_data_that_is_no_text_in_any_form_of_unicode_is_binary(data):
    assert is_binary(data)


@pytest.mark.parametrize("encoding", WIDE_ENCODINGS)
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_files_of_every_kind_of_text_are_read_in_every_form_of_unicode(tmp_path, mark, encoding):
    for name, content in FILES.items():
        write(tmp_path / name, f"{mark}{content}".encode(encoding))
    documents, events = read(tmp_path)
    assert (events.skipped, events.ignored) == ([], {})
    assert {str(document.metadata["path"]) for document in documents} == {str(tmp_path / name) for name in FILES}
    assert {document.text for document in documents} == {WORDS, "é \u2028 x"}


def test_a_byte_that_is_not_valid_further_on_is_named(tmp_path):
    line = '{"text": "words"}\n'
    content = codecs.BOM_UTF16_LE + (line * 3_000).encode("utf-16-le") + b"\0\xd8" + (line * 9).encode("utf-16-le")
    documents, events = read(write(tmp_path / "a.jsonl", content))
    assert events.skipped[-1].reason.startswith("cannot be read: not valid UTF-16-LE (illegal")
    assert len(documents) > 2_000
    assert "not valid UTF-16-LE" in skipped_reason(write(tmp_path / "b.txt", WORDS.encode("utf-16-le") * 500 + b"x"))


def test_json_lines_of_utf_16_come_through_standard_input_too(monkeypatch):
    content = "\ufeff" + json.dumps({"id": "a", "text": WORDS}) + "\r\n" + json.dumps({"id": "b", "text": "x"})
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content.encode("utf-16-le"))))
    assert [document.id for document in read("-")[0]] == ["a", "b"]


def test_a_file_of_another_form_is_given_as_utf_8_in_pieces_of_any_size():
    text = "Fähre 🛳 渡し船\n" * 3_000
    head, file = in_utf8(io.BytesIO(("\ufeff" + text).encode("utf-32-be")))
    assert text.encode().startswith(head)
    pieces = iter(lambda: file.read(7), b"")
    assert b"".join(pieces) == text.encode()


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("cp1250", "Prom wyrusza z portu o ósmej rano i wraca po południu. Bilet kosztuje dwadzieścia złotych."),
        ("iso8859-2", "Prom wyrusza z portu o ósmej rano i wraca po południu. Bilet kosztuje dwadzieścia złotych."),
        (
            "cp1250",
            "Příští převoz přes řeku je v sedm. Děti a lidé z města jezdí zdarma, v neděli je zavřeno.",
        ),
        (
            "cp1250",
            "A komp reggel indul az erdőből és délután öt előtt tér vissza. A jegyet előre meg kell venni, öt pengő.",
        ),
        ("cp1254", "Vapur sabah saat sekizde kalkar ve öğleden sonra döner. Çocuklar için ücretsizdir. Işık, ağaç."),
        ("cp1257", "Keltas išvyksta aštuntą valandą ryto. Bilietas kainuoja dvidešimt litų, žvejų ąžuolas."),
        ("cp1251", "The ferry Восток leaves at eight o'clock in the morning and it carries forty people."),
        ("koi8-r", "The ferry Восток leaves at eight o'clock in the morning and it carries forty people."),
        ("shift_jis", "The ferry 渡し船 leaves at eight in the morning and it carries forty people."),
        ("euc-jp", "The ferry 渡し船 leaves at eight in the morning and it carries forty people."),
        ("gb18030", "The ferry 渡轮 leaves at eight in the morning and it carries forty people; 一次可载四十人。"),
        ("cp850", "Le café est fermé le lundi. L'été, la plage est ouverte aux familles."),
    ],
)
def test_text_of_another_encoding_is_not_taken_for_windows_1252(tmp_path, encoding, text):
    assert skipped_reason(write(tmp_path / "a.txt", text.encode(encoding))).endswith("convert the file to UTF-8")


@pytest.mark.parametrize(
    "text",
    [
        "Le café est fermé le lundi. L'été, la plage où l'œuvre créée à Noël est ouverte à tous.",
        "Die Fähre fährt um acht Uhr ab – „Größe“ und Höhe über dem Meer, 20 °C.",
        "Færgen sejler klokken otte. Børn på øen rejser gratis; det gør ældre også.",
        "Ferjan fer klukkan átta. Það er ókeypis fyrir börn, því þýðingin er fræg.",
        "El transbordador sale a las ocho. ¿Cuánto cuesta? ¡Nada! El niño y la cigüeña pagan 5 €.",
        "A balsa parte às oito. As crianças não pagam; os leões e os órgãos também não.",
        "Il traghetto parte alle otto. Così è la città: però di lunedì non c'è più.",
        "Praam väljub kell kaheksa. Õhtul sõidab öölaev; lapsed pääsevad tasuta, žürii ka.",
        "Lautta lähtee kello kahdeksan. Lapset pääsevät ilmaiseksi yöllä, ja šakki kuuluu hintaan.",
        "El vaixell surt a les vuit. La cel·la és plena d'avions, això és el que hi ha: ‘ço’.",
        "Area 10² m², 5 µm, ½ litre, ©2020, §4, “quoted”… 37% — the naïve façade’s coöperation.",
    ],
)
def test_the_languages_of_windows_1252_are_read(tmp_path, text):
    documents, _ = read(write(tmp_path / "a.txt", text.encode("cp1252")))
    assert [document.text for document in documents] == [text]
