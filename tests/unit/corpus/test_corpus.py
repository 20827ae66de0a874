"""Documents out of files, directories and standard input."""

import bz2
import codecs
import gzip
import io
import json
import lzma
import os
import socket
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpora import read_corpus
from opendpr.corpus import READERS, Corpus, Skipped
from opendpr.corpus.markdown import heading
from opendpr.corpus.source import RECOGNISED_BYTES
from opendpr.corpus.walk import GITIGNORED_REASON, HIDDEN_REASON, LOCK_FILE_REASON, PACKAGES_REASON
from opendpr.errors import InputError
from opendpr.storage.compression import zstd
from opendpr.storage.lines import parse_jsonl, read_jsonl
from opendpr.types import Document

COMPRESSORS = {
    "": bytes,
    ".gz": gzip.compress,
    ".xz": lzma.compress,
    ".zst": lambda data: zstd.compress(data, options={zstd.CompressionParameter.checksum_flag: 1}),
    ".bz2": bz2.compress,
}
ADVICE = "an id is there once: give files of the same name with the folder above both, records ids of their own"
TEXT_KINDS = [suffix for suffix, reader in READERS.items() if not isinstance(reader, str)]


def write(path: Path, content: str | bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def read(*paths):
    events = read_corpus(Corpus(paths))
    return events.documents, events


def ids(*paths):
    return [document.id for document in Corpus(paths)]


def skipped_reason(path: Path) -> str:
    documents, events = read(path)
    assert documents == []
    assert [each.place for each in events.skipped] == [str(path)]
    return events.skipped[0].reason


def line_reason(tmp_path: Path, line: str | bytes) -> str:
    """Why a line of JSON is skipped; the good lines around it count."""
    bad = line.encode() if isinstance(line, str) else line
    path = write(tmp_path / "a.jsonl", b'{"id": "a", "text": "x"}\n' + bad + b'\n{"id": "z", "text": "x"}\n')
    documents, events = read(path)
    assert [document.id for document in documents] == ["a", "z"]
    assert [each.place for each in events.skipped] == [f"{path}:2"]
    return events.skipped[0].reason


@pytest.fixture
def standard_input(monkeypatch):
    def give(content: bytes) -> None:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))

    return give


# Paths


def test_all_missing_paths_are_named_before_anything_is_read(tmp_path):
    present = write(tmp_path / "here.txt", "x")
    with pytest.raises(InputError) as error:
        Corpus([tmp_path / "one.txt", present, tmp_path / "two.txt"])
    assert "one.txt (No such file or directory)" in str(error.value)
    assert "two.txt" in str(error.value)
    assert "here.txt" not in str(error.value)


def test_an_impossible_path_is_missing_too():
    with pytest.raises(InputError, match="null"):
        Corpus([Path("a\0b")])


def test_a_file_called_minus_is_not_standard_input(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "-", "in the file")
    assert [document.text for document in Corpus([Path("-")])] == ["in the file"]


def test_a_file_given_is_known_by_its_name_and_has_its_path_and_time_as_metadata(tmp_path):
    path = write(tmp_path / "deep" / "note.en.txt", "words")
    os.utime(path, (0, 1_700_000_000.9))
    metadata = {"path": str(path), "modified": "2023-11-14T22:13:20+00:00"}
    assert read(path)[0] == [Document("note.en.txt", "note.en", "words", metadata)]


@pytest.mark.skipif(not os.path.isdir("/dev/shm"), reason="needs a file system that keeps any time")
def test_a_file_of_a_time_that_no_calendar_has_is_read_without_it():
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        path = write(Path(folder) / "note.txt", "words")
        os.utime(path, (0, 1 << 40))
        assert path.stat().st_mtime == 1 << 40
        assert read(path)[0] == [Document("note.txt", "note", "words", {"path": str(path)})]


def test_metadata_given_goes_to_every_document_and_counts(tmp_path):
    write(tmp_path / "a.txt", "x")
    write(tmp_path / "b.jsonl", '{"id": "b", "text": "x", "source": "own", "year": 1}')
    documents = list(Corpus([tmp_path], metadata={"source": "manual"}))
    assert [document.metadata["source"] for document in documents] == ["manual", "manual"]
    assert documents[1].metadata == {"source": "manual", "year": 1, "path": str(tmp_path / "b.jsonl")}


def test_a_relative_path_is_kept_as_an_absolute_one(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "d" / "a.txt", "x")
    assert [document.metadata["path"] for document in Corpus([Path("d")])] == [str(tmp_path / "d" / "a.txt")]


def test_a_file_given_with_an_unknown_suffix_is_plain_text(tmp_path):
    path = write(tmp_path / "server.log", "# not a heading")
    assert [(document.title, document.text) for document in Corpus([path])] == [("server", "# not a heading")]


def test_nothing_given_gives_nothing():
    assert read()[0] == []


# Directories


def test_a_directory_is_walked_in_the_order_of_relative_paths(tmp_path):
    names = ["b.txt", "a/z.txt", "a-b.txt", "a.txt", "a/b/c.md", "B.txt", "é.txt"]
    for name in names:
        write(tmp_path / name, "x")
    assert ids(tmp_path) == sorted(names)


def test_what_nobody_wrote_for_readers_is_left_out_and_counted(tmp_path):
    names = (".hidden.txt", ".git/a.txt", "b/.c/d.txt", "seen.txt", "~$seen.docx", "node_modules/x/a.md")
    for name in (*names, "build/a.txt", "b/notes.tmp.txt"):
        write(tmp_path / name, "x")
    write(tmp_path / ".gitignore", "/build/\n*.tmp.txt\n")
    documents, events = read(tmp_path)
    assert [document.id for document in documents] == ["seen.txt"]
    assert not events.skipped
    assert events.ignored == {HIDDEN_REASON: 4, LOCK_FILE_REASON: 1, PACKAGES_REASON: 1, GITIGNORED_REASON: 2}
    everything = read_corpus(Corpus([tmp_path], all_files=True))
    assert {document.id for document in everything.documents} >= {".git/a.txt", "build/a.txt", "node_modules/x/a.md"}
    assert not everything.ignored


def test_a_file_found_by_two_paths_is_read_once(tmp_path):
    write(tmp_path / "d" / "a.txt", "x")
    documents, events = read(tmp_path, tmp_path / "d")
    assert [document.id for document in documents] == ["d/a.txt"]
    assert events.ignored == {"file given twice": 1}


def test_a_hidden_directory_given_itself_is_read(tmp_path):
    write(tmp_path / ".notes" / "a.txt", "x")
    assert ids(tmp_path / ".notes") == ["a.txt"]


def test_files_of_unknown_kinds_are_counted_and_no_problem(tmp_path):
    for name in ("a.png", "b/c.PNG", "drawing.odg.gz", "program", "a.txt"):
        write(tmp_path / name, b"\0")
    write(tmp_path / "a.txt", "x")
    write(tmp_path / "empty", "")
    documents, events = read(tmp_path)
    assert len(documents) == 1
    assert events.ignored == {".png": 2, ".odg.gz": 1, "": 2}
    assert not events.skipped


def test_files_without_a_suffix_that_begin_as_text_are_plain_text(tmp_path):
    write(tmp_path / "README", "Read me.")
    write(tmp_path / "NEWS.gz", gzip.compress(b"It is new."))
    write(tmp_path / "utf16", "Ünïcode".encode("utf-16"))
    write(tmp_path / "cut", "x" + "ü" * RECOGNISED_BYTES)
    write(tmp_path / "latin", "Grüße".encode("latin-1"))
    write(tmp_path / "late", "é".encode() + b"x" * RECOGNISED_BYTES + b"\xfc")
    documents, events = read(tmp_path)
    assert {each.id: (each.title, each.text) for each in documents if each.id != "cut"} == {
        "README": ("README", "Read me."),
        "NEWS.gz": ("NEWS", "It is new."),
        "utf16": ("utf16", "Ünïcode"),
    }
    assert len(documents) == 4
    assert events.ignored == {"": 1}
    assert [each.place for each in events.skipped] == [str(tmp_path / "late")]


def test_links_to_directories_are_counted_and_not_followed(tmp_path):
    write(tmp_path / "d" / "a.txt", "x")
    (tmp_path / "d" / "loop").symlink_to(tmp_path)
    documents, events = read(tmp_path)
    assert [document.id for document in documents] == ["d/a.txt"]
    assert events.ignored == {"directory link": 1}


def test_a_link_to_a_directory_given_itself_is_followed(tmp_path):
    write(tmp_path / "d" / "a.txt", "x")
    (tmp_path / "link").symlink_to(tmp_path / "d")
    assert ids(tmp_path / "link") == ["a.txt"]


def test_links_to_files_are_read_and_broken_ones_skipped(tmp_path):
    write(tmp_path / "d" / "a.txt", "x")
    (tmp_path / "d" / "b.txt").symlink_to("a.txt")
    (tmp_path / "d" / "broken.txt").symlink_to("nowhere")
    (tmp_path / "d" / "self.txt").symlink_to("self.txt")
    documents, events = read(tmp_path / "d")
    assert [document.id for document in documents] == ["a.txt", "b.txt"]
    assert [each.reason for each in events.skipped] == [
        "cannot be read: No such file or directory",
        "cannot be read: Too many levels of symbolic links",
    ]


def test_special_files_are_skipped_instead_of_blocking(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # the name of a socket must be short
    os.mkfifo("pipe.txt")
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind("socket")
        documents, events = read(Path("."), Path("pipe.txt"))
    assert documents == []
    assert [each.place for each in events.skipped] == ["pipe.txt", "socket", "pipe.txt"]
    assert all("named pipe, socket or device" in each.reason for each in events.skipped)


def test_a_very_deep_directory_is_walked(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = "/".join(["d"] * 1_500)
    for _ in range(3):
        os.makedirs("/".join(["d"] * 500))
        os.chdir("/".join(["d"] * 500))
    Path("a.txt").write_text("x")
    os.chdir(tmp_path)
    documents, events = read(Path("."))
    os.unlink(f"{path}/a.txt")
    os.removedirs(path)  # too deep for the clean-up of pytest
    assert documents == []
    assert events.skipped == [Skipped(f"{path}/a.txt", "the id has 3,005 characters; at most 1,000 are allowed")]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_what_may_not_be_read_is_skipped(tmp_path):
    write(tmp_path / "a.txt", "x").chmod(0)
    write(tmp_path / "d" / "b.txt", "x").parent.chmod(0)
    write(tmp_path / "e" / "c.txt", "x").parent.chmod(0o444)
    documents, events = read(tmp_path)
    (tmp_path / "d").chmod(0o755)
    (tmp_path / "e").chmod(0o755)
    assert documents == []
    assert events.skipped == [
        Skipped(str(tmp_path / "a.txt"), "cannot be read: Permission denied"),
        Skipped(str(tmp_path / "d"), "cannot be listed: Permission denied"),
        Skipped(str(tmp_path / "e" / "c.txt"), "cannot be read: Permission denied"),
    ]


def test_permission_denied_is_a_reason(tmp_path, monkeypatch):
    def refuse(path):
        raise PermissionError(13, "Permission denied", str(path))

    path = write(tmp_path / "a.txt", "x")
    monkeypatch.setattr("opendpr.corpus.corpus.open_binary", refuse)
    assert skipped_reason(path) == "cannot be read: Permission denied"


def test_a_file_name_that_is_not_unicode_is_skipped_with_a_place_that_can_be_shown(tmp_path):
    path = os.fsencode(tmp_path) + b"/caf\xe9.txt"
    try:
        with open(path, "wb") as file:
            file.write(b"x")
    except OSError:
        pytest.skip("this file system refuses such names")
    documents, events = read(tmp_path)
    assert documents == []
    assert events.skipped == [
        Skipped(f"{tmp_path}/caf\\udce9.txt", "the id is not valid Unicode: half a surrogate pair at character 3")
    ]


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
    assert [(each.title, each.text) for each in Corpus([path])] == [("Títle", "# Títle\r\nwords 😀")]


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
    assert [(each.id, each.title, each.text) for each in documents] == [(name + ending, name[0], "words\r\n")]
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
    assert [each.id for each in documents] == [str(n) for n in range(len(documents))]
    assert len(documents) > 1_000
    assert [each.place for each in events.skipped] == [str(path)]


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
    assert [each.title for each in Corpus([tmp_path])] == ["my notes"]


# JSON lines


def test_json_lines_give_documents_with_the_other_keys_as_metadata(tmp_path):
    lines = [
        {"id": "a", "title": "A", "text": "x\0y\r\n", "year": 1990, "tags": ["é"], "path": "own"},
        {"id": 7, "text": "y", "title": None},
    ]
    content = "\n\n".join(json.dumps(line) for line in lines)
    for name, data in (("a.jsonl", content.encode()), ("b.ndjson.xz", lzma.compress(content.encode()))):
        documents, events = read(write(tmp_path / name, data))
        assert documents == [
            Document("a", "A", "x\0y\r\n", {"year": 1990, "tags": ["é"], "path": "own"}),
            Document("7", "", "y", {"path": str(tmp_path / name)}),
        ]
        assert not events.skipped


def test_json_lines_may_begin_with_a_mark_and_end_like_windows(tmp_path):
    path = write(tmp_path / "a.jsonl", codecs.BOM_UTF8 + b'{"id": "a", "text": "x"}\r\n\r\n{"id": "b", "text": "y"}')
    assert ids(path) == ["a", "b"]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{", "not valid JSON: "),
        ('{"id": "é '.encode() + b'\xff"}', "not valid UTF-8 (invalid start byte at byte 11)"),
        ("[" * 100_000, "not valid JSON: "),
        ('{"id": ' + "9" * 5_000 + ', "text": "x"}', "not valid JSON: "),
        ("[]", "expected a JSON object, found an array"),
        ("null", "expected a JSON object, found null"),
        ("3", "expected a JSON object, found a number"),
        ('{"_id": 1.5, "text": "x"}', 'expected "_id" to be a string or an integer, found the number 1.5'),
        ('{"id": true, "text": "x"}', 'expected "id" to be a string or an integer, found a boolean'),
        ('{"id": 1.5, "text": "x"}', 'expected "id" to be a string or an integer, found the number 1.5'),
        ('{"id": null, "text": "x"}', 'expected "id" to be a string or an integer, found null'),
        ('{"id": "", "text": "x"}', 'expected "id" to say something, found an empty string'),
        ('{"id": "b"}', 'expected "text", a string; found only ["id"]'),
        ('{"id": "b", "text": null}', 'expected "text" to be a string, found null'),
        ('{"id": "b", "text": 3}', 'expected "text" to be a string, found a number'),
        ('{"id": "b", "text": "x", "title": {}}', 'expected "title" to be a string or null, found an object'),
        ('{"id": "b", "text": " \\n"}', "no text"),
        ('{"id": "b", "text": "ab\\ud800"}', "the text is not valid Unicode: half a surrogate pair at character 2"),
        ('{"id": "\\udc00", "text": "x"}', "the id is not valid Unicode"),
        ('{"id": "b", "title": "\\udc00", "text": "x"}', "the title is not valid Unicode"),
        ('{"id": "b", "text": "x", "y": ["\\udc00"]}', "the metadata is not valid Unicode"),
        ('{"id": "b", "text": "x", "\\udc00": 1}', "the metadata is not valid Unicode"),
        ('{"id": "b", "text": "x", "y": NaN}', "the metadata has a number that JSON does not know"),
        ('{"id": "b", "text": "x", "y": 1e999}', "the metadata has a number that JSON does not know"),
        ('{"id": "' + "i" * 1_001 + '", "text": "x"}', "the id has 1,001 characters; at most 1,000 are allowed"),
    ],
)
def test_a_bad_line_is_skipped_and_the_others_count(tmp_path, line, reason):
    assert line_reason(tmp_path, line).startswith(reason)


def test_metadata_that_no_filter_could_look_into_is_skipped(tmp_path):
    def record(levels: int) -> str:
        return f'{{"id": "{levels}", "text": "x", "deep": {"[" * levels}{"]" * levels}}}\n'

    documents, events = read(write(tmp_path / "deep.jsonl", record(99) + record(100) + record(900)))
    assert [document.id for document in documents] == ["99"]
    assert [each.place.rpartition(":")[2] for each in events.skipped] == ["2", "3"]
    assert "nested too deeply" in events.skipped[0].reason


def test_a_document_given_with_metadata_that_is_no_json_is_skipped():
    events = read_corpus(Corpus([Document("a", "", "x", {"when": b"bytes"}), Document("b", "", "x")]))
    assert [document.id for document in events.documents] == ["b"]
    assert "cannot be written as JSON" in events.skipped[0].reason


def test_a_pair_of_surrogates_is_one_good_character(tmp_path):
    path = write(tmp_path / "a.jsonl", '{"id": "a", "text": "\\ud83d\\ude00"}')
    assert [each.text for each in Corpus([path])] == ["😀"]


def test_an_id_of_1000_characters_and_a_line_of_a_megabyte_are_fine(tmp_path):
    record = {"id": "i" * 1_000, "text": "x" * 1_000_000}
    assert len(read(write(tmp_path / "a.jsonl", json.dumps(record)))[0][0].text) == 1_000_000


def test_json_lines_in_another_encoding_are_one_problem_not_many(tmp_path):
    content = codecs.BOM_UTF16_LE + ('{"id": "a", "text": "x"}\r\n' * 9).encode("utf-16-le")
    expected = "expected JSON lines in UTF-8, found UTF-16-LE; convert the file to UTF-8"
    assert skipped_reason(write(tmp_path / "a.jsonl", content)) == expected


def test_the_strict_reading_of_json_lines_stops_at_the_same_errors(tmp_path):
    path = write(tmp_path / "a.jsonl", '{"a": 1}\n\nnull\n')
    with pytest.raises(InputError, match=r"a\.jsonl:3: expected a JSON object, found null"):
        list(read_jsonl(path))
    assert list(parse_jsonl([b"{}\n", b" \n", b'{"a": 1}'], "name")) == [(1, {}), (3, {"a": 1})]


# The same id twice


def test_the_second_of_two_equal_ids_is_skipped_and_names_the_first(tmp_path):
    first = write(tmp_path / "a.jsonl", '\n\n{"id": "x", "text": "one"}\n{"id": 1, "text": "one"}\n')
    second = write(tmp_path / "b.jsonl", '{"id": "x", "text": "two"}\n{"id": "1", "text": "two"}\n')
    documents, events = read(tmp_path)
    assert [each.text for each in documents] == ["one", "one"]
    assert events.skipped == [
        Skipped(f"{second}:1", f'id "x" was already given by {first}:3; {ADVICE}'),
        Skipped(f"{second}:2", f'id "1" was already given by {first}:4; {ADVICE}'),
    ]


def test_the_same_relative_path_in_two_directories_is_the_same_id(tmp_path):
    for name in ("one", "two"):
        write(tmp_path / name / "a.txt", name)
    documents, events = read(tmp_path / "one", tmp_path / "two")
    assert [each.text for each in documents] == ["one"]
    assert events.skipped[0].reason == f'id "a.txt" was already given by {tmp_path / "one" / "a.txt"}; {ADVICE}'


def test_an_id_that_was_skipped_is_still_free(tmp_path):
    path = write(tmp_path / "a.jsonl", '{"id": "x", "text": ""}\n{"id": "x", "text": "words"}\n')
    assert [each.text for each in Corpus([path])] == ["words"]


def test_a_second_iteration_starts_afresh(tmp_path):
    write(tmp_path / "a.txt", "x")
    write(tmp_path / "b.txt", "")
    write(tmp_path / "c.png", "")
    corpus = Corpus([tmp_path])
    events = read_corpus(corpus)
    assert read_corpus(corpus) == events
    assert len(events.skipped) == 1
    assert events.ignored == {".png": 1}


# Standard input


@pytest.mark.parametrize("start", [b"", b" \n\n\t", codecs.BOM_UTF8])
def test_standard_input_that_begins_with_a_brace_is_json_lines(standard_input, start):
    standard_input(start + b'{"id": "a", "text": "x"}\n{"id": "b"}\n{"id": "c", "text": "y"}')
    documents, events = read("-")
    assert [each.id for each in documents] == ["a", "c"]
    line = 2 + start.count(b"\n")
    assert events.skipped == [Skipped(f"stdin:{line}", 'expected "text", a string; found only ["id"]')]


def test_other_standard_input_is_one_document(standard_input):
    standard_input(codecs.BOM_UTF8 + b"\n \n# words\r\n{\n")
    assert read("-")[0] == [Document("stdin", "stdin", "\n \n# words\r\n{\n", {})]


@pytest.mark.parametrize(
    ("content", "reason"), [(b"", "no text"), (b" \n", "no text"), (b"\0", "binary file"), (b"\xff", "not valid UTF-8")]
)
def test_standard_input_without_text_is_skipped(standard_input, content, reason):
    standard_input(content)
    documents, events = read("-")
    assert documents == []
    assert events.skipped[0].place == "stdin"
    assert events.skipped[0].reason.startswith(reason)


def test_files_and_standard_input_can_be_mixed(tmp_path, standard_input):
    standard_input(b"words")
    assert ids(write(tmp_path / "b.txt", "x"), "-", write(tmp_path / "a.txt", "x")) == ["b.txt", "stdin", "a.txt"]


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
    places = {each.place for each in events.skipped}
    files = {path for each in documents if (path := each.metadata.get("path"))}
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
    if name in ("a.txt", "a.md", "README"):
        assert documents[0].metadata["encoding"] == "windows-1252"


def test_lines_of_json_in_windows_1252_are_read_too(tmp_path):
    content = '{"text": "Café Linnéa"}\n'.encode("cp1252")
    assert [document.text for document in read(write(tmp_path / "a.jsonl", content))[0]] == ["Café Linnéa"]
