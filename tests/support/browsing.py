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
