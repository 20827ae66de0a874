"""`opendpr plan` through the command line."""

import json

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


def test_a_plan_for_people(run, tiny_model):
    done = run("plan", "-n", 1_000_000, "--memory", "430MB", "--model", tiny_model)
    assert done.returncode == 6
    assert done.stdout == ""
    assert "1,000,000 passages do not fit into 0.4 GB of memory" in done.stderr
    done = run("plan", "-n", 40_000, "--memory", "1GB", "--model", tiny_model)
    assert [line.split()[0] for line in done.stdout.splitlines()[1:3]] == ["exact", "ivf"]
    assert "takes exact for 40,000 passages of 32 numbers" in done.stdout


def test_a_plan_of_a_collection_counts_what_is_there(run, rivers, other_model):
    plan = json.loads(run("plan", rivers, "--json").stdout)
    passages = json.loads(run("info", rivers, "--json").stdout)["passages"]
    assert plan["passages"] == passages
    assert all(kind["encode_seconds"] == 0 for kind in plan["kinds"])
    more = json.loads(run("plan", rivers, "--passages", passages + 100, "--json").stdout)
    assert all(kind["encode_seconds"] > 0 for kind in more["kinds"])
    anew = json.loads(run("plan", rivers, "--model", other_model, "--json").stdout)
    assert all(kind["encode_seconds"] > 0 for kind in anew["kinds"]), "another model makes all vectors anew"


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ([], 2, "give a collection, or how many"),
        (["-n", 100, "--memory", "much"], 2, "is no size"),
        (["nowhere"], 4, "is not a collection"),
        (["-n", 100, "--memory", "1MB"], 6, "do not fit into 0.0 GB"),
    ],
)
def test_what_cannot_be_planned_is_refused(run, tmp_path, arguments, code, words):
    done = run("plan", *arguments, cwd=tmp_path)
    assert done.returncode == code
    assert words in done.stderr
