"""The documentation says what the program does."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LETTER = "On 3 May 1911 Ada Lovett wrote the letter to her brother, who was then living in Lisbon."


@pytest.fixture
def notes(tmp_path):
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "letter.txt").write_text(LETTER, encoding="utf-8")
    return tmp_path


def blocks(kind, page="README.md"):
    text = (ROOT / page).read_text(encoding="utf-8")
    return re.findall(rf"^```{kind}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


def test_the_command_reference_is_what_help_prints():
    done = subprocess.run([sys.executable, ROOT / "docs" / "make_cli.py", "--check"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_the_table_of_sizes_is_what_plan_computes():
    done = subprocess.run([sys.executable, ROOT / "docs" / "make_plan.py", "--check"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_the_python_lines_of_the_readme_run(notes, monkeypatch):
    monkeypatch.chdir(notes)
    (block,) = blocks("python")
    names = {}
    exec(block, names)
    span = names["answer"].spans[0]
    assert LETTER[span.start : span.end] == span.text == names["answer"].text


def test_the_commands_of_the_main_job_in_the_readme_run(notes, run):
    (notes / "articles.jsonl").write_text('{"id": "a", "title": "A", "text": "The wall was built in 1888."}\n')
    (notes / "questions.txt").write_text("When was the wall built?\n")
    subprocess.run(["gzip", notes / "articles.jsonl"], check=True)
    (block,) = [block for block in blocks("console") if "opendpr add notes ./docs" in block]
    commands = [line[2:].split("#")[0] for line in block.splitlines() if line.startswith("$ ")]
    for command in (part for line in commands for part in line.split(";")):
        arguments, _, source = command.partition("<")
        stdin = (notes / source.strip()).read_text() if source else ""
        done = run(*shlex.split(arguments)[1:], cwd=notes, input=stdin)
        if "show" in command:
            assert done.returncode == 2  # our letter is shorter than the one in the README
        else:
            assert done.returncode == 0, (command, done.stderr)


def test_the_blocks_of_the_page_on_evaluation_run(tmp_path, run, monkeypatch, capsys):
    (tmp_path / "towns.jsonl").write_text(
        '{"id": "tarn", "title": "Tarn", "text": "The Tarn runs through Albi."}\n'
        '{"id": "bridge", "title": "Bridge", "text": "The bridge was built in 1888."}\n'
    )
    (block,) = blocks("json", "docs/evaluation.md")
    (tmp_path / "questions.jsonl").write_text(block)
    (tmp_path / "queries.jsonl").write_text(block)
    (tmp_path / "qrels.txt").write_text("1 0 tarn 1\n2 0 bridge 1\n")
    console = "".join(blocks("console", "docs/evaluation.md"))
    shown = []
    for line in console.splitlines():
        done = run(*shlex.split(line)[2:], cwd=tmp_path)
        assert done.returncode == 0, (line, done.stderr)
        shown.append(done.stdout)
    assert re.search(r"^answer@5 +100.0 \(100.0 to 100.0\)", shown[1], re.MULTILINE)
    assert re.search(r"^EM@5 .*^F1@10 ", shown[2], re.MULTILINE | re.DOTALL)
    assert re.search(r"^RR +1.0000", shown[3], re.MULTILINE)
    assert "run:bm25 - answers:hybrid" in shown[4]
    assert "bm25 - dpr" in shown[8]
    assert re.search(r"^RR +1.0000", shown[10], re.MULTILINE)
    assert "run:dense - theirs:dpr" in shown[11]
    assert "answers:hybrid" in (tmp_path / "report.html").read_text(encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    (code,) = blocks("python", "docs/evaluation.md")
    names = {}
    exec(code, names)
    means = {(figure.system, figure.measure): figure.value.mean for figure in names["figures"]}
    assert means["bm25", "answer@1"] == 1
    assert capsys.readouterr().out.startswith("0.333")


def test_every_command_has_help_with_an_example():
    text = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    for section in text.split("\n## ")[1:]:
        if section.split("\n", 1)[0] not in ("opendpr", "opendpr train"):
            assert "Example" in section, section.split("\n", 1)[0]
