"""When two texts are copies of one another: they say the same, whatever their white space, capitals and marks."""

from __future__ import annotations

import re

from opendpr.text.normalising import plain

_MARKS = re.compile(r"^[^\S\n]*(?:>(?![^\S\n]*[.\d])[^\S\n]*)+|(?<!\w)[*`]+(?=\S)|(?<=\S)[*`]+(?!\w)", re.MULTILINE)
"""What quotes a line in a mail, and what emphasises words or marks code in Markdown."""


def folded(text: str) -> str:
    """What all copies of a text have in common; signs of numbers stay, as they say something.

    >>> folded("> It was\\n> **-41.5**  degrees.") == folded("It was -41.5 Degrees.")
    True
    >>> folded("2*3") == folded("23"), folded("> 65 degrees") == folded("65 degrees")
    (False, False)
    """
    return " ".join(_MARKS.sub("", plain(text).text).casefold().split())
