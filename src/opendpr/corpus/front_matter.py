"""Front matter: what the first lines of a Markdown file say of it, in YAML between `---` or in TOML between `+++`.

It is title and metadata, no text. Values are read as strings, numbers, true and false; YAML's other types stay the
strings they are written as, and its references are not followed, of which bombs are made.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping
from datetime import date, datetime, time

from opendpr.corpus.table import typed

FRONT_MATTER_CHARACTERS = 65_536
"""Longest front matter; a longer one is text."""
MOST_BRACKETS = 500
"""Opened in one front matter; YAML's reader takes their number squared."""
YAML_BLOCK = re.compile(r"---[ \t]*\r?\n(.*?)^(?:---|\.\.\.)[ \t]*(?:\r?\n|\Z)(?:[ \t]*\r?\n)*", re.S | re.M)
TOML_BLOCK = re.compile(r"\+\+\+[ \t]*\r?\n(.*?)^\+\+\+[ \t]*(?:\r?\n|\Z)(?:[ \t]*\r?\n)*", re.S | re.M)
MEMBER_LINE = re.compile(r"([A-Za-z_][\w -]{0,60}):(?:[ \t]+(.*?))?[ \t]*")
ITEM_LINE = re.compile(r"[ \t]*-[ \t]+(.*?)[ \t]*")
YAML_WORDS: Mapping[str, object] = {"true": True, "false": False, "null": None, "~": None, "": None}
"""What YAML writes for values that are neither numbers nor text."""


def front_matter(text: str) -> tuple[dict[str, object], int]:
    """The values of a front matter, and the offset where the text after it begins; none and 0 without one."""
    start = text[:FRONT_MATTER_CHARACTERS]
    for block, read in ((YAML_BLOCK, yaml_values), (TOML_BLOCK, toml_values)):
        if match := block.match(start):
            values = read(match[1])
            return ({}, 0) if values is None else (values, match.end())
    return {}, 0


def yaml_values(block: str) -> dict[str, object] | None:
    """The values of a YAML mapping; None if it is something else, as the text between two rules is."""
    import yaml

    if block.count("[") + block.count("{") > MOST_BRACKETS:
        return None
    try:
        if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(block)):
            return None
        values = yaml.load(block, Loader=yaml.BaseLoader)  # which knows no types but strings
    except (yaml.YAMLError, RecursionError, ValueError):
        return line_values(block)
    if values is None or values == "":
        return {}
    return _plain(values) if isinstance(values, dict) else None


def line_values(block: str) -> dict[str, object] | None:
    """The values of lines `name: value` and `- item`, as people write what is no YAML; None if others are there."""
    values: dict[str, object] = {}
    name = ""
    for line in filter(str.strip, block.splitlines()):
        if member := MEMBER_LINE.fullmatch(line):
            name = member[1]
            values[name] = _value((member[2] or "").strip("\"'"))
        elif name and (item := ITEM_LINE.fullmatch(line)):
            items = values[name]
            values[name] = [*(items if isinstance(items, list) else []), _value(item[1].strip("\"'"))]
        elif not line.startswith("#"):
            return None
    return values or None


def toml_values(block: str) -> dict[str, object] | None:
    """The values of a TOML document, dates as they are written in JSON; None if it is not valid."""
    try:
        parsed = tomllib.loads(block.replace("\r\n", "\n"))
    except (tomllib.TOMLDecodeError, RecursionError):
        return None
    values: dict[str, object] = json.loads(json.dumps(parsed, default=_date))
    return values


def _date(value: object) -> str:
    return value.isoformat() if isinstance(value, date | datetime | time) else str(value)


def _plain(values: Mapping[object, object]) -> dict[str, object]:
    """A mapping with its strings as the values they write."""
    return {str(name): _value(value) for name, value in values.items()}


def _value(value: object) -> object:
    if isinstance(value, dict):
        return _plain(value)
    if isinstance(value, list):
        return [_value(item) for item in value]
    return YAML_WORDS[value] if isinstance(value, str) and value in YAML_WORDS else typed(str(value))
