"""Why a document that was found cannot be stored."""

from __future__ import annotations

import json
from collections.abc import Mapping

from opendpr.choices import ID_CHARACTERS
from opendpr.types import Document

_JSON = json.JSONEncoder(ensure_ascii=False, allow_nan=False)
_SIMPLE = frozenset({str, int, float, bool, type(None)})
METADATA_LEVELS = 100
"""Most objects and arrays inside one another in metadata; SQLite, which filters look into them with, takes 1,000."""


def objection(document: Document) -> str | None:
    """Why a document cannot be stored, if so."""
    if not document.id:
        return "the id is empty"
    if len(document.id) > ID_CHARACTERS:
        return f"the id has {len(document.id):,} characters; at most {ID_CHARACTERS:,} are allowed"
    if not document.text or document.text.isspace():
        return "no text"
    for name, value in (("id", document.id), ("title", document.title), ("text", document.text)):
        try:
            value.encode("utf-8")
        except UnicodeEncodeError as error:
            return f"the {name} is not valid Unicode: half a surrogate pair at character {error.start}"
    if is_deeper(document.metadata, METADATA_LEVELS):
        return f"the metadata is nested too deeply, more than {METADATA_LEVELS} levels"
    try:
        _JSON.encode(dict(document.metadata)).encode("utf-8")
    except UnicodeEncodeError:
        return "the metadata is not valid Unicode: it has half a surrogate pair"
    except TypeError as error:  # of a document that a program gives
        return f"the metadata cannot be written as JSON: {error}"
    except ValueError:
        return "the metadata has a number that JSON does not know: NaN or Infinity; null says that there is none"
    return None


def is_deeper(value: object, levels: int) -> bool:
    """Whether more than this many objects and arrays lie inside one another in a value."""
    if type(value) in _SIMPLE or not isinstance(value, Mapping | list | tuple):
        return False
    inner = value.values() if isinstance(value, Mapping) else value
    return levels == 0 or any(is_deeper(item, levels - 1) for item in inner)
