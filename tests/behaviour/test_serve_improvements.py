"""A better model made at the service: started, watched, judged, applied and undone by HTTP and at the page."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from browsing import wait_for_words
from opendpr.collection import open_collection, open_writer
from opendpr.collection.judgements import judgements, open_judgements, remove_judgements
from opendpr.improving.judging import add_files
from opendpr.model.directory import find_model
from served import START_SECONDS, Served, serving
from ships import SHIPS, answer_all_rightly, make_harbour, make_improved, write_judged

SEARCH = {"question": "How long is the ship number 5?", "k": 1, "retriever": "hybrid"}
FORM = "application/x-www-form-urlencoded"
WRITER, READER = "a-token-that-writes", "a-token-that-only-reads"


@pytest.fixture
def harbour(tmp_path: Path, tiny_model: Path) -> Path:
    """A register of ships with a judged question about each."""
    make_harbour(tmp_path / "harbour", tiny_model)
    add_files(tmp_path / "harbour", [write_judged(tmp_path / "judged.jsonl")])
    return tmp_path / "harbour"


@pytest.fixture
def improving(harbour: Path, serve_environment: dict[str, str]) -> Iterator[Served]:
    with serving(harbour, "--writable", environment=serve_environment) as served:
        yield served


def model_of(collection: Path) -> str:
    with open_collection(collection) as opened:
        return opened.require_encoder().model


def send(served: Served, path: str, fields: object = (), **headers: str) -> Any:
    body = urlencode(fields, doseq=True).encode()  # type: ignore[arg-type]
    return served.ask("POST", path, body, **{"Origin": served.url, "Content_Type": FORM, **headers})


def weight_in_use(served: Served) -> float:
    """The lambda that the best passage was found with."""
    [passage] = served.ask("POST", "/v1/search", SEARCH).json["passages"]
    return float((passage["score"] - passage["parts"]["bm25"]) / passage["parts"]["dense"])


def test_an_improvement_is_made_judged_applied_and_undone_without_a_restart(improving: Served, harbour: Path) -> None:
    before = model_of(harbour)
    status = improving.ask("GET", "/v1/improvements").json
    assert (status["judged"], status["usable"], status["missing"], status["latest"]) == (SHIPS + 1, SHIPS + 1, "", None)
    assert status["learned"] + status["apart"] == SHIPS + 1
    started = improving.ask("POST", "/v1/improvements")
    assert (started.status, started.json["kind"]) == (202, "improve")
    assert started.headers["Location"] == f"/v1/jobs/{started.json['id']}"
    weight = weight_in_use(improving)
    assert weight == pytest.approx(find_model(before).hybrid_weight, rel=1e-3)
    events = improving.ask("GET", f"/v1/jobs/{started.json['id']}/events").body.decode()
    stages = [json.loads(event.removeprefix("data: "))["stage"] for event in events.strip().split("\n\n")]
    assert {"judging before", "judging after"} & set(stages)
    done = improving.wait(started.json)
    assert done["state"] == "done", done
    made = improving.ask("GET", f"/v1/improvements/{done['improvement']}").json
    assert made == improving.ask("GET", "/v1/improvements").json["latest"]
    assert (made["state"], made["before"], made["is_better"], made["can_apply"]) == ("done", before, False, False)
    assert made["learned"] + made["apart"] == SHIPS + 1
    assert made["exact_match"]["low"] <= made["exact_match"]["mean"] <= made["exact_match"]["high"]
    refused = improving.ask("POST", f"/v1/improvements/{made['id']}/apply")
    assert refused.status == 409 and "is not shown to be better" in refused.json["detail"]
    assert model_of(harbour) == before

    answer_all_rightly(harbour.with_name("harbour-improved"))
    again = improving.wait(improving.ask("POST", "/v1/improvements").json)
    assert again["improvement"] == made["id"]
    assert improving.ask("GET", f"/v1/improvements/{made['id']}").json["can_apply"] is True
    assert improving.ask("POST", f"/v1/improvements/{made['id']}/undo").status == 409
    applied = improving.wait(improving.ask("POST", f"/v1/improvements/{made['id']}/apply").json)
    assert (applied["state"], applied["improvement"]) == ("done", made["id"])
    assert model_of(harbour) == str(harbour.with_name("harbour-improved"))
    assert improving.ask("GET", f"/v1/improvements/{made['id']}").json["is_applied"] is True
    assert improving.ask("POST", f"/v1/improvements/{made['id']}/apply").status == 409
    assert improving.ask("GET", "/v1/info").json["model"] == model_of(harbour)
    other = find_model(model_of(harbour)).hybrid_weight
    assert other != pytest.approx(weight, rel=1e-2)
    assert weight_in_use(improving) == pytest.approx(other, rel=1e-3)
    undone = improving.wait(improving.ask("POST", f"/v1/improvements/{made['id']}/undo").json)
    assert (undone["state"], model_of(harbour)) == ("done", before)
    assert weight_in_use(improving) == pytest.approx(weight, rel=1e-3)


@pytest.fixture
def improved(tmp_path: Path, tiny_model: Path) -> Path:
    """The same, with a finished improvement that is shown to be better."""
    return make_improved(tmp_path, tiny_model)


def page(served: Served, address: str = "/improvements", **headers: str) -> str:
    return unescape(served.ask("GET", address.partition("#")[0], **headers).body.decode())


def followed(served: Served, answer: Any) -> str:
    """The page that a form leads to, once its job is over."""
    assert answer.status == 303, answer.body
    address = answer.headers["Location"]
    served.wait({"id": re.findall("job=([0-9a-f]+)", address)[0]})
    return page(served, address)


def test_the_page_works_without_a_script(improved: Path, serve_environment: dict[str, str]) -> None:
    before = model_of(improved)
    with serving(improved, "--writable", environment=serve_environment) as served:
        shown = page(served)
        assert "61 judged questions" in shown and "The new model is better" in shown
        assert "Nothing was judged since" in shown and 'action="/improvements"' not in shown
        [id] = re.findall('name="id" value="([0-9a-f]+)"', shown)
        applied = followed(served, send(served, "/improvements/apply", {"id": id}))
        assert "Answers come from the new model now." in applied and "Go back to the model before" in applied
        assert model_of(improved) != before
        undone = followed(served, send(served, "/improvements/undo", {"id": id}))
        assert "Answers come from the model before again." in undone and "Switch to the new model" in undone
        assert model_of(improved) == before
        said = {"question": "Who sails them?", "verdict": "right"}
        assert served.ask("POST", "/v1/judgements", said).status == 201
        assert "Make a better model" in page(served)
        started = send(served, "/improvements")
        assert '<noscript><meta http-equiv="refresh"' in page(served, started.headers["Location"])
        made = followed(served, started)
        assert "The improvement is done." in made and "The new model is not shown to be better" in made
    assert improved.with_name("harbour-improved-2").is_dir()


def test_one_at_a_time_and_only_by_those_who_may(
    improved: Path, serve_environment: dict[str, str], tmp_path: Path
) -> None:
    tokens = tmp_path / "tokens.txt"
    tokens.write_text(f"{WRITER}\nread {READER}\n")
    with serving(improved, "--writable", "--token-file", tokens, environment=serve_environment) as served:
        writer, reader = ({"Authorization": f"Bearer {token}"} for token in (WRITER, READER))
        assert served.ask("GET", "/v1/improvements").status == 401
        id = served.ask("GET", "/v1/improvements", **reader).json["latest"]["id"]
        for path in ("", f"/{id}/apply", f"/{id}/undo"):
            assert served.ask("POST", f"/v1/improvements{path}", **reader).status == 403
        assert "/improvements/apply" not in page(served, **reader)
        cookie = {"Cookie": f"opendpr_token={WRITER}"}
        for path in ("/improvements", "/improvements/apply", "/improvements/undo"):
            assert served.ask("POST", path, b"", **cookie).status == 403, "no page sent it"
            assert send(served, path, {"id": id}, **cookie, Origin="http://evil.example").status == 403
            assert send(served, path, {"id": id}, Cookie=f"opendpr_token={READER}").status == 403
        assert served.ask("GET", "/v1/improvements/none", **writer).status == 404
        assert served.ask("POST", "/v1/improvements/none/apply", **writer).status == 404
        with open_writer(improved):
            job = served.ask("POST", f"/v1/improvements/{id}/apply", **writer).json
            for path in ("", f"/{id}/apply"):
                busy = served.ask("POST", f"/v1/improvements{path}", **writer)
                assert busy.status == 409 and job["id"] in busy.json["detail"]
            assert send(served, "/improvements", **cookie).status == 409
            watched = page(served, **cookie)
            assert f"/v1/jobs/{job['id']}/events" in watched and "/improvements/apply" not in watched
            assert served.ask("GET", "/v1/improvements", **writer).json["job"] == job["id"]
        done = served.ask("GET", f"/v1/jobs/{job['id']}/events", **writer).body.decode()
        assert '"state": "done"' in done


def test_what_cannot_be_improved_says_why(harbour: Path, serve_environment: dict[str, str]) -> None:
    with serving(harbour, "--judgements", environment=serve_environment) as judging:
        assert "opendpr improve harbour" in page(judging)
        assert judging.ask("POST", "/v1/improvements").status == 403
    with open_judgements(harbour) as writer:
        remove_judgements(writer, [judgement.id for judgement in judgements(writer)][12:])
    with serving(harbour, "--writable", environment=serve_environment) as served:
        assert "12 questions are judged, 30 are needed: 18 more." in page(served)
        assert 'value="12" max="30"' in page(served) and "Make a better model" not in page(served)
        few = served.ask("POST", "/v1/improvements")
        assert few.status == 409 and "18 more" in few.json["detail"]


def test_a_killed_service_reports_what_is_lost_and_goes_on(harbour: Path, serve_environment: dict[str, str]) -> None:
    before = model_of(harbour)
    with serving(harbour, "--writable", environment=serve_environment) as served:
        job = served.ask("POST", "/v1/improvements").json
        status: Any = {"latest": None}
        while status["latest"] is None:
            status = served.ask("GET", "/v1/improvements").json
        assert (status["latest"]["state"], status["job"]) == ("running", job["id"])
        served.process.kill()
        served.process.wait()
    with serving(harbour, "--writable", environment=serve_environment) as served:
        assert served.ask("GET", f"/v1/jobs/{job['id']}").status == 404
        latest = served.ask("GET", "/v1/improvements").json["latest"]
        assert (latest["state"], model_of(harbour)) == ("interrupted", before)
        shown = page(served, f"/improvements?job={job['id']}#change")
        assert "The service ended before this was over" in shown and "Go on" in shown
        assert served.ask("POST", f"/v1/improvements/{latest['id']}/apply").status == 409
        done = followed(served, send(served, "/improvements"))
        assert "The improvement is done." in done
        assert served.ask("GET", "/v1/improvements").json["latest"]["id"] == latest["id"]


def test_a_person_starts_watches_switches_and_goes_back(improving: Served, harbour: Path, browser: Any) -> None:
    by = pytest.importorskip("selenium.webdriver.common.by").By
    keys = pytest.importorskip("selenium.webdriver.common.keys").Keys

    def press(label: str) -> None:
        browser.find_element(by.XPATH, f"//button[text()='{label}']").send_keys(keys.ENTER)

    def shows(words: str) -> None:
        wait_for_words(browser, words, START_SECONDS)

    before = model_of(harbour)
    browser.get(improving.url)
    browser.find_element(by.LINK_TEXT, "Improve").send_keys(keys.ENTER)
    shows("61 judged questions")
    press("Make a better model")
    shows("The new model is not shown to be better")
    answer_all_rightly(harbour.with_name("harbour-improved"))
    improving.wait(improving.ask("POST", "/v1/improvements").json)
    browser.get(f"{improving.url}/improvements")
    press("Switch to the new model")
    shows("The new model is in use")
    assert model_of(harbour) != before
    press("Go back to the model before")
    shows("Answers come from the model before again.")
    assert model_of(harbour) == before
    assert [entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE"] == []
