"""A folder or a single file is a collection, for every command that takes one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import opendpr

PIER = "The pier of Orvik was built by Anna Berg in 1901.\n"
MILL = "The mill is older than the pier, and stands beside the river.\n"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = tmp_path / "my notes"
    folder.mkdir()
    (folder / "pier.txt").write_text(PIER)
    (folder / "mill.txt").write_text(MILL)
    return folder


def lines(done):
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_a_folder_is_listed_shown_and_searched_in_one_cache(run, folder, tiny_model):
    assert [document["id"] for document in lines(run("list", folder, "--json"))] == ["mill.txt", "pier.txt"]
    assert run("show", folder, "pier.txt").stdout == PIER
    (hit,) = lines(run("search", folder, "Anna", "Berg", "-r", "bm25", "-k", "1", "--json"))
    assert hit["document_id"] == "pier.txt"
    assert run("verify", folder).returncode == 0
    (cached,) = (line for line in lines(run("cache", "--json")) if "source" in line)
    assert (cached["source"], cached["passages"]) == (str(folder), 2)


def test_a_place_or_a_misspelt_name_leads_to_the_document(run, folder):
    (folder / "pier.md").write_text("# Pier\n\n## Builder\n\nAnna Berg built it.\n")
    done = run("show", folder, "pier.md#builder")
    assert (done.returncode, done.stdout) == (3, "")
    assert "'builder' is a place in 'pier.md', leave it out" in done.stderr
    assert "did you mean 'pier.txt'?" in run("show", folder, "peir.txt").stderr


def test_looking_at_a_folder_changes_nothing_though_a_file_is_skipped(run, folder):
    (folder / "empty.txt").write_text("")
    versions = [json.loads(run("info", folder, "--json").stdout)["version"] for _ in range(3)]
    assert versions[1] == versions[2]


def test_a_search_that_finds_nothing_says_so(run, folder):
    assert run("search", folder, "zzzz", "-r", "bm25").stdout == "no passage found\n"
    assert run("search", folder, "zzzz", "-r", "bm25", "--json").stdout == ""


def test_files_that_come_and_go_are_seen_by_every_command(run, folder):
    run("list", folder)
    (folder / "mill.txt").unlink()
    (folder / "new.txt").write_text("A new note.\n")
    done = run("list", folder, "--json")
    assert [document["id"] for document in lines(done)] == ["new.txt", "pier.txt"]
    assert "documents: 1 added, 1 removed, 1 unchanged" in done.stderr


def test_a_single_file_is_a_collection(run, folder, tiny_model):
    answered = lines(run("ask", folder / "pier.txt", "--model", tiny_model, "--json", "who", "built", "the", "pier?"))
    assert answered[0]["question"] == "who built the pier?"
    assert answered[0]["answers"][0]["spans"][0]["passage"]["document_id"] == "pier.txt"
    with opendpr.open(folder / "pier.txt", tiny_model) as opened:
        assert [summary.id for summary in opened.documents()] == ["pier.txt"]


def test_rows_that_are_gone_from_a_single_file_are_removed(run, tmp_path):
    rows = tmp_path / "rows.jsonl"
    rows.write_text('{"id": "1", "text": "one"}\n{"id": "2", "text": "two"}\n')
    (tmp_path / "other.txt").write_text("not of it")
    assert len(lines(run("list", rows, "--json"))) == 2
    rows.write_text('{"id": "2", "text": "two"}\n')
    assert [document["id"] for document in lines(run("list", rows, "--json"))] == ["2"]


def test_questions_are_measured_on_a_folder(run, folder, tiny_model, tmp_path):
    questions = tmp_path / "questions.jsonl"
    questions.write_text('{"question": "Who built the pier?", "answers": ["Anna Berg"]}\n')
    done = run("evaluate", folder, questions, "-r", "bm25", "--json")
    assert done.returncode == 0, done.stderr
    with_model = opendpr.evaluate(folder, str(questions), systems="bm25")
    assert with_model.figure("answer@1") == 1


def test_a_folder_is_cut_otherwise_if_that_is_asked_and_stays_so(run, folder, tiny_model):
    (folder / "long.txt").write_text(" ".join(f"word{number}" for number in range(100)))
    ask = ("ask", folder, "--model", tiny_model, "who")
    assert "again" not in run(*ask).stderr
    done = run(*ask, "--words", 20, "--overlap", 5)
    assert f"all documents of {folder} were cut again: 20 words, overlap 5" in done.stderr
    assert "again" not in run(*ask).stderr
    (info,) = lines(run("info", folder, "--json"))
    assert (info["splitter"]["words"], info["splitter"]["overlap"]) == (20, 5)


def test_what_would_change_a_folder_is_refused_with_what_to_do(run, folder):
    for command in (["remove", folder, "pier.txt"], ["encode", folder], ["serve", folder, "--writable"]):
        done = run(*command)
        assert (done.returncode, f"'opendpr add NAME {folder}'" in done.stderr) == (2, True), done.stderr


def test_a_collection_is_not_cut_otherwise_by_a_question(run, folder, tmp_path):
    run("add", "notes", folder, "--no-vectors", cwd=tmp_path)
    done = run("ask", "notes", "who", "--words", 20, cwd=tmp_path)
    assert (done.returncode, "opendpr add notes FILE... --resplit" in done.stderr) == (2, True)


def test_a_broken_collection_is_not_taken_for_a_folder(run, folder, tmp_path):
    run("add", "notes", folder, "--no-vectors", cwd=tmp_path)
    (tmp_path / "notes" / "collection.db").unlink()
    done = run("list", "notes", cwd=tmp_path)
    assert (done.returncode, "has no collection.db" in done.stderr) == (4, True)


def test_info_shows_where_the_cache_is_and_clear_takes_it_away(run, folder, tmp_path):
    (info,) = lines(run("info", folder, "--json"))
    assert Path(info["directory"]).is_relative_to(tmp_path / "cache")
    assert info["directory"] in run("info", folder).stdout
    run("list", folder / "pier.txt")
    assert len(run("cache").stdout.splitlines()) == 2
    done = run("cache", "--clear", folder)
    assert done.stderr.startswith("removed 1 cached collection, ")
    left = lines(run("cache", "--json"))
    assert [cached["source"] for cached in left if "source" in cached] == [str(folder / "pier.txt")]
    assert run("cache", "--clear-all").returncode == 0
    assert lines(run("cache", "--json")) == []
    refused = run("cache", "--clear", folder)
    assert (refused.returncode, "has no cached collection" in refused.stderr) == (4, True)
    assert (folder / "pier.txt").read_text() == PIER


def test_compiled_networks_are_counted_and_cleared_with_all(run, tmp_path):
    network = tmp_path / "cache" / "opendpr" / "networks" / "one.network"
    network.parent.mkdir(parents=True)
    network.write_bytes(bytes(2_000_000))
    assert run("cache").stderr == "0 cached collections, 0 B; 1 compiled network, 2.0 MB\n"
    assert lines(run("cache", "--json")) == [{"network": str(network), "size_bytes": 2_000_000, "cleared": False}]
    assert run("cache", "--clear-all").returncode == 0
    assert not network.exists()


def test_options_of_other_programs_lead_to_ours(run, folder):
    done = run("search", folder, "pier", "--top-k", 3)
    assert (done.returncode, "no option --top-k; did you mean -k?" in done.stderr) == (2, True)
    done = run("search", folder, "pier", "-r", "fuzzy")
    assert (done.returncode, "'fuzzy' is not one of 'hybrid', 'dense', 'bm25'" in done.stderr) == (2, True)
    assert "Value error" not in done.stderr


@pytest.mark.parametrize("verb", ["ask", "search"])
def test_a_second_file_is_not_taken_for_the_question(run, folder, verb):
    done = run(verb, folder / "mill.txt", folder / "pier.txt", "Who built the pier?")
    assert (done.returncode, "pier.txt' is a file, and one place can be asked" in done.stderr) == (2, True)
