"""The page, in a browser."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

import opendpr
from browsing import element, waiting
from opendpr.types import Document
from served import Served, serving, upload

MARK = "window.marker=1"
PAYLOADS = (
    f"<script>{MARK}</script>",
    f"<ScRiPt>{MARK}</sCrIpT>",
    f"<script src=//evil.example/x.js>{MARK}</script>",
    f'"><script>{MARK}</script>',
    f"'><script>{MARK}</script>",
    f"</title><script>{MARK}</script>",
    f"</textarea><script>{MARK}</script>",
    f"</style><script>{MARK}</script>",
    f"--><script>{MARK}</script>",
    f"]]><script>{MARK}</script>",
    f"<<script>{MARK}//<</script>",
    f"<scr<script>ipt>{MARK}</scr</script>ipt>",
    f"<script\x00>{MARK}</script>",
    f"<script/x>{MARK}</script>",
    f"<script>{MARK}//",
    f"<img src=x onerror={MARK}>",
    f'"><img src=x onerror={MARK}>',
    f"<img src=x onerror={MARK}//",
    f"<img/src=x/onerror={MARK}>",
    f"<img src='x' onerror='{MARK}'>",
    f"<image src=x onerror={MARK}>",
    f"<img srcset=x onerror={MARK}>",
    f"<svg onload={MARK}>",
    f"<svg/onload={MARK}>",
    f"<svg><script>{MARK}</script></svg>",
    f"<svg><animate onbegin={MARK} attributeName=x dur=1s>",
    f"<svg><a xlink:href='javascript:{MARK}'><text>x</text></a></svg>",
    f"<math><mtext></form><form><mglyph><style></math><img src onerror={MARK}>",
    f"<body onload={MARK}>",
    f"<iframe src=javascript:{MARK}></iframe>",
    f"<iframe srcdoc='<script>parent.{MARK}</script>'></iframe>",
    f"<object data=javascript:{MARK}>",
    f"<embed src=javascript:{MARK}>",
    f"<a href=javascript:{MARK}>x</a>",
    f"<a href='jav&#x09;ascript:{MARK}'>x</a>",
    f"<form action=javascript:{MARK}><button>x</button></form>",
    f"<input autofocus onfocus={MARK}>",
    f"<details open ontoggle={MARK}>",
    f"<video><source onerror={MARK}></video>",
    f"<audio src=x onerror={MARK}>",
    f"<marquee onstart={MARK}>",
    f"<meta http-equiv=refresh content='0;url=javascript:{MARK}'>",
    f"<base href=javascript:{MARK}//>",
    f"<link rel=stylesheet href=javascript:{MARK}>",
    "<style>@import 'javascript:window.marker=1'; body{display:none}</style>",
    f'" autofocus onfocus="{MARK}',
    f"' onmouseover='{MARK}",
    f"javascript:{MARK}",
    f"{{{{constructor.constructor('{MARK}')()}}}}",
    f"＜script＞{MARK}＜/script＞<script>{MARK}</script>",
)
"""Fifty ways to have a page run a script (after OWASP's cheat sheet)."""
HARMLESS = """return window.marker === undefined
  && [...document.scripts].every(one => one.getAttribute('src').startsWith('/static/page.js?'))
  && !document.querySelector('iframe, object, embed, img, base, style, meta[http-equiv], form:not(.ask)')
  && ![...document.querySelectorAll('*')].some(one => [...one.attributes].some(of => of.name.startsWith('on')
     || (of.name === 'href' && !/^(\\/|#)/.test(of.value))))"""


@pytest.fixture(scope="module")
def hostile(
    tmp_path_factory: pytest.TempPathFactory, tiny_model: Path, serve_environment: dict[str, str]
) -> Iterator[Served]:
    """A collection of nothing but attacks: in ids, titles, texts and metadata."""
    directory = tmp_path_factory.mktemp("hostile") / "hostile"
    documents = [
        Document(f"{number} {payload}", payload, f"river {payload} pier", {"note": payload, "page_starts": [0, 6]})
        for number, payload in enumerate(PAYLOADS)
    ]
    opendpr.add(directory, documents, str(tiny_model))
    with serving(directory, environment=serve_environment) as served:
        yield served


def width(browser: Any, pixels: int) -> None:
    size = {"width": pixels, "height": 900, "deviceScaleFactor": 1, "mobile": pixels < 600}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)


def test_a_person_asks_sees_the_marked_answer_switches_and_follows_the_link(served: Served, browser: Any) -> None:
    by = pytest.importorskip("selenium.webdriver.common.by").By
    keys = pytest.importorskip("selenium.webdriver.common.keys").Keys
    wait = waiting(browser)
    browser.get(served.url)
    wait.until(lambda page: page.switch_to.active_element.get_attribute("id") == "q")
    browser.switch_to.active_element.send_keys("Who built the pier of Orvik?", keys.ENTER)
    answer = wait.until(lambda one: one.find_element(by.CSS_SELECTOR, ".words")).text
    assert browser.find_element(by.CSS_SELECTOR, ".best mark").text == answer
    assert "confidence" in browser.find_element(by.CSS_SELECTOR, ".confidence").text
    assert "q=Who+built+the+pier" in browser.current_url
    assert not browser.find_elements(by.CSS_SELECTOR, ".passages .scores")
    assert browser.current_url.count("&") == 0, "defaults are in the address"

    browser.find_element(by.CSS_SELECTOR, ".options summary").click()
    browser.find_element(by.NAME, "scores").click()
    wait.until(lambda one: "scores=1" in one.current_url)
    wait.until(lambda one: one.find_elements(by.CSS_SELECTOR, ".best"))
    scores = browser.find_element(by.CSS_SELECTOR, ".passages .scores").text
    assert all(name in scores for name in ("dense", "BM25", "reader"))
    browser.find_element(by.XPATH, "//span[text()='BM25']").click()
    wait.until(lambda one: "retriever=bm25" in one.current_url)
    wait.until(lambda one: one.find_elements(by.CSS_SELECTOR, ".best"))
    assert browser.find_element(by.CSS_SELECTOR, "[value=bm25]").is_selected()
    shared = browser.current_url

    answer = browser.find_element(by.CSS_SELECTOR, ".words").text
    link = browser.find_element(by.CSS_SELECTOR, ".best cite a")
    title = link.text
    link.click()
    wait.until(lambda one: "/document?" in one.current_url)
    assert element(browser, by.ID, "answer").text == answer
    assert browser.find_element(by.TAG_NAME, "h1").text == title
    assert browser.find_element(by.ID, "answer").is_displayed()

    browser.get(shared)
    assert browser.find_element(by.ID, "q").get_attribute("value") == "Who built the pier of Orvik?"
    browser.find_element(by.TAG_NAME, "body").send_keys("j")
    assert browser.execute_script("return document.activeElement.closest('#results article') !== null")
    browser.find_element(by.TAG_NAME, "body").send_keys("/")
    assert browser.switch_to.active_element.get_attribute("id") == "q"

    assert [entry for entry in browser.get_log("browser") if entry["level"] != "DEBUG"] == []
    messages = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    asked = [
        message["params"]["request"]["url"] for message in messages if message["method"] == "Network.requestWillBeSent"
    ]
    assert all(url.startswith((served.url, "data:", "chrome")) for url in asked)


def test_the_empty_page_offers_examples_and_what_was_asked_in_this_browser(served: Served, browser: Any) -> None:
    by = pytest.importorskip("selenium.webdriver.common.by").By
    browser.get(served.url)
    examples = browser.find_elements(by.CSS_SELECTOR, ".ideas:not(#history) a")
    assert "What is said about “The Tarn”?" in [example.text for example in examples]
    assert not browser.find_element(by.ID, "history").is_displayed()
    browser.get(f"{served.url}/?{urlencode({'q': 'Which <b>town</b>?', 'k': 5})}")
    for _ in range(50):  # a browser writes what a page stores when it has time, and reads it from another process
        browser.get(served.url)
        if links := browser.find_elements(by.CSS_SELECTOR, "#history a"):
            break
        time.sleep(0.1)
    (link,) = links
    assert link.text == "Which <b>town</b>?"
    link.click()
    waiting(browser).until(lambda page: page.find_element(by.CSS_SELECTOR, "[name=k]").get_attribute("value") == "5")
    assert browser.find_element(by.CSS_SELECTOR, "details.options").get_attribute("open")
    browser.get(served.url)
    browser.find_element(by.CSS_SELECTOR, "#history button").click()
    browser.refresh()
    assert not browser.find_element(by.ID, "history").is_displayed()


def test_the_box_grows_with_the_question(served: Served, browser: Any) -> None:
    by = pytest.importorskip("selenium.webdriver.common.by").By
    keys = pytest.importorskip("selenium.webdriver.common.keys").Keys
    browser.get(served.url)
    box = browser.find_element(by.ID, "q")
    height = box.size["height"]
    box.send_keys("Who built the pier?", keys.SHIFT, keys.ENTER, keys.ENTER)
    assert box.size["height"] > height
    assert browser.current_url.rstrip("/") == served.url


def test_what_the_page_says_when_there_is_nothing_and_when_it_is_asked_wrongly(served: Served) -> None:
    page = served.ask("GET", "/?" + urlencode({"q": "pier", "where": "year > 3000"}))
    assert page.status == 200
    assert "No answer found" in page.body.decode()
    for wrong in ({"q": "pier", "where": "year >"}, {"q": "pier", "k": "x"}, {"q": "pier", "retriever": "x"}):
        page = served.ask("GET", "/?" + urlencode(wrong))
        assert page.status == 422
        assert 'role="alert"' in page.body.decode()
    assert served.ask("GET", "/document?id=none").status == 404
    assert served.ask("GET", "/static/none").status == 404


def test_the_page_fits_a_phone_is_dark_where_wished_and_has_contrast(served: Served, browser: Any) -> None:
    documents = ("/documents", "/documents?filter=year+%3D+1901", "/document?id=two.pdf&start=28&end=38&find=page")
    for path in ("/", "/?q=pier", "/?q=pier&where=year+%3E", *documents, "/docs", "/none"):
        for scheme in ("light", "dark"):
            width(browser, 375)
            features = [{"name": "prefers-color-scheme", "value": scheme}]
            browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
            browser.get(served.url + path)
            assert browser.execute_script("return document.documentElement.scrollWidth") <= 375, path
            assert browser.execute_script(CONTRAST) == [], (path, scheme)


CONTRAST = """
const rgb = text => text.match(/[\\d.]+/g).map(Number);
const linear = value => (value /= 255) <= .03928 ? value / 12.92 : ((value + .055) / 1.055) ** 2.4;
const light = color => { const [r, g, b] = color.map(linear); return .2126 * r + .7152 * g + .0722 * b; };
const ground = one => { for (; one; one = one.parentElement) { const c = rgb(getComputedStyle(one).backgroundColor);
  if (c.length < 4 || c[3] > 0) return c; } return [255, 255, 255]; };
const own = one => [...one.childNodes].some(node => node.nodeType === 3 && node.data.trim());
return [...document.querySelectorAll('body *')].filter(one => own(one) && one.getClientRects().length).map(one => {
  const style = getComputedStyle(one);
  const [a, b] = [light(rgb(style.color)), light(ground(one))].sort((x, y) => y - x);
  const size = parseFloat(style.fontSize), least = size >= 24 ? 3 : 4.5;
  return (a + .05) / (b + .05) < least ? one.outerHTML.slice(0, 100) : null;
}).filter(Boolean);
"""
"""Texts whose contrast with what is behind them is below what WCAG 2.2 AA asks for."""


def harmless(browser: Any, url: str) -> None:
    browser.get(url)
    browser.execute_script("document.querySelectorAll('details').forEach(one => { one.open = true })")
    assert browser.execute_script(HARMLESS), url


def test_fifty_attacks_in_text_title_and_id_are_shown_as_text(hostile: Served, browser: Any) -> None:
    assert len(PAYLOADS) == 50
    browser.get(hostile.url)
    harmless(browser, f"{hostile.url}/?{urlencode({'q': 'river pier', 'k': 50})}")
    shown = browser.execute_script("return document.body.textContent")
    assert all(payload.replace("\x00", "\ufffd") in shown for payload in PAYLOADS[15:30])
    for number in (0, 15, 45):
        page = {"id": f"{number} {PAYLOADS[number]}", "start": 3, "end": 12, "from": 0, "to": 30}
        harmless(browser, f"{hostile.url}/document?{urlencode(page)}")
    for page_number in (1, 2):
        harmless(browser, f"{hostile.url}/documents?{urlencode({'page': page_number})}")
    for payload in (PAYLOADS[3], PAYLOADS[45]):
        harmless(browser, f"{hostile.url}/documents?{urlencode({'words': payload, 'filter': payload, 'job': payload})}")
        harmless(
            browser, f"{hostile.url}/document?{urlencode({'id': f'3 {PAYLOADS[3]}', 'find': payload, 'q': payload})}"
        )
        harmless(browser, f"{hostile.url}/?{urlencode({'q': payload, 'where': payload, 'retriever': 'bm25'})}")


def test_fifty_attacks_in_names_and_contents_of_uploaded_files_are_shown_as_text(served: Served, browser: Any) -> None:
    names = [f"{number} {payload}.{('html', 'md', 'txt')[number % 3]}" for number, payload in enumerate(PAYLOADS)]
    files = [(name, f"harbour {payload}".encode()) for name, payload in zip(names, PAYLOADS, strict=True)]
    job = served.wait(upload(served, *files, ("<img src=x onerror=window.marker=1>.doc", b"x")).json)
    assert sum(job["documents"].values()) + len(job["skipped"]) == len(files) + 1
    browser.get(served.url)
    harmless(browser, f"{served.url}/documents?{urlencode({'job': job['id']})}")
    assert "<img src=x onerror=window.marker=1>.doc" in browser.find_element("id", "change").text
    harmless(browser, f"{served.url}/?{urlencode({'q': 'harbour', 'k': 50})}")
    ids = [
        document["id"]
        for document in served.ask("GET", "/v1/documents?limit=1000&words=window.marker").json["documents"]
    ]
    assert ids
    for id in ids[:5]:
        harmless(browser, f"{served.url}/document?{urlencode({'id': id, 'find': 'harbour'})}")
    body = urlencode([("id", id) for id in ids]).encode()
    kind = "application/x-www-form-urlencoded"
    removed = served.ask("POST", "/documents/remove", body, Origin=served.url, Content_Type=kind)
    served.wait({"id": removed.headers["Location"].partition("job=")[2].partition("#")[0]})


@pytest.mark.slow
def test_fifty_attacks_in_each_place_are_harmless(hostile: Served, browser: Any) -> None:
    browser.get(hostile.url)
    for number, payload in enumerate(PAYLOADS):
        harmless(browser, f"{hostile.url}/?{urlencode({'q': payload})}")
        for field in ("where", "retriever", "k"):
            harmless(browser, f"{hostile.url}/?{urlencode({'q': 'river', field: payload})}")
        page = {"id": f"{number} {payload}", "start": 3, "end": 12, "from": 0, "to": 30}
        harmless(browser, f"{hostile.url}/document?{urlencode(page)}")
        harmless(browser, f"{hostile.url}/document?{urlencode({'id': payload})}")
        harmless(browser, f"{hostile.url}/{payload.encode().hex()}")
