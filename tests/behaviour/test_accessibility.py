"""Every state of the pages against WCAG 2.2 AA, by axe-core (https://github.com/dequelabs/axe-core)."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from opendpr.evaluation.judges import AnswerJudge
from opendpr.evaluation.report import write_report
from opendpr.evaluation.task import Task, evaluate
from served import RIVERS, Served, serving, upload
from ships import make_improved

GUIDE = f"""# Guide

## Ports

| pier | year |
|---|---|
| stone | 1874 |

- one
- two

    code

{3_000 * "word "}
"""
TOKEN = "correct-horse-battery"
STANDARDS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
AXE = """
const done = arguments[arguments.length - 1];
document.querySelectorAll('details').forEach(one => { one.open = true });
const place = node => node.html.slice(0, 200) + ' ' + node.failureSummary;
axe.run(document, { runOnly: arguments[0] }).then(({ violations }) =>
  done(violations.map(({ id, help, nodes }) => [id, help, nodes.slice(0, 3).map(place)])));
"""
LOOKS = [(width, scheme) for width in (1200, 375) for scheme in ("light", "dark")]


@pytest.fixture(scope="module")
def axe() -> str:
    """The source of axe-core, as a package for tests carries it."""
    spec = importlib.util.find_spec("axe_playwright_python")
    if spec is None or not spec.submodule_search_locations:
        pytest.skip("axe-core is not installed (pip install axe-playwright-python)")
    return Path(spec.submodule_search_locations[0], "axe.min.js").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def guarded(rivers: Path, serve_environment: dict[str, str]) -> Iterator[Served]:
    with serving(rivers, environment={**serve_environment, "OPENDPR_TOKEN": TOKEN}) as served:
        yield served


def violations(browser: Any, axe: str, url: str) -> list[object]:
    """What axe finds in each look of a page."""
    broken: list[object] = []
    for width, scheme in LOOKS:
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600}
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
        browser.get(url)
        browser.execute_script(axe)
        broken += [(width, scheme, *violation) for violation in browser.execute_async_script(AXE, STANDARDS)]
    return broken


@pytest.mark.slow
def test_no_state_of_a_page_keeps_anyone_out(served: Served, guarded: Served, browser: Any, axe: str) -> None:
    browser.set_script_timeout(300)
    guide = (
        b"# Guide\n\n## Ports\n\n| pier | year |\n|---|---|\n| stone | 1874 |\n\n- one\n- two\n\n    code\n"
        + b"word " * 3_000
    )
    job = served.wait(upload(served, ("guide.md", guide), ("old.doc", b"x")).json)
    states = [
        "/",
        f"/?{urlencode({'q': 'Who built the pier of Orvik?', 'scores': 1})}",
        f"/?{urlencode({'q': 'stone pier year'})}",
        f"/?{urlencode({'q': 'pier', 'where': 'year >'})}",
        f"/?{urlencode({'q': 'pier', 'where': 'year > 3000'})}",
        "/documents",
        f"/documents?{urlencode({'job': job['id']})}",
        f"/documents?{urlencode({'words': 'none', 'filter': 'year = 1901'})}",
        "/document?id=two.pdf&start=28&end=38&find=page&q=pier",
        "/document?id=guide.md&sheet=1",
        "/document?id=none",
        "/docs",
        "/improvements",
        "/none",
    ]
    broken = {path: violations(browser, axe, served.url + path) for path in states}
    broken["/login"] = violations(browser, axe, f"{guarded.url}/documents")
    served.wait(served.ask("DELETE", "/v1/documents/guide.md").json)
    failing = {path: own for path, own in broken.items() if own}
    assert not failing, json.dumps(failing, indent=1)


@pytest.mark.slow
def test_no_state_of_an_improvement_keeps_anyone_out(
    tiny_model: Path, serve_environment: dict[str, str], browser: Any, axe: str, tmp_path: Path
) -> None:
    browser.set_script_timeout(300)
    with serving(make_improved(tmp_path, tiny_model), "--writable", environment=serve_environment) as improving:
        broken = {path: violations(browser, axe, f"{improving.url}/improvements{path}") for path in ("", "?job=lost")}
    failing = {path: own for path, own in broken.items() if own}
    assert not failing, json.dumps(failing, indent=1)


@pytest.mark.slow
def test_the_report_keeps_nobody_out(rivers: Path, browser: Any, axe: str, tmp_path: Path) -> None:
    browser.set_script_timeout(300)
    questions, run, output = tmp_path / "rivers.jsonl", tmp_path / "run.jsonl", tmp_path / "report.html"
    records = [{"question": f"Which town is on the {river}?", "answers": [town]} for river, town in RIVERS.items()]
    questions.write_text("".join(f"{json.dumps(record)}\n" for record in records))
    evaluate(rivers, Task([questions], ("bm25", "dense", "hybrid")), AnswerJudge((1, 3), (2,)), output=run)
    write_report([run], output)
    assert violations(browser, axe, output.as_uri()) == []
