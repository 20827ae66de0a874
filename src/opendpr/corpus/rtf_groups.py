"""What a group of rich text hands down to the groups in it, and what ends where it ends."""

from __future__ import annotations

from dataclasses import dataclass

from opendpr.corpus.extract import BlockText


@dataclass(frozen=True, slots=True)
class Look:
    """How text looks, and whether it is any: what a group hands down to the groups in it."""

    font: str = ""
    script: str = ""
    """`super`, `sub` or neither."""
    unseen: frozenset[str] = frozenset()
    """Which of hidden, deleted, struck and moved away the text is."""
    dropped: str = ""
    """The group that is no text, if it lies in one."""
    fallback: int = 1
    """Characters after each Unicode character that stand for it in old programs."""
    in_table: bool = False


@dataclass(slots=True)
class Group:
    """What ends where a group ends."""

    look: Look
    starred: bool = False
    name: str = ""
    """Its first word."""
    kind: str = ""
    """`note`, `number`, `box` or `math`; empty for others."""
    outer: BlockText | None = None
    """Where text goes after it, if elsewhere."""
