"""What decoding knows of a question beside what was read for it: its words, and how common they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Asked:
    """A question.

    Args:
        text: its words; empty where the question is not known
        passages: how many the collection has; 0 where that is not known
        frequencies: in how many of them each of its words occurs, by the word as it is searched for
    """

    text: str = ""
    passages: int = 0
    frequencies: Mapping[str, int] = field(default_factory=dict)


UNKNOWN = Asked()
"""A question of which nothing is known."""
