"""Files made to do harm: bombs, circles, endless nesting."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zlib
from pathlib import Path

from opendpr.corpus.sandbox import Sandbox
from opendpr.corpus.source import Source
from opendpr.storage.compression import zstd
from opendpr.types import Document
from samples import archive, epub, pdf

SECONDS = 600
"""After which the files are taken to have brought the reader to a halt."""
PAGE = "<!doctype html><title> My\n page</title><p>one"


def bombs() -> dict[str, bytes]:
    """Small files that unpack to large ones, or grow where they are read."""
    entities = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))
    bomb = f'<?xml version="1.0"?><!DOCTYPE b [<!ENTITY l0 "lol">{entities}]><b>&l11;</b>'
    outside = '<!DOCTYPE b [<!ENTITY x SYSTEM "file:///etc/passwd">]><b>&x;</b>'
    big = f'<b xmlns="{"u" * 9}">' + "x" * 301_000_000
    return {
        "entities.docx": archive({"word/document.xml": bomb}),
        "outside.docx": archive({"word/document.xml": outside}),
        "zip.docx": archive({"word/document.xml": big}),
        "zip.epub": epub({"a.xhtml": big}),
        "text.txt.zst": zstd.compress(b"x" * 300_000_000),
        "line.jsonl.zst": zstd.compress(b"x" * 300_000_000),
        "whole.pdf.zst": zstd.compress(b"x" * 301_000_000),
    }


def mazes() -> dict[str, bytes]:
    """Files in which a parser can go round in circles, too deep or for too long."""
    page = zlib.compress(b"BT /F1 12 Tf (x) Tj ET\n" * 5_000_000, 1)
    stream = f"<< /Length {len(page)} /Filter /FlateDecode >>\nstream\n{page.decode('latin-1')}\nendstream"
    return {
        "huge.pdf": pdf(["x"], extra={5: stream}),
        "circle.pdf": pdf(["x"], extra={2: "<< /Type /Pages /Count 1 /Kids [2 0 R] >>"}),
        "prev.pdf": pdf(["x"], extra={1: "<< /Type /Catalog /Pages 9 0 R >>"}, trailer="/Prev 9"),
        "nested.pdf": pdf(["x"], extra={3: "[" * 100_000}),
        "deep.html": b"<div>" * 1_000_000 + b"x",
    }


READ_ALL = """
import json, re, sys
from functools import partial
from pathlib import Path
import opendpr.corpus.corpus as module
from opendpr.corpus.events import event_batches
module.Sandbox = partial(module.Sandbox, seconds=float(sys.argv[2]))
(events,) = event_batches(module.Corpus([Path(sys.argv[1])]).events(), sys.maxsize)
ids = [document.id for document in events.documents]
skipped = {Path(each.place.partition(",")[0]).name: each.reason for each in events.skipped}
peak = re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]
print(json.dumps([ids, skipped, int(peak)]))
"""


def read_all(folder: Path, files: dict[str, bytes], seconds: float) -> tuple[list[str], dict[str, str]]:
    """Ids read and reasons of files skipped, by a process of its own, to see how much memory it takes."""
    for name, content in {**files, "z.html": PAGE.encode()}.items():
        (folder / name).write_bytes(content)
    command = [sys.executable, "-c", READ_ALL, str(folder), str(seconds)]
    done = subprocess.run(command, check=True, capture_output=True, timeout=SECONDS)
    ids, reasons, kilobytes = json.loads(done.stdout)
    assert kilobytes < 512_000
    assert ids[-1] == "z.html"  # the last one, after all the harm
    assert set(ids) | reasons.keys() == set(os.listdir(folder))
    return ids, reasons


def test_bombs_cost_one_skipped_file_each_and_never_the_process(tmp_path):
    ids, reasons = read_all(tmp_path, bombs(), SECONDS)
    assert ids == ["z.html"]
    assert "declares XML entities" in reasons["entities.docx"]
    assert "declares XML entities" in reasons["outside.docx"]
    assert "unpacks to more than 300 MB" in reasons["zip.docx"]
    assert "unpacks to more than 300 MB" in reasons["zip.epub"]
    assert "unpacks to more than 300 MB" in reasons["whole.pdf.zst"]
    assert "more than 100 MB of text" in reasons["text.txt.zst"]
    assert "line 1 has more than 100 MB" in reasons["line.jsonl.zst"]


def test_mazes_cost_one_skipped_file_each_and_never_the_process(tmp_path):
    ids, _ = read_all(tmp_path, mazes(), seconds=5)
    assert set(ids) <= {"z.html", "nested.pdf", "prev.pdf"}


def test_a_child_that_dies_costs_one_file(tmp_path):
    path = tmp_path / "a.html"
    path.write_bytes(PAGE.encode())
    source = Source("a.html", "a.html", "a", {})
    sandbox = Sandbox()
    for _ in range(2):
        assert next(iter(sandbox.read("html", path, source)))[1] == Document("a.html", "My page", "one", {})
        sandbox._process.kill()
        sandbox._process.wait()
    sandbox.close()


def test_time_and_memory_are_limited(tmp_path):
    source = Source("a.html", "a.html", "a", {})
    path = tmp_path / "a.html"
    path.write_bytes(b"<div>" * 300_000)
    late = Sandbox(seconds=0.3)
    assert "takes more than" in next(iter(late.read("html", path, source)))[1]
    late.close()
    small = Sandbox(memory_bytes=160_000_000)
    path.write_bytes(b"x" * 90_000_000)
    assert "of memory" in next(iter(small.read("html", path, source)))[1]
    small.close()
