"""Subtitles, .srt and .vtt: what is said, without numbers, times and markup."""

from __future__ import annotations

import re
from html import unescape
from itertools import filterfalse
from typing import IO

from opendpr.corpus.extract import Extract, NotReadError
from opendpr.corpus.html import decode
from opendpr.corpus.source import TEXT_BYTES, TOO_LONG

TIMES = re.compile(r"^\s*(?:\d+:)?\d{1,2}:\d{2}[.,]\d{1,3}\s*-->.*$")
MARKUP = re.compile(r"</?[a-zA-Z][^<>]{0,200}>|<\d[\d:.]{1,20}>|\{\\[^{}]{0,200}\}")


def parse_subtitles(file: IO[bytes]) -> Extract:
    """The lines of each caption; one that repeats the last line of the caption before is left out."""
    data = file.read(TEXT_BYTES + 1)
    if len(data) > TEXT_BYTES:
        raise NotReadError(TOO_LONG)
    said: list[str] = []
    read = decode(data)
    for block in re.split(r"\n[^\S\n]*\n", read.text.replace("\r\n", "\n").replace("\r", "\n")):
        lines = block.strip("\n").split("\n")
        times = next((number for number, line in enumerate(lines) if TIMES.match(line)), None)
        if times is None:
            continue  # the header, a note, a style
        for line in filterfalse(TIMES.match, lines[times + 1 :]):  # a caption may follow without a blank line
            words = unescape(MARKUP.sub("", line)).strip()
            if words and words not in said[-2:]:
                said.append(words)
    if not said:
        raise NotReadError("no subtitles: it has no line of times, 00:00:01,000 --> 00:00:02,000")
    return Extract("", "\n".join(said), read.metadata())
