"""What tests of pages in a browser share."""

from __future__ import annotations

from typing import Any

import pytest

WAIT_SECONDS = 60.0


def waiting(browser: Any, seconds: float = WAIT_SECONDS) -> Any:
    """Waits until a page shows something; one that replaces what is being looked at is looked at again."""
    wait = pytest.importorskip("selenium.webdriver.support.ui").WebDriverWait
    stale = pytest.importorskip("selenium.common.exceptions").StaleElementReferenceException
    return wait(browser, seconds, ignored_exceptions=[stale])


def element(browser: Any, by: str, value: str) -> Any:
    """The first such element, once the page has it: what a click leads to may not be there yet."""
    return waiting(browser).until(lambda page: page.find_element(by, value))


def wait_for_words(browser: Any, words: str, seconds: float = WAIT_SECONDS) -> None:
    """Wait until the page's main part shows words; what it shows instead is in the message of a failure."""
    timeout = pytest.importorskip("selenium.common.exceptions").TimeoutException
    script = "return document.querySelector('main')?.innerText ?? ''"
    try:
        waiting(browser, seconds).until(lambda shown: words in shown.execute_script(script))
    except timeout:
        pytest.fail(f"{browser.current_url} does not show {words!r} but:\n{browser.execute_script(script)}")
