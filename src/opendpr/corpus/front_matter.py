"""Front matter: what the first lines of a file say of it, in YAML between `---`, TOML between `+++`, or JSON.

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
_END = r"(?:\r\n|\r|\n)"
_AFTER = rf"[ \t]*(?:{_END}|\Z)(?:[ \t]*{_END})*"
_LINE_START = r"(?<![^\r\n])"
YAML_BLOCK = re.compile(rf"(-{{3,}})(?:ya?ml)?[ \t]*{_END}(?P<values>.*?){_LINE_START}(?:\1|\.\.\.){_AFTER}", re.S)
TOML_BLOCK = re.compile(rf"(?:---toml|(\+\+\+))[ \t]*{_END}(?P<values>.*?){_LINE_START}(?(1)\+\+\+|---){_AFTER}", re.S)
JSON_BLOCK = re.compile(rf"(?:---json|(;;;))[ \t]*{_END}(?P<values>.*?){_LINE_START}(?(1);;;|---){_AFTER}", re.S)
AFTER_OBJECT = re.compile(_AFTER)
LEAD = re.compile(r"(?:\s*<!--(?:(?!-->).)*-->)*\s*", re.S)
"""Comments of HTML and blank lines, as a licence, before a front matter."""
BLANK_LINE = re.compile(rf"[ \t]*{_END}")
WIDE_SPACE = re.compile(rf"({_LINE_START}[ \t-]*[\w -]+:)\u00a0")
"""A no-break space behind a name, which some keyboards write: YAML takes it for a letter."""
TITLE_KEY = "title"
MEMBER_LINE = re.compile(r"([A-Za-z_][\w -]{0,60}):(?:[ \t]+(.*?))?[ \t]*")
ITEM_LINE = re.compile(r"[ \t]*-[ \t]+(.*?)[ \t]*")
YAML_WORDS: Mapping[str, object] = {"true": True, "false": False, "null": None, "~": None, "": None}
"""What YAML writes for values that are neither numbers nor text."""


def front_matter(text: str) -> tuple[dict[str, object], int]:
    """The values of a front matter, and the offset where the text after it begins; none and 0 without one."""
    head = text[:FRONT_MATTER_CHARACTERS]
    lead = LEAD.match(head)
    start = lead.end() if lead else 0
    if head.startswith("{"):
        return _object_values(head)
    for block, read in ((YAML_BLOCK, yaml_values), (TOML_BLOCK, toml_values), (JSON_BLOCK, json_values)):
        if match := block.match(head, start):
            values = read(match["values"])
            return ({}, 0) if values is None else (values, match.end())
    return {}, 0


def titled(values: Mapping[str, object]) -> tuple[str, dict[str, object]]:
    """The title among the values of a front matter, whatever its capitals, and the others; empty if it is no text."""
    key = next((key for key in values if key.strip().lower() == TITLE_KEY), "")
    value = values.get(key)
    parts = value if isinstance(value, list) else [value]
    if not key or not all(isinstance(part, str | int | float) for part in parts):
        return "", {name: other for name, other in values.items() if name != key or other is not None}
    return " ".join(" ".join(map(str, parts)).split()), {name: other for name, other in values.items() if name != key}


def json_values(block: str) -> dict[str, object] | None:
    """The values of a JSON object, possibly without its braces; None if it is something else."""
    try:
        values = json.loads(block if block.lstrip().startswith("{") else f"{{{block}}}")
    except (ValueError, RecursionError):
        return None
    return values if isinstance(values, dict) else None


def _object_values(head: str) -> tuple[dict[str, object], int]:
    """The values of a JSON object that a text begins with, and where the text after it begins, if there is any."""
    try:
        values, end = json.JSONDecoder().raw_decode(head)
    except (ValueError, RecursionError):
        return {}, 0
    after = AFTER_OBJECT.match(head, end)
    if not values or after is None or after.end() == len(head):
        return {}, 0
    return values, after.end()


def yaml_values(block: str) -> dict[str, object] | None:
    """The values of a YAML mapping; None if it is something else, as the text between two rules is.

    A blank line follows a rule, and no line that begins a front matter (Pandoc's rule).
    """
    import yaml

    if block.count("[") + block.count("{") > MOST_BRACKETS or (block.strip() and BLANK_LINE.match(block)):
        return None
    block = WIDE_SPACE.sub(r"\1 ", block)
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
            values[name] = _named_value(name, (member[2] or "").strip("\"'"))
        elif name and (item := ITEM_LINE.fullmatch(line)):
            items = values[name]
            values[name] = [*(items if isinstance(items, list) else []), _value(item[1].strip("\"'"))]
        elif not line.startswith("#"):
            return None
    return values or None


def toml_values(block: str) -> dict[str, object] | None:
    """The values of a TOML document, dates as they are written in JSON; None if it is not valid."""
    try:
        parsed = tomllib.loads(re.sub("\r\n?", "\n", block))
        values: dict[str, object] = json.loads(json.dumps(parsed, default=_date, allow_nan=False))
    except (ValueError, RecursionError):  # also of numbers that are too long to be written, or are none
        return None
    return values


def _date(value: object) -> str:
    return value.isoformat() if isinstance(value, date | datetime | time) else str(value)


def _plain(values: Mapping[object, object]) -> dict[str, object]:
    """A mapping with its strings as the values they write."""
    return {str(name): _named_value(str(name), value) for name, value in values.items()}


def _named_value(name: str, value: object) -> object:
    """A value by its name: a title is text, whatever else it could be."""
    is_title = name.strip().lower() == TITLE_KEY and isinstance(value, str) and YAML_WORDS.get(value, value) is not None
    return value if is_title else _value(value)


def _value(value: object) -> object:
    if isinstance(value, dict):
        return _plain(value)
    if isinstance(value, list):
        return [_value(item) for item in value]
    return YAML_WORDS[value] if isinstance(value, str) and value in YAML_WORDS else typed(str(value))
