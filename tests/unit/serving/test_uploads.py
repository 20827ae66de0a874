"""Files that were uploaded: which become documents, and what is said of the others."""

from __future__ import annotations

import io
import zipfile

import pytest

from opendpr.serving import uploads
from opendpr.serving.uploads import Upload, safe_name

WORD_DOCUMENT = "<w:document xmlns:w='http://schemas.openxmlformats.org/wordprocessingml/2006/main'><w:body>{}</w:body></w:document>"


def uploaded(*files: tuple[str, bytes]) -> tuple[dict[str, str], dict[str, str]]:
    """Texts by id, and reasons by place."""
    upload = Upload((name, io.BytesIO(content)) for name, content in files)
    directory = upload._directory.path
    try:
        documents = list(upload.documents())
        assert not [key for document in documents for key in document.metadata if key in ("path", "modified")]
        assert upload.files == len(files)
        assert not [skip for skip in upload.skipped if str(directory) in skip.place + skip.reason]
        return {document.id: document.text for document in documents}, {
            skip.place: skip.reason for skip in upload.skipped
        }
    finally:
        upload.close()
        assert not directory.exists()


def word(body: str, compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        archive.writestr("word/document.xml", WORD_DOCUMENT.format(body))
    return file.getvalue()


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("notes.txt", "notes.txt"),
        ("../../etc/passwd", "passwd"),
        ("/etc/passwd", "passwd"),
        ("C:\\Users\\me\\notes.txt", "notes.txt"),
        ("..\\..\\boot.ini", "boot.ini"),
        ("a\x00b\x1b[31m.txt", "ab[31m.txt"),
        ("\u202egnp.exe", "gnp.exe"),
        (".bashrc", "bashrc"),
        ("Übersicht 2.md", "Übersicht 2.md"),
        *((name, "") for name in ("", ".", "..", "a/..", "a/", "\\", "\x00", "\ud800")),
    ],
)
def test_a_name_loses_folders_and_what_does_not_print(name: str, safe: str) -> None:
    assert safe_name(name) == safe


def test_files_of_several_kinds_become_documents() -> None:
    texts, skipped = uploaded(
        ("notes.txt", b"The pier of Orvik."),
        ("folder/page.html", b"<h1>Keeper</h1><p>Ingrid Falk</p><script>x()</script>"),
        ("letter.docx", word("<w:p><w:r><w:t>Dear Jonas</w:t></w:r></w:p>")),
        ("records.jsonl", b'{"id": "r1", "text": "One.", "path": "own"}\n{"id": "r2"'),
    )
    assert texts.keys() == {"notes.txt", "page.html", "letter.docx", "r1"}
    assert "Ingrid Falk" in texts["page.html"]
    assert list(skipped) == ["records.jsonl:2"]


def test_what_is_not_taken_is_named_with_the_reason() -> None:
    texts, skipped = uploaded(
        ("a.txt", b"One."),
        ("b/a.txt", b"Two."),
        ("..", b"x"),
        ("n" * 250 + ".txt", b"x"),
        ("old.doc", b"x"),
        ("notes.txt.gz", b"x"),
        ("photo.png", b"\x89PNG\x00\x00"),
        ("broken.pdf", b"%PDF-1.4 nothing"),
        ("empty.txt", b""),
    )
    assert texts == {"a.txt": "One."}
    assert len(skipped) == 8
    assert "same name" in skipped["a.txt"]
    assert "compressed" in skipped["notes.txt.gz"]
    assert "save it as .docx" in skipped["old.doc"]
    assert "longer than 200 bytes" in skipped["n" * 60 + "…"]


def test_files_that_unpack_to_too_much_cost_only_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "UPLOADED_CHARACTERS", 100_000)
    monkeypatch.setattr(uploads, "UPLOADED_RECORDS", 1_000)
    bomb = word(f"<w:p><w:r><w:t>{'tick ' * 1_000_000}</w:t></w:r></w:p>")
    assert len(bomb) < 50_000
    texts, skipped = uploaded(
        ("bomb.docx", bomb),
        ("lines.jsonl", b"{}\n" * 1_001),
        ("array.json", b"[{}" + b",1" * 20_001 + b"]"),
        ("rows.csv", b"id,text\n" + b"1,x\n" * 1_001),
        ("good.txt", b"Still read."),
    )
    assert texts == {"good.txt": "Still read."}
    assert skipped.keys() == {"bomb.docx", "lines.jsonl", "array.json", "rows.csv"}


def test_it_is_said_how_many_files_are_read() -> None:
    read: list[int] = []
    upload = Upload((f"{number}.txt", io.BytesIO(b"text")) for number in range(3))
    list(upload.documents(read.append))
    upload.close()
    assert read == [0, 0, 1, 2, 3]
