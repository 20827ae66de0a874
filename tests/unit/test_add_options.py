"""The options of `opendpr add` that say what documents are made of."""

from __future__ import annotations

import json


def test_whole_records_metadata_and_offsets(tmp_path, tiny_model, run):
    words = " ".join(f"word{n}" for n in range(150))
    (tmp_path / "psgs.tsv").write_text(f"id\ttext\ttitle\n1\t{words}\tA\n")
    (tmp_path / "a.html").write_text("<title>T</title><p>one<p>two")
    added = run(
        "add",
        tmp_path / "c",
        tmp_path / "psgs.tsv",
        tmp_path / "a.html",
        "--model",
        tiny_model,
        "--whole",
        "--metadata",
        "year=2019",
        "--metadata",
        "source=a=b",
        "--json",
    )
    assert added.returncode == 0, added.stderr
    assert json.loads(added.stdout)["collection"]["passages"] == 2
    shown = run("show", tmp_path / "c", "a.html", "--json")
    document = json.loads(shown.stdout)
    assert document["text"] == "one\n\ntwo"
    assert document["metadata"]["year"] == 2019
    assert document["metadata"]["source"] == "a=b"


def test_options_that_do_not_go_together_are_refused(tmp_path, run):
    (tmp_path / "a.txt").write_text("x")
    for options in (
        ["--whole", "--words", "5"],
        ["--whole", "--paragraphs"],
        ["--metadata", "year"],
        ["--metadata", "=1"],
    ):
        assert run("add", tmp_path / "c", tmp_path / "a.txt", *options).returncode == 2
    assert not (tmp_path / "c").exists()
