"""`opendpr report`: runs as a page, and the page in a browser."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from conftest import Run

import opendpr
from opendpr.evaluation.judges import AnswerJudge, DocumentJudge
from opendpr.evaluation.report import make_report
from opendpr.evaluation.task import Task, evaluate
from opendpr.model.runtime import RuntimeSettings
from opendpr.types import Document

HOSTILE = "<script>window.marker=1</script><img src=x onerror=window.marker=1>\"'></style></title>"
TOWNS = {"Tarn": "Albi", "Lot": "Cahors", "Orne": "Caen", "Vire": "Saint-Lô"}


@pytest.fixture(scope="module")
def towns(tmp_path_factory: pytest.TempPathFactory, tiny_model: Path) -> Path:
    directory = tmp_path_factory.mktemp("towns") / "towns"
    documents = [
        Document(river, f"The {river}", f"The river {river} runs through the town of {town}. {'word ' * 110}")
        for river, town in TOWNS.items()
    ]
    documents.append(Document(f"id {HOSTILE}", HOSTILE, f"The river Rhine {HOSTILE} runs through Cologne."))
    opendpr.add(directory, documents, str(tiny_model))
    return directory


@pytest.fixture(scope="module")
def questions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("questions") / "rivers.jsonl"
    records = [
        {"id": river, "question": f"Which town is on the river {river}?", "answers": [town], "document_id": river}
        for river, town in TOWNS.items()
    ]
    records.append({"id": HOSTILE, "question": f"the river Rhine {HOSTILE}", "answers": ["Cologne", HOSTILE]})
    records.append({"id": "regex", "question": "river Lot?", "answers": [r"cah\w+", "["], "match": "regex"})
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def answered(towns: Path, questions: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of two systems with reader."""
    path = tmp_path_factory.mktemp("runs") / "answered.jsonl"
    task = Task([questions], ("bm25", "dense"), runtime=RuntimeSettings("openvino", "fp32"))
    evaluate(towns, task, AnswerJudge((1, 3, 8), (2, 6)), output=path)
    return path


def test_a_report_has_the_figures_of_the_run(answered: Path, tmp_path: Path, run: Run) -> None:
    output = tmp_path / "report.html"
    done = run("report", answered, "-o", output, "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"report": str(output), "bytes": output.stat().st_size}
    page = output.read_text(encoding="utf-8")
    (shown,) = make_report([answered]).sets
    figures = shown.summary.figures
    assert {figure.measure for figure in figures} >= {"answer@8", "document@1", "EM@6", "F1@2"}
    for figure in figures:
        assert f">{100 * figure.value.mean:.1f}<" in page
    assert "&#39;[&#39; is not a regular expression" in page
    run("report", answered, "-o", tmp_path / "again.html")
    assert (tmp_path / "again.html").read_text(encoding="utf-8") == page


def test_curves_go_through_the_figures(answered: Path) -> None:
    (shown,) = make_report([answered]).sets
    means = {(figure.system, figure.measure): figure.value.mean for figure in shown.summary.figures}
    for target in ("answer", "document"):
        for line in shown.curves[target]:
            assert [k for k, _ in line.values] == list(range(1, 9))
            assert sorted(line.marks) == [1, 3, 8]
            for k in (1, 3, 8):
                assert dict(line.values)[k] == means[line.name, f"{target}@{k}"]
    for line in shown.coverage:
        assert line.values[-1] == (100, means[line.name, "EM@6"])
    for line in shown.reliability:
        assert all(0 <= confidence <= 100 for confidence, _ in line.values)
        assert sorted(line.marks) == [confidence for confidence, _ in line.values]
        assert 0 <= shown.calibration[line.name].error <= 1


def test_what_is_marked_as_given_is_the_answer_given(answered: Path) -> None:
    (shown,) = make_report([answered]).sets
    given = [(example, passage) for example in shown.examples for passage in example.passages if passage.given_place]
    assert given
    for example, passage in given:
        assert passage.text[slice(*passage.given_place)] == example.given_answer
    assert {example.system for example in shown.examples} == {"bm25", "dense"}


def test_a_report_begins_with_what_was_asked_and_shows_the_questions_that_decide_it(
    towns: Path, questions: Path, tmp_path: Path, run: Run
) -> None:
    output = tmp_path / "both.html"
    runs = [tmp_path / "before.jsonl", tmp_path / "after.jsonl"]
    for path, systems in zip(runs, (("bm25", "dense"), ("dense", "bm25")), strict=True):
        evaluate(towns, Task([questions], systems), AnswerJudge((1,)), output=path)
    done = run("report", *runs, "-o", output)
    assert done.returncode == 0, done.stderr
    page = output.read_text(encoding="utf-8")
    verdict = "<bdi>after:dense</bdi> is not shown to be better than <bdi>before:dense</bdi>: answer@1 +0.0 ("
    assert page.index(verdict) < page.index('<div class="tiles">')
    assert "Other comparisons" in page
    assert "0 questions won, 0 lost" in page

    evaluate(towns, Task([questions], ("dense", "bm25")), AnswerJudge((1,)), output=tmp_path / "one.jsonl")
    (shown,) = make_report([tmp_path / "one.jsonl"]).sets
    (compared,) = shown.contrasts
    assert (compared.contrast.before, compared.contrast.after) == ("dense", "bm25")
    assert len(compared.won) == min(5, len(compared.contrast.won)) > 0
    for before, after in compared.won:
        assert before.id == after.id
        assert not before.passages[0].answers
        assert after.passages[0].answers
    assert sum(map(len, (compared.contrast.won, compared.contrast.lost))) + compared.contrast.equal == 6


def test_runs_without_reader_and_several_runs_are_reported(
    towns: Path, questions: Path, answered: Path, tmp_path: Path, run: Run
) -> None:
    found, output = tmp_path / "found.jsonl", tmp_path / "both.html"
    evaluate(towns, Task([questions], ("bm25",)), AnswerJudge((1, 5)), output=found)
    done = run("report", found, answered, "-o", output)
    assert done.returncode == 0, done.stderr
    page = output.read_text(encoding="utf-8")
    assert "found:bm25" in page
    assert "answered:dense" in page
    (shown,) = make_report([found]).sets
    assert {example.outcome for example in shown.examples} <= {
        "an answer in the first passage", "an answer in a later passage", "no answer in the passages"
    }  # fmt: skip
    assert not shown.coverage


def test_judged_collections_are_reported_without_curves(towns: Path, questions: Path, tmp_path: Path, run: Run) -> None:
    judged, output = tmp_path / "judged.jsonl", tmp_path / "judged.html"
    evaluate(towns, Task([questions], ("bm25",)), DocumentJudge({"Tarn": {"Tarn": 1}}, "qrels"), output=judged)
    done = run("report", judged, "-o", output)
    assert done.returncode == 0, done.stderr
    page = output.read_text(encoding="utf-8")
    assert "nDCG@10" in page
    assert "1.0000" in page
    assert "<polyline" not in page


def test_what_cannot_be_reported_is_refused(answered: Path, questions: Path, tmp_path: Path, run: Run) -> None:
    before = answered.read_bytes()
    done = run("report", answered, "-o", answered)
    assert done.returncode == 2
    assert "give a name that ends in .html" in done.stderr
    assert answered.read_bytes() == before
    cut = tmp_path / "cut.jsonl"
    cut.write_bytes(b"".join(before.splitlines(keepends=True)[:3]))
    done = run("report", cut, "-o", tmp_path / "page.html")
    assert done.returncode == 4
    assert "is not complete" in done.stderr
    done = run("report", questions, "-o", tmp_path / "page.html")
    assert done.returncode == 3
    assert "is not a run" in done.stderr
    assert not (tmp_path / "page.html").exists()


def test_the_page_shows_in_a_browser_with_nothing_from_outside(
    answered: Path, tmp_path: Path, browser: Any, run: Run
) -> None:
    output = tmp_path / "report.html"
    assert run("report", answered, "-o", output).returncode == 0
    size = {"width": 375, "height": 800, "deviceScaleFactor": 1, "mobile": True}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    browser.get(output.as_uri())
    browser.execute_script("document.querySelectorAll('details').forEach(one => { one.open = true })")
    assert HOSTILE in browser.execute_script("return document.body.textContent")
    assert browser.execute_script("return window.marker") is None
    assert browser.execute_script("return document.querySelectorAll('script, img').length") == 0

    assert browser.execute_script("return document.documentElement.scrollWidth") <= 375
    outside = """return [...document.querySelectorAll('body *')].filter(one =>
        !one.closest('.scroll table, .skip') && one.getBoundingClientRect().right > 375.5).map(one => one.outerHTML)"""
    assert browser.execute_script(outside) == []

    points = "return [...document.querySelectorAll('.figures polyline')].map(one => one.points.numberOfItems)"
    assert browser.execute_script(points) == [8, 8, 8, 8]
    assert browser.execute_script("return document.querySelectorAll('.sure polyline').length") == 2 * 2
    marks = "return document.querySelectorAll('.figures .chart .mark').length"
    assert browser.execute_script(marks) == 2 * 2 * 3
    backgrounds = []
    for scheme in ("light", "dark"):
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
        backgrounds.append(browser.execute_script("return getComputedStyle(document.body).backgroundColor"))
    assert backgrounds == ["rgb(246, 247, 249)", "rgb(17, 21, 27)"]  # so the style is not held back by the policy

    assert browser.get_log("browser") == []
    messages = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    requests = [message["params"] for message in messages if message["method"] == "Network.requestWillBeSent"]
    asked = [request["request"]["url"] for request in requests if request["documentURL"] == output.as_uri()]
    assert asked == [output.as_uri()]
