"""DrQA's clean-up of what WikiExtractor writes: JSON lines of `id`, `url`, `title`, `text`.

DrQA (Chen et al., Reading Wikipedia to Answer Open-Domain Questions, ACL 2017; scripts/retriever/prep_wikipedia.py),
whose passages the paper uses (section 4.1), resolves what WikiExtractor leaves of HTML's character references and
drops pages that are mostly links: disambiguation pages, by their title or (two of them) by their number, and
lists, indexes and outlines, by the beginning of their title. DrQA then names each document by its title; here it
keeps its id.
"""

from __future__ import annotations

import html
from dataclasses import replace

from opendpr.types import Document

DISAMBIGUATION = ("(disambiguation)", "(disambiguation page)")
DISAMBIGUATION_IDS = ("23443579", "52643645")
"""Disambiguation pages whose title does not say so."""
MOSTLY_LINKS = ("List of ", "Index of ", "Outline of ")


def is_wikiextractor(document: Document) -> bool:
    """True of the documents WikiExtractor writes, by their fields."""
    return bool(document.title) and document.metadata.keys() - {"path"} in ({"url"}, {"url", "revid"})


def cleaned(document: Document) -> Document | None:
    """The page with its character references resolved, or None if it is mostly links."""
    title, text = html.unescape(document.title), html.unescape(document.text)
    if document.id in DISAMBIGUATION_IDS or any(mark in title.lower() for mark in DISAMBIGUATION):
        return None
    if any(title.startswith(start) and len(title) > len(start) for start in MOSTLY_LINKS):
        return None
    return replace(document, title=title, text=text)
