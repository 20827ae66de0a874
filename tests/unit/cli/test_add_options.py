"""The options of `opendpr add` that say what documents are made of."""

from __future__ import annotations

import json

import pytest

import opendpr
from opendpr.collection import open_collection
from opendpr.corpus import Corpus
from opendpr.maintenance.add import splitter_for
from opendpr.text.splitting import Splitter
from opendpr.types import Document


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


LONG = " ".join(f"word{n}" for n in range(150))


@pytest.mark.parametrize(
    ("names", "whole"),
    [
        (["psgs_w100.tsv"], True),
        (["psgs_w100.tsv.gz", "psgs_w100_part.tsv"], True),
        (["psgs_w100.tsv", "other.tsv"], False),
        (["other.tsv"], False),
        (["psgs_w100.txt"], False),
        ([], False),
    ],
)
def test_a_new_collection_of_the_released_passages_alone_keeps_them_whole(tmp_path, names, whole):
    for name in names:
        (tmp_path / name).touch()
    splitter = splitter_for(tmp_path / "c", Corpus([tmp_path / name for name in names]))
    assert splitter == (Splitter(unit="whole") if whole else None)


def test_the_command_keeps_the_released_passages_whole_unless_told_otherwise(tmp_path, tiny_model, run):
    (tmp_path / "psgs_w100.tsv").write_text(f"id\ttext\ttitle\n1\t{LONG}\tA\n")
    for name, options, passages in (("whole", [], 1), ("cut", ["--words", "100"], 2)):
        added = run("add", tmp_path / name, tmp_path / "psgs_w100.tsv", "--model", tiny_model, *options, "--json")
        assert json.loads(added.stdout)["collection"]["passages"] == passages


def test_a_collection_that_began_otherwise_cuts_the_released_passages_too(tmp_path, tiny_model):
    opendpr.add(tmp_path / "cut", [Document("a", "", "one")], str(tiny_model))
    (tmp_path / "psgs_w100.tsv").write_text(f"id\ttext\ttitle\n1\t{LONG}\tA\n")
    for name, passages in (("cut", 3), ("whole", 1), ("whole", 1)):
        opendpr.add(tmp_path / name, tmp_path / "psgs_w100.tsv", str(tiny_model))
        with open_collection(tmp_path / name) as collection:
            assert collection.counts()["passages"] == passages


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
