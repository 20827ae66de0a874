"""A question and a passage as sequences that a reader can take: long passages are windowed, never cut."""

from __future__ import annotations

from typing import NamedTuple

from opendpr.model.batches import TokenSequence, join
from opendpr.model.config import ReaderConfig
from opendpr.model.tokenizer import TokenIds, Tokenizer, Tokens


class Window(NamedTuple):
    """One sequence for the reader, and where the passage's text lies in it."""

    sequence: TokenSequence
    position: int
    """Position in the sequence of the window's first text token."""
    first: int
    """That token's place among the passage's text tokens."""
    length_tokens: int
    """How many text tokens the window holds."""


def windows(
    question: TokenIds, title: TokenIds, text: Tokens, *, config: ReaderConfig, tokenizer: Tokenizer
) -> list[Window]:
    """[CLS] question [SEP] title [SEP] text [SEP], in as many windows as the text needs.

    Consecutive windows share `stride_tokens` tokens, so that a span shorter than that is whole in
    one of them. A text without tokens has no window.
    """
    question = question[: config.max_question_tokens]
    title = title[: config.max_question_tokens] if config.input_form.title else title[:0]
    head = [question, title] if len(title) else [question]
    position = 1 + sum(len(part) + tokenizer.marks.between for part in head)
    room = config.max_tokens - position - config.input_form.closing
    pieces = []
    for first in range(0, len(text.ids), max(1, room - config.stride_tokens)):
        piece = text.ids[first : first + room]
        sequence = join([*head, piece], tokenizer.marks, config.input_form)
        pieces.append(Window(sequence, position, first, len(piece)))
        if first + room >= len(text.ids):
            break
    return pieces
