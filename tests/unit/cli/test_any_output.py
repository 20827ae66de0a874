"""Output goes through whatever the encoding of stdout is, and an id stays on its line."""

from __future__ import annotations

import io
import json
import shlex
import subprocess
import sys

from opendpr.cli.output import escape_unknown_characters, excerpt, marked, on_one_line, print_json, put


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


class Terminal(io.StringIO):
    """A stdout that is a terminal."""

    def isatty(self) -> bool:
        return True


def test_a_document_gives_a_terminal_no_orders(monkeypatch):
    text = "The \x1b[8mbell\x1b[0m was cast\x1b]0;x\x07 by \x9b31mKarl \u202eAlm."
    monkeypatch.setattr(sys, "stdout", Terminal())
    put(f"{excerpt(text)}\n{marked(text, text.index('Karl'), text.index('Karl') + 4)}")
    shown = sys.stdout.getvalue()
    assert not set(shown.replace("\x1b[1m\x1b[4mKarl\x1b[0m", "")) & {"\x1b", "\x07", "\x9b", "\u202e"}
    assert shown.count("was cast") == 2


def test_a_pipe_gets_an_excerpt_as_it_is(monkeypatch):
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    assert excerpt("The \x1b[8mbell\n was") == "The \x1b[8mbell was"
    assert marked("The bell was cast.", 4, 8) == "The **bell** was cast."


def test_a_command_whose_streams_are_closed_ends_as_any_other(environment):
    command = f"{shlex.quote(sys.executable)} -m opendpr cache --json <&- >&- 2>&-"
    assert subprocess.run(["sh", "-c", command], env=environment, check=False).returncode == 0
