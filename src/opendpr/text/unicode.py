"""Whether a text is Unicode: Python keeps bytes of arguments and file names that are not UTF-8 as halves of pairs."""

from __future__ import annotations

import re

_HALF_PAIR = re.compile("[\ud800-\udfff]")
NOT_UNICODE = "is not valid Unicode: it has half a surrogate pair, or bytes that are not UTF-8"


def is_unicode(text: str) -> bool:
    """Whether a text has no half of a surrogate pair, so that it can be written as UTF-8."""
    return text.isascii() or not _HALF_PAIR.search(text)
