"""The page on forms of other systems: its files are read, its commands run."""

import json
import re
import shlex
from functools import partial
from pathlib import Path

import pytest

from opendpr import interop as formats

PAGE = Path(__file__).resolve().parents[2] / "docs" / "formats.md"
READERS = {
    "psgs.tsv": formats.read_passages,
    "corpus.jsonl": formats.read_passages,
    "collection.tsv": formats.read_passages,
    "kilt-pages.jsonl": formats.read_passages,
    "kilt.jsonl": formats.read_questions,
    "questions.jsonl": formats.read_questions,
    "questions.qa.csv": formats.read_questions,
    "webquestions.json": formats.read_questions,
    "queries.jsonl": formats.read_questions,
    "queries.tsv": formats.read_questions,
    "examples.jsonl": formats.read_examples,
    "train.json": formats.read_examples,
    "triples.tsv": formats.read_examples,
    "triples.jsonl": partial(formats.read_examples, questions=Path("queries.tsv"), passages=Path("collection.tsv")),
    "tevatron.jsonl": formats.read_examples,
    "tevatron-ids.jsonl": partial(formats.read_examples, passages=Path("psgs.tsv")),
    "flag.jsonl": formats.read_examples,
    "pairs.jsonl": formats.read_examples,
    "squad.json": formats.read_marked,
    "squad-flat.jsonl": formats.read_marked,
    "mrqa.jsonl": formats.read_marked,
    "pyserini.json": formats.read_run,
    "run.jsonl": formats.read_run,
    "predictions.jsonl": formats.read_run,
    "results.json": formats.read_run,
    "run.trec": formats.read_run,
    "cranfield.qrels": formats.read_qrels,
    "test.tsv": formats.read_qrels,
}


def blocks():
    """Kind, name and content of every block of the page."""
    return re.findall(r"^```(\w+) ?(\S*)\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)


@pytest.fixture
def folder(tmp_path):
    for _, name, content in blocks():
        if name:
            (tmp_path / name).write_text(content, encoding="utf-8")
    return tmp_path


def test_every_file_of_the_page_is_read(folder, monkeypatch):
    monkeypatch.chdir(folder)
    assert {name for _, name, _ in blocks() if name} == set(READERS)
    for name, read in READERS.items():
        assert list(read(folder / name)), name


def test_every_command_of_the_page_runs(folder, run, tiny_model):
    commands = [line[2:] for kind, _, block in blocks() if kind == "console" for line in block.splitlines()]
    assert len(commands) == 31
    for command in commands:
        arguments = shlex.split(command)[1:]
        if arguments[0] == "add":
            arguments += ["--model", tiny_model]
        done = run(*arguments, cwd=folder)
        assert done.returncode == 0, (command, done.stderr)
        if "-o" in arguments:
            assert (folder / arguments[arguments.index("-o") + 1]).stat().st_size >= 10, command
    (result,) = json.loads((folder / "mine-results.json").read_text())
    assert [context["id"] for context in result["ctxs"]] == ["2", "1"]
    assert result["ctxs"][0]["text"] == "The letter was written in 1911."
    assert (folder / "mine.trec").read_text() == "q1 Q0 2 1 71.5 dense\nq1 Q0 1 2 70.25 dense\n"
    assert (folder / "beir.jsonl").read_text().splitlines()[1] == json.dumps(
        {"_id": "2", "title": "Letter", "text": "The letter was written in 1911."}
    )
