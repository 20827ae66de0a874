"""What records call the id, the title and the text of a document."""

from __future__ import annotations

from collections.abc import Iterable

USUAL_NAMES = {
    "id": ("id", "_id", "doc_id", "docid", "document_id", "passage_id", "pid", "uuid"),
    "title": ("title", "heading", "headline", "subject"),
    "text": (
        *("text", "content", "contents", "page_content", "body", "passage"),
        *("passage_text", "full_text", "document", "chunk", "chunk_text", "article"),
    ),
}
"""The name that counts first comes first; capitals and space around do not matter."""


def usual_keys(keys: Iterable[str]) -> dict[str, str]:
    """Which of the keys of a record hold `id`, `title` and `text`, of those that it has."""
    known_keys: dict[str, str] = {}
    for key in keys:
        known_keys.setdefault(key.strip().lower(), key)
    keys_by_name = {}
    for name, names in USUAL_NAMES.items():
        usual = [known_keys[usual] for usual in names if usual in known_keys]
        if usual:
            keys_by_name[name] = usual[0]
    return keys_by_name
