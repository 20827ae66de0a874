"""Documents by HTTP: listed and searched, uploaded as files, removed, and followed on their way."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from conftest import write_documents

import opendpr
from browsing import element, waiting
from opendpr.types import Document
from served import START_SECONDS, Served, serving, upload

BROWSER = {"Accept": "text/html,application/xhtml+xml"}


@pytest.fixture(scope="module")
def shelf(
    tmp_path_factory: pytest.TempPathFactory, tiny_model: Path, serve_environment: dict[str, str]
) -> Iterator[Served]:
    """A service that may write, of sixty letters and a manual."""
    directory = tmp_path_factory.mktemp("shelf") / "shelf"
    letters = [
        Document(f"letter {number:02}.txt", f"Letter {number}", "Dear Jonas.", {"kind": "letter"})
        for number in range(60)
    ]
    manual = Document("pumps/manual.pdf", "Manual of the pump", "Close the valve.", {"kind": "manual", "year": 1931})
    opendpr.add(directory, [*letters, manual], str(tiny_model))
    with serving(directory, "--writable", environment=serve_environment) as served:
        yield served


def shown(served: Served, **query: object) -> str:
    answer = served.ask("GET", f"/documents?{urlencode(query, doseq=True)}")
    assert answer.status == 200, answer.body
    return answer.body.decode()


def test_a_list_is_searched_and_filtered(shelf: Served) -> None:
    for query, expected in (
        ({"words": "PUMP"}, ["pumps/manual.pdf"]),
        ({"where": "year > 1900"}, ["pumps/manual.pdf"]),
        ({"words": "letter 7", "limit": 2}, ["letter 07.txt", "letter 17.txt"]),
        ({"words": "none"}, []),
    ):
        answer = shelf.ask("GET", f"/v1/documents?{urlencode(query)}")
        assert [document["id"] for document in answer.json["documents"]] == expected
    assert shelf.ask("GET", "/v1/documents?where=year+%3E").status == 422


def test_the_page_lists_documents_in_pages_with_labels_to_choose(shelf: Served) -> None:
    page = shown(shelf)
    assert "1 to 50 of 61 documents" in page
    assert 'href="/documents?page=2" rel="next"' in page
    assert "51 to 61 of 61 documents" in shown(shelf, page=2)
    chosen = "kind = &#39;letter&#39;"
    assert ">letter <" in page
    page = shown(shelf, filter="kind = 'manual'")
    assert "1 to 1 of 1 document<" in page
    assert 'href="/?where=kind+%3D+%27manual%27"' in page
    assert chosen not in page
    page = shown(shelf, filter=["kind = 'letter'", "id like '%7.txt'"], words="letter")
    assert "1 to 6 of 6 documents" in page
    assert "No document is like that" in shown(shelf, words="zeppelin")
    assert shelf.ask("GET", "/documents?filter=year+%3E").status == 422


def test_files_are_uploaded_followed_found_and_removed(shelf: Served) -> None:
    job = upload(
        shelf, ("ferry.md", b"# The ferry\n\nThe ferry sinks off Bergvik."), ("photo.png", b"\x89PNG\0"), ("..", b"x")
    )
    assert job.status == 202
    events = shelf.ask("GET", f"/v1/jobs/{job.json['id']}/events")
    assert events.headers["Content-Type"].startswith("text/event-stream")
    states = [json.loads(line) for line in re.findall("^data: (.*)$", events.body.decode(), re.MULTILINE)]
    assert states[-1]["state"] == "done"
    assert (states[-1]["documents"], states[-1]["files"], states[-1]["files_read"]) == ({"added": 1}, 3, 3)
    assert [skipped["place"] for skipped in states[-1]["skipped"]] == ["..", "photo.png"]
    question = {"question": "ferry sinks", "k": 1, "retriever": "bm25"}
    assert shelf.ask("POST", "/v1/search", question).json["passages"][0]["document_id"] == "ferry.md"
    page = shown(shelf, job=job.json["id"])
    assert "1 document added, 2 skipped." in page
    assert "photo.png" in page

    again = upload(shelf, ("ferry.md", b"# The ferry\n\nThe ferry sinks off Bergvik."))
    assert shelf.wait(again.json)["documents"] == {"unchanged": 1}
    sent = shelf.ask("POST", "/documents/remove", b"id=ferry.md&id=none", **form(shelf))
    assert sent.status == 303
    removal = re.fullmatch(r"/documents\?job=(\w+)#change", sent.headers["Location"])
    assert removal
    assert shelf.wait({"id": removal[1]})["documents"] == {"removed": 1}
    assert shelf.ask("POST", "/documents/remove", b"id=none", **form(shelf)).status == 404


def form(served: Served) -> dict[str, str]:
    """Headers of a form of the pages."""
    return {"Origin": served.url, "Content_Type": "application/x-www-form-urlencoded"}


def test_the_form_of_the_page_uploads_too(shelf: Served) -> None:
    sent = upload(shelf, ("a.txt", b"One."), ("b.txt", b"Two."), path="/documents", Origin=shelf.url)
    assert sent.status == 303
    job = shelf.wait({"id": sent.headers["Location"].partition("job=")[2].partition("#")[0]})
    assert job["documents"] == {"added": 2}
    shelf.wait(shelf.ask("POST", "/documents/remove", b"id=a.txt&id=b.txt", **form(shelf)) and job)
    assert upload(shelf, ("", b""), path="/documents", Origin=shelf.url).status == 422


def test_errors_are_pages_for_browsers_and_problems_for_programs(shelf: Served) -> None:
    for path, status in (("/none", 404), ("/v1/documents/none", 404), ("/document?id=none", 404), ("/login", 405)):
        page = shelf.ask("GET", path, **BROWSER)
        assert (page.status, page.headers["Content-Type"]) == (status, "text/html; charset=utf-8")
        assert 'role="alert"' in page.body.decode()
    assert shelf.ask("GET", "/none", Accept="*/*").json["status"] == 404
    page = shelf.ask("GET", "/", Host="evil.example", **BROWSER)
    assert page.status == 421
    assert "<h1>" in page.body.decode()
    assert shelf.ask("GET", "/documents?job=none").status == 404


def test_a_folder_is_called_by_its_own_name(
    tmp_path: Path, tiny_model: Path, serve_environment: dict[str, str]
) -> None:
    folder = tmp_path / "Harbour notes"
    folder.mkdir()
    (folder / "pier.txt").write_text("The pier of Orvik.")
    with serving(folder, "--model", tiny_model, environment=serve_environment) as served:
        assert served.ask("GET", "/v1/info").json["collection"] == "Harbour notes"
        page = served.ask("GET", "/documents").body.decode()
        assert '<span class="collection" dir="auto">Harbour notes</span>' in page
        assert 'type="file"' not in page
        assert upload(served, ("a.txt", b"x")).status == 403


def test_a_folder_is_served_while_it_is_encoded(
    tmp_path: Path, tiny_model: Path, serve_environment: dict[str, str]
) -> None:
    folder = write_documents(tmp_path / "folder", documents=90)
    for stop_early in (True, False):
        with serving(folder, "--model", tiny_model, environment=serve_environment) as served:
            for retriever in ("bm25", "hybrid", "dense"):
                question = {"question": "document7", "k": 1, "retriever": retriever}
                answer = served.ask("POST", "/v1/search", question)
                assert answer.status == 200
                assert retriever == "dense" or answer.json["passages"][0]["document_id"] == "007.txt"
            if stop_early:
                assert served.stop() == 0
                continue
            until = time.monotonic() + START_SECONDS
            while served.ask("GET", "/v1/info").json["passages_without_vector"]:
                assert time.monotonic() < until
                time.sleep(0.1)
            assert served.ask("POST", "/v1/search", question).status == 200
            assert served.stop() == 0


def test_a_person_uploads_reads_finds_and_removes(shelf: Served, browser: Any, tmp_path: Path) -> None:
    by = pytest.importorskip("selenium.webdriver.common.by").By
    css, wait = by.CSS_SELECTOR, waiting(browser)
    book = tmp_path / "book.txt"
    book.write_text("".join(f"Line {number} tells of the harbour.\n\n" for number in range(900)) + "The lighthouse.")
    (tmp_path / "photo.png").write_bytes(b"\x89PNG\0")
    browser.get(shelf.url)
    browser.find_element(by.LINK_TEXT, "Documents").click()
    element(browser, by.ID, "files").send_keys(f"{book}\n{tmp_path / 'photo.png'}")
    browser.find_element(css, ".upload button").click()
    heading = wait.until(
        lambda page: [heading for heading in page.find_elements(css, "#change h2") if "added" in heading.text]
    )
    assert heading[0].text == "1 document added, 1 skipped."
    assert "photo.png" in browser.find_element(css, "#change li").text

    browser.find_element(by.NAME, "words").send_keys("book\n")
    wait.until(lambda page: "words=book" in page.current_url)
    element(browser, by.LINK_TEXT, "book").click()
    wait.until(lambda page: "/document?" in page.current_url)
    assert "Part 1 of" in element(browser, css, ".pager").text
    assert browser.execute_script("return document.documentElement.scrollHeight") < 20_000
    browser.find_element(by.LINK_TEXT, "Part 2 →").click()
    wait.until(lambda page: "sheet=2" in page.current_url)

    element(browser, by.NAME, "find").send_keys("LIGHTHOUSE\n")
    place = wait.until(lambda page: page.find_element(css, "mark.current"))
    assert place.text == "lighthouse"
    assert "1 of 1" in browser.find_element(css, ".steps").text
    browser.find_element(by.NAME, "find").clear()
    browser.find_element(by.NAME, "find").send_keys("line 88\n")
    wait.until(lambda page: "1 of 11" in page.find_element(css, ".steps").text)
    browser.find_element(by.PARTIAL_LINK_TEXT, "Next place").click()
    wait.until(lambda page: "2 of 11" in page.find_element(css, ".steps").text)
    assert browser.find_element(css, "mark.current").is_displayed()
    browser.find_element(by.TAG_NAME, "h1").click()
    browser.find_element(by.TAG_NAME, "body").send_keys("p")
    wait.until(lambda page: "1 of 11" in page.find_element(css, ".steps").text)

    browser.find_element(css, ".danger summary").click()
    browser.find_element(css, ".danger button").click()
    wait.until(lambda page: [heading for heading in page.find_elements(css, "#change h2") if "removed" in heading.text])
    assert shelf.ask("GET", "/v1/documents/book.txt").status == 404
    severe = [entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE"]
    assert severe == []


def test_from_the_answer_to_the_document_and_back(served: Served, browser: Any) -> None:
    by = pytest.importorskip("selenium.webdriver.common.by").By
    wait = waiting(browser)
    question = {"q": "Who built the pier of Orvik?", "k": 5}
    browser.get(f"{served.url}/?{urlencode(question)}")
    link = browser.find_element(by.CSS_SELECTOR, ".best cite a, .best footer a, .passages .path a")
    link.click()
    wait.until(lambda page: "/document?" in page.current_url)
    back = element(browser, by.CSS_SELECTOR, ".crumbs a")
    assert back.text == "← Answer to “Who built the pier of Orvik?”"
    back.click()
    wait.until(lambda page: page.find_elements(by.ID, "results"))
    assert browser.find_element(by.ID, "q").get_attribute("value") == question["q"]
    assert browser.find_element(by.NAME, "k").get_attribute("value") == "5"
