"""Texts of every kind of plain file: encodings, compression, titles, nothing lost."""

import codecs
import gzip
import json
import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpora import COMPRESSORS, read, skipped_reason, write
from opendpr.corpus import READERS, Corpus
from opendpr.corpus.encodings import first_foreign_word
from opendpr.corpus.markdown import heading

TEXT_KINDS = [suffix for suffix, reader in READERS.items() if not isinstance(reader, str)]


# Text


def test_line_ends_and_nul_free_oddities_are_kept(tmp_path):
    content = "a\r\nb\rc\n\n\u2028é\U0001f600\x0b\t"
    assert read(write(tmp_path / "a.txt", content))[0][0].text == content


@pytest.mark.parametrize(
    ("mark", "encoding"),
    [
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
        (codecs.BOM_UTF32_LE, "utf-32-le"),
        (codecs.BOM_UTF32_BE, "utf-32-be"),
    ],
)
def test_a_byte_order_mark_tells_the_encoding_and_is_dropped(tmp_path, mark, encoding):
    path = write(tmp_path / "a.md", mark + "# Títle\r\nwords 😀".encode(encoding))
    assert [(document.title, document.text) for document in Corpus([path])] == [("Títle", "# Títle\r\nwords 😀")]


def test_a_nul_byte_near_the_beginning_means_binary(tmp_path):
    assert skipped_reason(write(tmp_path / "a.txt", b"x" * 8191 + b"\0")) == "binary file"
    assert skipped_reason(write(tmp_path / "a.jsonl", b'{"id": "\0"}')) == "binary file"


def test_a_nul_byte_further_on_is_text(tmp_path):
    assert read(write(tmp_path / "a.txt", b"x" * 8192 + b"\0"))[0][0].text == "x" * 8192 + "\0"


def test_invalid_text_is_skipped_with_the_byte_and_advice(tmp_path):
    reason = "not valid UTF-8 (unexpected end of data at byte 14); convert the file to UTF-8"
    assert skipped_reason(write(tmp_path / "a.txt", "café au lait ".encode() + b"\xe9")) == reason
    assert "not valid UTF-8" in skipped_reason(write(tmp_path / "d.txt", "Привет, как дела?".encode("cp1251")))
    assert "at byte 6)" in skipped_reason(write(tmp_path / "b.txt", codecs.BOM_UTF8 + b"caf\xe9 au lait"))
    assert "UTF-16-LE (truncated data at byte 4)" in skipped_reason(
        write(tmp_path / "c.txt", codecs.BOM_UTF16_LE + b"a\0b")
    )


@pytest.mark.parametrize("content", [b"", b" \n\t\r\n", codecs.BOM_UTF8, "\u00a0\u2003\n".encode()])
def test_a_document_without_text_is_skipped(tmp_path, content):
    assert skipped_reason(write(tmp_path / "a.txt", content)) == "no text"


@pytest.mark.parametrize("name", ["a.txt", "a.text", "a.rst", "a.md", "a.markdown", "A.TXT", "A.Md"])
@pytest.mark.parametrize(("ending", "compress"), COMPRESSORS.items())
def test_text_of_every_kind_is_read_compressed_or_not(tmp_path, name, ending, compress):
    write(tmp_path / (name + ending), compress(b"words\r\n"))
    documents, events = read(tmp_path)
    assert [(document.id, document.title, document.text) for document in documents] == [
        (name + ending, name[0], "words\r\n")
    ]
    assert not events.skipped


@pytest.mark.parametrize(("ending", "compress"), list(COMPRESSORS.items())[1:])
def test_a_damaged_compressed_file_is_skipped(tmp_path, ending, compress):
    packed = compress(os.urandom(5_000).hex().encode())
    flipped = packed[:2_500] + bytes([packed[2_500] ^ 255]) + packed[2_501:]
    for content in (packed[:-9], packed[:3], flipped, b"plain"):
        reason = skipped_reason(write(tmp_path / f"a.txt{ending}", content))
        assert reason.startswith(("cannot be read: ", "binary file"))  # bzip2 checks a block after giving it
    assert skipped_reason(write(tmp_path / f"b.txt{ending}", compress(b""))) == "no text"


def test_documents_before_the_damage_of_compressed_lines_count(tmp_path):
    lines = b"".join(b'{"id": %d, "text": "%s"}\n' % (n, os.urandom(50).hex().encode()) for n in range(2_000))
    path = write(tmp_path / "a.jsonl.gz", gzip.compress(lines)[:-5_000])
    documents, events = read(path)
    assert [document.id for document in documents] == [str(n) for n in range(len(documents))]
    assert len(documents) > 1_000
    assert [entry.place for entry in events.skipped] == [str(path)]


# Titles


@pytest.mark.parametrize(
    ("markdown", "title"),
    [
        ("# One\n# Two", "One"),
        ("words\n\n### Three ###\n", "Three"),
        ("# C#\n", "C#"),
        ("   ###### Six", "Six"),
        ("#\ttab", "tab"),
        ("# \r\n## Second\r\n", "Second"),
        ("# ##\n\n# Real", "Real"),
        ("Setext\n======\n", "Setext"),
        ("\n\nTwo\nlines\r\n---\r\n", "Two lines"),
        ("####### seven", ""),
        ("#hashtag", ""),
        ("    # code", ""),
        ("```sh\n# comment\n```\n\n# After", "After"),
        ("~~~\n```\n# still code\n~~~~\n# After", "After"),
        ("- item\n  more\n---\n", ""),
        ("> quote\n---\n", ""),
        ("words\n\n---\n\nwords", ""),
        ("***\n---\n", ""),
        ("    code\n---\n", ""),
        ("", ""),
    ],
)
def test_the_first_heading_is_found(markdown, title):
    assert heading(markdown) == title


def test_a_heading_counts_if_it_ends_within_2000_characters():
    assert heading("x\n\n" + " " * 1_990 + "\n# Here") == "Here"  # ends at 2,000
    assert heading("x\n\n" + " " * 1_990 + "\n# Here\nmore") == "Here"
    assert heading("x\n\n" + " " * 1_991 + "\n# Here") == ""


def test_a_markdown_file_without_heading_has_its_name_as_title(tmp_path):
    write(tmp_path / "a" / "my notes.md.gz", gzip.compress(b"no heading"))
    assert [document.title for document in Corpus([tmp_path])] == ["my notes"]


# Whatever the bytes

LIKELY = st.sampled_from(
    [
        b'{"id": 1, "text": "x"}\n',
        b"\\ud800",
        b"\xff\xfe",
        b"\0",
        b'"id"',
        b"{",
        b"# ",
        b"---\n",
        b"\r\n",
        b"\x1f\x8b\x08",
    ]
)


CONTENTS = st.lists(st.one_of(st.binary(max_size=60), LIKELY), max_size=8).map(b"".join)


@settings(deadline=None, max_examples=80)
@given(CONTENTS)
def test_random_bytes_in_text_files_of_every_kind_are_skipped_or_read_and_never_raise(content):
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        for suffix in TEXT_KINDS:
            for ending, compress in COMPRESSORS.items():
                write(directory / f"raw{suffix}{ending}", content)
                write(directory / f"packed{suffix}{ending}", compress(content))
        documents, events = read(directory)
    for document in documents:
        json.dumps([document.id, document.title, document.text, dict(document.metadata)], ensure_ascii=False).encode()
    places = {entry.place for entry in events.skipped}
    files = {path for document in documents if (path := document.metadata.get("path"))}
    assert not places & files
    assert not events.ignored


@settings(deadline=None, max_examples=150)
@given(
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-32"]),
    st.sampled_from([".txt", ".md", ".rst"]),
    st.sampled_from(list(COMPRESSORS)),
)
def test_text_comes_back_to_the_character(text, encoding, suffix, ending):
    text = "x" + text  # neither blank nor, by accident, a byte order mark
    if "8" in encoding:
        text = text.replace("\0", "")
    with tempfile.TemporaryDirectory() as directory:
        path = write(Path(directory) / f"a{suffix}{ending}", COMPRESSORS[ending](text.encode(encoding)))
        assert [document.text for document in Corpus([path])] == [text]


@pytest.mark.parametrize("name", ["a.txt", "a.md", "a.rst", "README", "a.html", "a.srt", "a.csv", "a.1"])
def test_text_that_is_no_utf8_and_western_is_read_as_windows_writes_it(tmp_path, name):
    words = "Café Linnéa – opened by “Åsa”."
    before = {"a.srt": "1\n00:00:01,000 --> 00:00:02,000\n", "a.csv": "text\n", "a.1": ".TH A 1\n.SH NAME\n"}
    documents, events = read(write(tmp_path / name, (before.get(name, "") + words).encode("cp1252")))
    assert events.skipped == []
    assert words in documents[0].text
    assert documents[0].metadata["encoding"] == "windows-1252"


def test_lines_of_json_in_windows_1252_are_read_too(tmp_path):
    content = '{"text": "Café Linnéa"}\n'.encode("cp1252")
    (document,) = read(write(tmp_path / "a.jsonl", content))[0]
    assert (document.text, document.metadata["encoding"]) == ("Café Linnéa", "windows-1252")


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("The mayor of Gyõr opened it.", "Gyõr"),
        ("“Built” in Skåne", "Skåne"),
        ("– 20 °C", "–"),
        ("12°", "12°"),
        ("x" * 90 + "é" + "y" * 90, "x" * 40 + "é" + "y" * 40),
        ("plain", ""),
    ],
)
def test_the_first_word_that_is_not_ascii_shows_the_encoding(text, word):
    assert first_foreign_word(text) == word
