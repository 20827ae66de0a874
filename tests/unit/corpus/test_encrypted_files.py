"""Files that only somebody with a key can read say so, and archives say what to do."""

import io
import os
import zipfile

import pytest

from corpora import read, skipped_reason, write
from samples import docx, paragraph, workbook

BELL = "The bell was cast in 1712."
MAIL = """From: Eva <eva@orvik.example>
Subject: The bell
Content-Type: {kind}; boundary="b"

--b
Content-Type: application/octet-stream

-----BEGIN PGP MESSAGE-----

--b--
"""


def with_encrypted_members(content: bytes) -> bytes:
    """The same zip file with the flag that its members are encrypted."""
    packed = bytearray(content)
    for signature, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        place = packed.find(signature)
        while place >= 0:
            packed[place + flags] |= 1
            place = packed.find(signature, place + 4)
    return bytes(packed)


@pytest.mark.parametrize(("name", "content"), [("a.docx", docx(paragraph(BELL))), ("a.xlsx", workbook([["a"], ["b"]]))])
def test_an_office_document_in_an_encrypted_zip_file_is_said_to_be_encrypted(tmp_path, name, content):
    reason = skipped_reason(write(tmp_path / name, with_encrypted_members(content)))
    assert reason == "encrypted; save a copy without a password"


@pytest.mark.parametrize("kind", ["multipart/encrypted", "application/pkcs7-mime", "application/x-pkcs7-mime"])
def test_an_encrypted_mail_has_its_headers_and_says_what_is_missing(tmp_path, kind):
    documents, events = read(write(tmp_path / "a.eml", MAIL.format(kind=kind)))
    assert [document.text.strip() for document in documents] == ["From: Eva <eva@orvik.example>\nSubject: The bell"]
    assert [(entry.place, entry.reason[:22]) for entry in events.skipped] == [
        (f"{tmp_path / 'a.eml'}, text", "its text is encrypted,")
    ]


def test_encrypted_mails_of_a_mailbox_are_named_by_their_numbers(tmp_path):
    plain = f"From a@b Mon Jan  6 10:00:00 2020\nSubject: x\n\n{BELL}\n\n"
    encrypted = "From a@b Mon Jan  6 10:00:00 2020\n" + MAIL.format(kind="multipart/encrypted") + "\n"
    documents, events = read(write(tmp_path / "a.mbox", plain + encrypted + plain + encrypted))
    assert len(documents) == 4
    assert [entry.place for entry in events.skipped] == [f"{tmp_path / 'a.mbox'}, message {n}" for n in (2, 4)]


@pytest.mark.parametrize("name", ["a.zip", "a.7z", "a.rar", "a.tar", "a.tar.gz", "a.tgz"])
def test_an_archive_that_is_named_is_refused_with_what_to_do_and_left_out_of_folders(tmp_path, name):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("a.txt", BELL)
    path = write(tmp_path / name, packed.getvalue())
    assert skipped_reason(path) == "an archive; unpack it, and give the folder"
    documents, events = read(tmp_path)
    assert (documents, events.skipped, sum(events.ignored.values())) == ([], [], 1)


def test_names_of_every_form_are_read_or_told_and_no_loop_is_followed(tmp_path):
    folder = tmp_path / "files"
    for name in ("nl\nname.txt", "tab\tname.txt", " space .txt", "-dash.txt", "#hash?.md", "a:1.txt", "UPPER.TXT"):
        write(folder / name, BELL)
    for target, name in ((folder, "loop"), ("b.txt", "c.txt"), ("c.txt", "b.txt"), ("nowhere", "gone.txt")):
        os.symlink(target, folder / name)
    os.symlink("UPPER.TXT", folder / "linked.txt")
    os.mkfifo(folder / "pipe.txt")
    with open(os.fsencode(folder) + b"/caf\xe9.txt", "w", encoding="utf-8") as file:
        file.write(BELL)
    documents, events = read(folder)
    assert len(documents) == 8
    assert {entry.place.rpartition("/")[2]: entry.reason.split(";")[0] for entry in events.skipped} == {
        "b.txt": "cannot be read: Too many levels of symbolic links",
        "c.txt": "cannot be read: Too many levels of symbolic links",
        "gone.txt": "cannot be read: No such file or directory",
        "caf\\udce9.txt": "its path is not valid UTF-8",
        "pipe.txt": "not a file but a named pipe, socket or device",
    }
    assert events.ignored == {"directory link": 1}


def test_a_gitignore_with_a_byte_order_mark_counts_from_its_first_line_as_for_git(tmp_path):
    write(tmp_path / ".gitignore", "\ufeffa.txt\n")
    write(tmp_path / "a.txt", BELL)
    write(tmp_path / "b.txt", BELL)
    assert [document.id for document in read(tmp_path)[0]] == ["b.txt"]
