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


ENGLISH = "The ferry {} leaves at eight in the morning and carries forty people over the strait."


@pytest.mark.parametrize(
    ("encoding", "words"),
    [
        ("shift_jis", ["渡", "東京", "カ", "価格は500円", "（株）", "ｶﾅ", "第1章"]),
        ("euc_jp", ["渡", "東京", "は", "価格は500円"]),
        ("gb18030", ["渡", "渡轮", "北京", "“是”", "价格500元"]),
        ("big5", ["渡", "台北", "價格500元"]),
        ("euc_kr", ["서울", "가격 500원", "의"]),
        ("koi8_r", ["Восток", "5 кг", "Да."]),
        ("cp1251", ["Восток", "5 кг", "ул."]),
        ("cp1253", ["πλοίο", "και", "το"]),
        ("cp1255", ["שלום", "של"]),
        ("mac_roman", ["über", "“yes”", "Größe", "5 °C"]),
        ("cp850", ["Größe", "5 °C"]),
        ("cp037", [ENGLISH]),
        ("cp500", [ENGLISH]),
    ],
)
def test_a_few_words_of_another_encoding_among_english_ones_are_not_taken_for_windows_1252(tmp_path, encoding, words):
    for word in words:
        text = ENGLISH.format(word) if "cp0" not in encoding and encoding != "cp500" else word
        reason = skipped_reason(write(tmp_path / "a.txt", text.encode(encoding)))
        assert reason.endswith("convert the file to UTF-8"), word


ESCAPED = {
    "iso2022_jp": "姉妹クラブの会長は田中幸子です。\nThe ferry leaves.\n",
    "iso2022_jp_ext": "ｱｲｳ 姉妹クラブ\n",
    "iso2022_jp_2": "Één 姉妹クラブ\n",
    "iso2022_kr": "자매 클럽의 회장은 김영희입니다.\n",
    "hz": "姐妹俱乐部的主席是王小明。~ The ferry leaves.\n",
    "utf-7": "Café à la crème: 1 + 1 = 2 €.\n",
}


@pytest.mark.parametrize("encoding", ESCAPED)
def test_text_of_another_script_in_bytes_of_ascii_is_read_in_files_of_every_kind(tmp_path, encoding):
    text = ESCAPED[encoding]
    write(tmp_path / "a.txt", text.encode(encoding))
    write(tmp_path / "README", text.encode(encoding))
    write(tmp_path / "a.md", text.encode(encoding))
    write(tmp_path / "a.html", f"<!doctype html><p>{text}</p>".encode(encoding))
    write(tmp_path / "a.csv", f"text\n{text}".encode(encoding))
    write(tmp_path / "a.jsonl", json.dumps({"text": text.strip()}, ensure_ascii=False).encode(encoding))
    documents, events = read(tmp_path)
    assert events.skipped == []
    assert {str(document.metadata.get("path", "")) for document in documents} == {
        str(tmp_path / name) for name in ("a.txt", "README", "a.md", "a.html", "a.csv", "a.jsonl")
    }
    assert all(document.text.split()[0] in text for document in documents)
    assert [document.text for document in documents if document.id == "a.txt"] == [text]


@pytest.mark.parametrize("encoding", ["utf-7", "hz"])
@pytest.mark.parametrize("text", ["Привет, как дела?", "渡轮八点一刻出发。", "Größe"])
def test_alphabets_and_east_asian_characters_in_ascii_are_read(encoding, text):
    if is_encodable(text, encoding):
        data = text.encode(encoding)
        assert data.decode(unicode_form(data)[1]) == text


@pytest.mark.parametrize(
    "text",
    [
        "written in C++, call +47 22 33 44 55 or 1+1=2; a+b-c and x+abc-y",
        "+Loading a + sign, ++i, +-5, q=a+foo+bar, c29tZSB0ZXh0+AAAA/==",
        '(format t "~{~a~^, ~}" list) ~/notes ~{home~} ~~',
        "\x1b[1mbold\x1b[0m and \x1b[31mred\x1b[0m",
        "diff: +added-removed +AB- ~{}~",
    ],
)
def test_ascii_with_the_same_signs_stays_ascii(text):
    assert unicode_form(text.encode()) == (b"", "utf-8")


def test_damaged_text_of_iso_2022_is_refused(tmp_path):
    for data in ("姉妹".encode("iso2022_jp")[:-4] + b"\x20\x01\x1b(B", b"\x1b$)A\x0e123"):
        assert "not valid ISO2022_JP" in skipped_reason(write(tmp_path / "a.txt", data))


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
