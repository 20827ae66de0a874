"""`opendpr plan` through the command line."""

import json
import shutil

import pytest


def test_a_plan_names_what_it_would_take(run, tiny_model):
    done = run("plan", "--passages", 5_000_000, "--memory", "8GB", "--model", tiny_model, "--json")
    assert done.returncode == 0, done.stderr
    plan = json.loads(done.stdout)
    assert (plan["passages"], plan["dim"], plan["memory_bytes"], plan["taken"]) == (5_000_000, 32, 8 * 10**9, "ivf")
    exact, ivf = plan["kinds"]
    assert (exact["kind"], ivf["kind"]) == ("exact", "ivf")
    assert ivf["memory_bytes"] < exact["memory_bytes"] < 8 * 10**9
    assert exact["fits"]
    assert min(ivf["encode_seconds"], ivf["build_seconds"]) > 0
    assert min(plan["rates"].values()) > 0
    assert ivf["encode_seconds"] == pytest.approx(5_000_000 / plan["rates"]["encoded_passages"])


def test_the_rate_of_another_machine_can_be_given(run, tiny_model):
    arguments = ("--passages", 5_000_000, "--memory", "8GB", "--model", tiny_model, "--passages-per-second", 2_500)
    plan = json.loads(run("plan", *arguments, "--json").stdout)
    assert [kind["encode_seconds"] for kind in plan["kinds"]] == [2_000, 2_000]
    assert "; as given: 2,500 passages encoded" in run("plan", *arguments).stdout


def test_a_plan_for_people(run, tiny_model):
    done = run("plan", "-n", 1_000_000, "--memory", "430MB", "--model", tiny_model)
    assert done.returncode == 6
    assert done.stdout == ""
    assert "1,000,000 passages do not fit into 430.0 MB of memory" in done.stderr
    done = run("plan", "-n", 40_000, "--memory", "1GB", "--model", tiny_model)
    assert [line.split()[0] for line in done.stdout.splitlines()[1:3]] == ["exact", "ivf"]
    assert "takes exact for 40,000 passages of 32 numbers" in done.stdout
    assert "rates measured here, a second: " in done.stdout


def test_a_plan_of_a_collection_counts_what_is_there(run, rivers, other_model):
    plan = json.loads(run("plan", rivers, "--json").stdout)
    passages = json.loads(run("info", rivers, "--json").stdout)["passages"]
    assert plan["passages"] == passages
    assert all(kind["encode_seconds"] == 0 for kind in plan["kinds"])
    more = json.loads(run("plan", rivers, "--passages", passages + 100, "--json").stdout)
    assert all(kind["encode_seconds"] > 0 for kind in more["kinds"])
    again = json.loads(run("plan", rivers, "--model", other_model, "--json").stdout)
    assert all(kind["encode_seconds"] > 0 for kind in again["kinds"]), "another model encodes all passages again"


def test_a_plan_for_several_machines(run, tiny_model):
    size = ("--passages", 100_000_000, "--model", tiny_model, "--passages-per-second", 2_500)
    plan = json.loads(run("plan", *size, "--machines", 4, "--memory", "16GB", "--json").stdout)
    assert (plan["passages"], plan["dim"], plan["machines"]) == (100_000_000, 32, 4)
    assert plan["encode_seconds"] == 10_000
    assert plan["server_memory_bytes"] < 16 * 10**9
    done = run("plan", *size, "--machines", 4, "--memory", "16GB")
    assert [line.split()[0] for line in done.stdout.splitlines()[1:]] == ["collection,", "encode", "push"]
    refused = run("plan", *size, "--machines", 4, "--memory", "2GB")
    assert refused.returncode == 6
    assert "take 25 machines or more" in refused.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ([], 2, "give a collection, or how many"),
        (["-n", 100, "--memory", "much"], 2, "is no size"),
        (["nowhere"], 4, "is not a collection"),
        (["-n", 100, "--memory", "1MB"], 6, "do not fit into 1.0 MB"),
    ],
)
def test_what_cannot_be_planned_is_refused(run, tmp_path, arguments, code, words):
    done = run("plan", *arguments, cwd=tmp_path)
    assert done.returncode == code
    assert words in done.stderr


def test_a_plan_of_a_collection_that_is_encoded_needs_no_model(run, rivers, tiny_model, tmp_path):
    shutil.copytree(tiny_model, tmp_path / "model")
    shutil.copytree(rivers, tmp_path / "notes")
    assert run("encode", tmp_path / "notes", "--model", tmp_path / "model").returncode == 0
    (tmp_path / "model").rename(tmp_path / "moved")
    done = run("plan", tmp_path / "notes", "--json")
    assert done.returncode == 0, done.stderr
    plan = json.loads(done.stdout)
    assert plan["dim"] == 32
    assert all(kind["encode_seconds"] == 0 for kind in plan["kinds"])
    done = run("plan", tmp_path / "notes", "--passages", 1_000)
    assert (done.returncode, "there is no model at" in done.stderr) == (4, True), "what is new has to be encoded"


def test_info_shows_the_size_of_caches_too(run, rivers):
    record = json.loads(run("info", rivers, "--json").stdout)
    assert record["cache_bytes"]["bm25"] == sum(path.stat().st_size for path in (rivers / "bm25").iterdir())
    assert "caches beside it: bm25 " in run("info", rivers).stdout


def test_a_mistyped_name_in_a_filter_is_reported_with_those_that_are_near(run, tmp_path):
    lines = [json.dumps({"id": f"d{n}", "text": "the mill", "year": 2_000 + n, "source": "s"}) for n in range(3)]
    (tmp_path / "documents.jsonl").write_text("\n".join(lines))
    assert run("add", tmp_path / "notes", tmp_path / "documents.jsonl", "--no-vectors").returncode == 0
    message = "no document has 'yaer' in its metadata; the names, nearest first, are year"
    assert message in run("search", tmp_path / "notes", "mill", "-r", "bm25", "--where", "yaer > 1999").stderr
    assert message in run("remove", tmp_path / "notes", "--where", "yaer > 1999").stderr
    unmet = run("search", tmp_path / "notes", "mill", "-r", "bm25", "--where", "year > 2999").stderr
    assert "no document meets 'year > 2999'; names to ask for are id, title" in unmet
