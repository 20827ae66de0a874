"""An argument that is not valid Unicode: half a surrogate pair, or a byte that is not UTF-8, is refused in a line."""

from __future__ import annotations

import pytest

import opendpr
from opendpr.errors import InputError, UsageError

BYTE = "\udcff"
"""What Python makes of the byte 0xff of an argument."""
REFUSED = [
    (("show", "COLLECTION", BYTE), 3, "is not valid Unicode"),
    (("show", "COLLECTION", "\udced\udca0\udc80", "--json"), 3, "is not valid Unicode"),
    (("show", "COLLECTION", "x\\ud800.txt"), 3, "there is no document 'x\\\\ud800.txt'"),
    (("remove", "COLLECTION", "Lot", f"x{BYTE}.txt"), 3, "is not valid Unicode"),
    (("remove", "COLLECTION", "--where", f"id = '{BYTE}'"), 2, "the filter"),
    (("ask", "COLLECTION", "Which town?", "--where", f"river in ('{BYTE}')"), 2, "the filter"),
    (("search", "COLLECTION", "town", "--where", f'"{BYTE}" = 1'), 2, "the filter"),
    (("ask", "COLLECTION", BYTE), 2, "the question is not valid UTF-8"),
    (("search", "COLLECTION", f"town {BYTE}"), 2, "the question is not valid UTF-8"),
    (("ask", BYTE, "Which town?"), 4, "does not exist"),
    (("list", BYTE), 4, "is not a collection"),
    (("questions", "COLLECTION", "--remove", BYTE), 3, "has no judgement"),
    (("add", "COLLECTION", BYTE), 3, "cannot be found"),
    (("add", "COLLECTION", "notes", "--metadata", f"source={BYTE}"), 2, "--metadata 'source=\\udcff'"),
    (("add", f"new{BYTE}", "notes"), 4, "is not valid UTF-8"),
    (("backup", "COLLECTION", f"copy{BYTE}"), 4, "is not valid UTF-8"),
    (("divide", "COLLECTION", "--parts", "2", "-o", f"set{BYTE}"), 4, "is not valid UTF-8"),
    (("encode", "COLLECTION", "--model", BYTE), 4, "there is no model"),
    (("evaluate", "COLLECTION", BYTE), 3, "cannot be read"),
    (("import", "questions", BYTE, "-o", "out.jsonl"), 3, "cannot be read"),
]


@pytest.mark.parametrize(
    ("arguments", "code", "message"), REFUSED, ids=[f"{n}-{row[0][0]}" for n, row in enumerate(REFUSED)]
)
def test_is_refused_in_one_line(run, rivers, tmp_path, arguments, code, message):
    (tmp_path / "notes").mkdir()
    words = [str(rivers) if argument == "COLLECTION" else argument for argument in arguments]
    result = run(*words, cwd=tmp_path)
    assert (result.returncode, result.stdout) == (code, "")
    (line,) = result.stderr.splitlines()
    assert line.startswith("opendpr: ") and message in line
    assert [path.name for path in tmp_path.iterdir() if path.name != "cache"] == ["notes"]


def test_a_folder_whose_name_is_not_utf_8_is_said_to_be_so(run, tmp_path, tiny_model):
    folder = tmp_path / f"notes{BYTE}"
    folder.mkdir()
    (folder / "a.txt").write_text("The river Lot runs through Cahors.")
    result = run("ask", folder, "Which river?", "--model", tiny_model)
    assert result.returncode == 3
    assert "skipped" in result.stderr and "its path is not valid UTF-8; rename it" in result.stderr


def test_a_collection_that_was_renamed_so_is_refused_by_name(run, tmp_path, tiny_model):
    (tmp_path / "a.txt").write_text("The river Lot runs through Cahors.")
    opendpr.add(tmp_path / "notes", tmp_path / "a.txt", str(tiny_model))
    (tmp_path / "notes").rename(tmp_path / f"notes{BYTE}")
    for verb in ("info", "list", "verify", "optimize"):
        result = run(verb, tmp_path / f"notes{BYTE}")
        assert result.returncode == 4
        assert "is not valid UTF-8, as the name of a collection is; rename it" in result.stderr


def test_from_python_too(rivers):
    with opendpr.open(rivers) as opened:
        with pytest.raises(InputError, match="is not valid Unicode"):
            opened.document("\ud800")
        with pytest.raises(UsageError, match="the filter"):
            opened.search("town", where="id = '\ud800'")
