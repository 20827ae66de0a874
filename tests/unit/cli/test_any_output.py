"""Output goes through whatever the encoding of stdout is, and an id stays on its line."""

from __future__ import annotations

import io
import json
import sys

from opendpr.cli.output import escape_unknown_characters, on_one_line, print_json, put


def written(monkeypatch, encoding: str, write) -> str:
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding))
    escape_unknown_characters()
    write()
    sys.stdout.flush()
    return raw.getvalue().decode(encoding)


def test_text_has_backslash_escapes_and_json_has_its_own(monkeypatch):
    text = "é → 🚢"
    assert written(monkeypatch, "latin-1", lambda: put(text)) == "é \\u2192 \\U0001f6a2\n"
    assert written(monkeypatch, "utf-8", lambda: put(text)) == text + "\n"
    for encoding in ("ascii", "latin-1", "cp1252", "utf-8"):
        assert json.loads(written(monkeypatch, encoding, lambda: print_json({"a": text}))) == {"a": text}


def test_an_id_with_a_line_end_is_shown_on_one_line():
    assert on_one_line("nl\nx\ty.txt é") == "nl\\nx\\ty.txt é"
