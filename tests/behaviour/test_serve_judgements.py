"""Answers judged by HTTP and at the page: stored as questions, by those who may, and taken back."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from conftest import Run

import opendpr
from browsing import waiting
from opendpr.collection.judgements import Judgement
from opendpr.types import Document
from served import Served, serving

QUESTION = "Who built the pier of Orvik?"
HOSTILE = "<img src=x onerror=window.marker=1> '\"</script><script>window.marker=1</script>"
DOCUMENTS = [
    Document("pier.md", "Pier", "# Pier\n\nThe pier of **Orvik** was built by\nMarta Lindqvist in 1874."),
    Document("hostile", HOSTILE, f"The pier {HOSTILE} stands."),
    Document("tide.txt", "Tide", "The tide at the pier is 3 m."),
    Document("lines.txt", "Lines", "The lamp stands at\r\nthe end."),
]
START = DOCUMENTS[0].text.index("Marta")
END = START + len("Marta Lindqvist")
FORM = "application/x-www-form-urlencoded"
WRITER, READER = "a-token-that-writes", "a-token-that-only-reads"
OTHER_WRITER = "another-token-that-writes"


@pytest.fixture
def notes(tmp_path: Path, tiny_model: Path) -> Path:
    opendpr.add(tmp_path / "notes", DOCUMENTS, str(tiny_model))
    return tmp_path / "notes"


@pytest.fixture
def judged(notes: Path, serve_environment: dict[str, str]) -> Iterator[Served]:
    """A service that stores what is said of answers, and changes no document."""
    with serving(notes, "--judgements", environment=serve_environment) as served:
        yield served


def stored(notes: Path) -> list[Judgement]:
    with opendpr.open(notes, retriever="bm25") as opened:
        return opened.judgements()


def said(verdict: str, start: int = START, end: int = END, **fields: object) -> dict[str, object]:
    answer = {"document_id": "pier.md", "start": start, "end": end, "text": DOCUMENTS[0].text[start:end] or "none"}
    return {"question": QUESTION, "verdict": verdict, "answer": answer, **fields}


def send(served: Served, path: str, fields: object, **headers: str) -> Any:
    body = urlencode(fields, doseq=True).encode()  # type: ignore[arg-type]
    return served.ask("POST", path, body, **{"Origin": served.url, "Content_Type": FORM, **headers})


def test_programs_judge_and_take_back(judged: Served, notes: Path) -> None:
    assert judged.ask("GET", "/v1/info").json["judgements"] is True
    made = judged.ask("POST", "/v1/judgements", said("better", shown={"text": "Orvik", "confidence": 0.25}))
    assert made.status == 201
    assert made.json["text"] == "Marta Lindqvist"
    [judgement] = stored(notes)
    assert (judgement.id, judgement.question, judgement.document_id) == (made.json["id"], QUESTION, "pier.md")
    assert (judgement.shown.text, judgement.shown.confidence, judgement.who) == ("Orvik", 0.25, "")
    assert judgement.shown.fingerprint == judged.ask("GET", "/v1/info").json["fingerprint"]
    none = judged.ask("POST", "/v1/judgements", {"question": "Who paints it?", "verdict": "right"})
    assert (none.json["text"], none.json["document_id"]) == ("", None)
    for wrong, status in (
        (said("good"), 422),
        (said("right", START, START), 422),
        (said("right", START, 10_000), 422),
        (said("right", answer={"document_id": "none", "start": 0, "end": 1, "text": "x"}), 404),
        (said("right", answer={"document_id": "pier.md", "start": START, "end": END, "text": "Orvik"}), 422),
        (said("right", answer={"document_id": "pier.md", "start": START, "end": END, "text": ""}), 422),
        (said("right", answer={"document_id": "pier.md", "start": START, "end": END}), 422),
        ({"question": QUESTION, "verdict": "better"}, 422),
        (said("right", shown={"text": "x", "confidence": 2}), 422),
        (said("right", shown={"text": "x" * 1_001}), 422),
        (said("right", who="me"), 422),
    ):
        assert judged.ask("POST", "/v1/judgements", wrong).status == status, wrong
    assert judged.ask("DELETE", f"/v1/judgements/{judgement.id}").status == 204
    assert judged.ask("DELETE", f"/v1/judgements/{judgement.id}").status == 404
    assert [judgement.question for judgement in stored(notes)] == ["Who paints it?"]
    assert judged.ask("PUT", "/v1/documents/x", {"text": "x"}).status == 403, "documents stay as they are"


def test_only_those_who_may_write_judge_and_only_where_it_is_asked_for(
    notes: Path, serve_environment: dict[str, str], tmp_path: Path
) -> None:
    with serving(notes, environment=serve_environment) as reading:
        assert reading.ask("POST", "/v1/judgements", said("right")).status == 403
        assert send(reading, "/judgements", {"verdict": "right", "question": QUESTION}).status == 422
        assert 'id="judging"' not in reading.ask("GET", f"/?{urlencode({'q': QUESTION})}").body.decode()
    tokens = tmp_path / "tokens.txt"
    tokens.write_text(f"{WRITER}\nread {READER}\n")
    with serving(notes, "--judgements", "--token-file", tokens, environment=serve_environment) as served:
        for token, status in (("", 401), (READER, 403), (WRITER, 201)):
            headers = {"Authorization": f"Bearer {token}"} if token else {}
            assert served.ask("POST", "/v1/judgements", said("right"), **headers).status == status
            assert ('id="judging"' in page(served, **headers)) == (status == 201)
        for token, status in ((READER, 403), (WRITER, 303)):
            fields = {
                "verdict": "wrong",
                "question": QUESTION,
                "place": f"{START} {END} pier.md",
                "shown": "Marta Lindqvist",
            }
            cookie = f"opendpr_token={token}"
            assert send(served, "/judgements", fields, Cookie=cookie).status == status
            assert send(served, "/judgements", fields, Cookie=cookie, Origin="http://evil.example").status == 403
            assert served.ask("POST", "/judgements", urlencode(fields).encode(), Cookie=cookie).status == 403
    assert [(judgement.verdict, len(judgement.who)) for judgement in stored(notes)] == [("right", 8), ("wrong", 8)]


def test_nobody_takes_back_what_another_said(
    judged: Served, notes: Path, serve_environment: dict[str, str], tmp_path: Path
) -> None:
    fields = {"verdict": "right", "question": QUESTION, "place": f"{START} {END} pier.md", "shown": "Marta Lindqvist"}
    fields["next"] = f"/?{urlencode({'q': QUESTION})}"
    assert judged.ask("POST", "/v1/judgements", said("right")).status == 201
    assert judged.ask("POST", "/v1/judgements", said("right")).status == 200
    assert send(judged, "/judgements", fields, Accept="application/json").status == 200
    target = send(judged, "/judgements", fields).headers["Location"]
    shown = judged.ask("GET", target.partition("#")[0]).body.decode()
    assert "This was said before" in shown and "/judgements/remove" not in shown
    assert len(stored(notes)) == 1
    tokens = tmp_path / "tokens.txt"
    tokens.write_text(f"{WRITER}\n{OTHER_WRITER}\n")
    with serving(notes, "--judgements", "--token-file", tokens, environment=serve_environment) as served:
        mine, others = ({"Authorization": f"Bearer {token}"} for token in (WRITER, OTHER_WRITER))
        id = served.ask("POST", "/v1/judgements", said("right"), **mine).json["id"]
        refused = served.ask("DELETE", f"/v1/judgements/{id}", **others)
        assert refused.status == 403 and f"--remove {id}" in refused.json["detail"]
        cookie = f"opendpr_token={OTHER_WRITER}"
        assert send(served, "/judgements/remove", {"id": id}, Cookie=cookie).status == 403
        assert len(stored(notes)) == 2
        assert served.ask("DELETE", f"/v1/judgements/{id}", **mine).status == 204


def page(served: Served, question: str = QUESTION, **headers: str) -> str:
    return served.ask("GET", f"/?{urlencode({'q': question})}", **headers).body.decode()


def test_the_forms_work_without_a_script(judged: Served, notes: Path) -> None:
    shown = page(judged)
    fields = [(name, unescape(value)) for name, value in re.findall(r'type="hidden" name="(.*?)" value="(.*?)"', shown)]
    sent = {name: [value for key, value in fields if key == name] for name in dict(fields)}
    better = {**{name: values[:1] for name, values in sent.items()}, "passage": sent["passage"]}
    answer = send(judged, "/judgements", {**better, "verdict": "better", "words": "Orvik was built by Marta Lindqvist"})
    assert answer.status == 303
    [judgement] = stored(notes)
    assert judgement.text == "Orvik** was built by\nMarta Lindqvist"
    target = answer.headers["Location"]
    assert parse_qs(urlsplit(target).query)["q"] == [QUESTION]
    again = judged.ask("GET", target.partition("#")[0]).body.decode()
    assert f'name="id" value="{judgement.id}"' in again
    assert send(judged, "/judgements/remove", {"id": judgement.id, "next": sent["next"][0]}).status == 303
    assert stored(notes) == []
    lost = send(
        judged, "/judgements", {**better, "verdict": "better", "words": "never there"}, Accept="application/json"
    )
    assert lost.status == 422
    assert "none of the passages shown has the words" in lost.json["detail"]
    away = send(judged, "/judgements", {"verdict": "right", "question": "x", "next": "//evil.example/"})
    assert away.headers["Location"].startswith("/?judged=")
    home = send(judged, "/judgements", {"verdict": "right", "question": "x", "next": "/"})
    assert home.headers["Location"].startswith("/?judged=") and home.headers["Location"].endswith("#judging")


def test_words_over_a_line_break_are_judged_with_the_line_ends_of_browsers(judged: Served, notes: Path) -> None:
    fields = {"verdict": "right", "question": QUESTION}
    for document, words in ((DOCUMENTS[0], "by\nMarta Lindqvist"), (DOCUMENTS[3], "at\r\nthe end")):
        start = document.text.index(words)
        place, sent = f"{start} {start + len(words)} {document.id}", "\r\n".join(words.splitlines())
        assert send(judged, "/judgements", {**fields, "place": place, "shown": sent}).status == 303
        assert stored(notes)[-1].text == words
        other = send(
            judged, "/judgements", {**fields, "place": place, "shown": "the\r\nother"}, Accept="application/json"
        )
        assert other.status == 422 and "other words there now" in other.json["detail"]


def test_a_person_judges_with_one_click_takes_it_back_and_selects_better_words(
    judged: Served, notes: Path, browser: Any
) -> None:
    by = pytest.importorskip("selenium.webdriver.common.by").By
    keys = pytest.importorskip("selenium.webdriver.common.keys").Keys
    wait = waiting(browser)
    from docs.take_screenshots import SELECT

    browser.get(f"{judged.url}/?{urlencode({'q': QUESTION})}")
    browser.find_element(by.CSS_SELECTOR, "#judging [value=right]").send_keys(keys.ENTER)
    status = browser.find_element(by.CSS_SELECTOR, "#judging [role=status]")
    wait.until(lambda one: status.text == "Kept as right.")
    assert [judgement.verdict for judgement in stored(notes)] == ["right"]
    undo = browser.switch_to.active_element
    assert undo.text == "Undo"
    undo.send_keys(keys.ENTER)
    wait.until(lambda one: status.text == "Taken back.")
    assert stored(notes) == []
    assert browser.switch_to.active_element.get_attribute("value") == "right"

    browser.execute_script(SELECT, "Lindqvist in 1874")
    button = wait.until(lambda one: one.find_element(by.ID, "these"))
    wait.until(lambda one: button.is_displayed())
    button.click()
    wait.until(lambda one: "Lindqvist in 1874" in status.text)
    [judgement] = stored(notes)
    assert (judgement.verdict, judgement.text, judgement.document_id) == ("better", "Lindqvist in 1874", "pier.md")
    assert not button.is_displayed()

    browser.refresh()
    browser.find_element(by.CSS_SELECTOR, "#judging summary").click()
    browser.find_element(by.ID, "words").send_keys(HOSTILE, keys.ENTER)
    status = browser.find_element(by.CSS_SELECTOR, "#judging [role=status]")
    wait.until(lambda one: HOSTILE in status.text)
    assert browser.execute_script("return window.marker === undefined")
    assert stored(notes)[-1].text == HOSTILE
    severe = [entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE"]
    assert severe == []


def test_what_was_judged_is_listed_whatever_it_says(judged: Served, notes: Path, run: Run) -> None:
    start = DOCUMENTS[1].text.index("<img")
    answer = {"document_id": "hostile", "start": start, "end": start + len(HOSTILE), "text": HOSTILE}
    body = {"question": HOSTILE, "verdict": "better", "answer": answer, "shown": {"text": HOSTILE}}
    assert judged.ask("POST", "/v1/judgements", body).json["text"] == HOSTILE
    assert HOSTILE[:20] in run("questions", notes).stdout
    assert json.loads(run("questions", notes, "--json").stdout)["shown"]["text"] == HOSTILE
