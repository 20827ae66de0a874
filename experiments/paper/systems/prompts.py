"""What a language model is asked, and what counts as its answer (after Roberts et al. 2020).

Roberts et al. train their model on questions and answers; here examples in the prompt show the form instead.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from opendpr.types import Passage

CLOSED_BOOK = """\
Answer each question with a name, a number or a few words.

Question: who painted the ceiling of the sistine chapel
Answer: Michelangelo

Question: In what year did the Titanic sink?
Answer: 1912

Question: what is the chemical symbol of gold
Answer: Au

Question: {question}
Answer:"""
"""Without passages: the answer has to come from the parameters alone."""
WITH_PASSAGES = """\
Answer each question with a few words of its passages.

Sistine Chapel: The chapel's ceiling was painted by Michelangelo between 1508 and 1512.
Question: who painted the ceiling of the sistine chapel
Answer: Michelangelo

{passages}
Question: {question}
Answer:"""
_LEAD = re.compile(r"^(?:the )?answer(?: is|:)\s*|^a:\s*", re.IGNORECASE)
_QUOTES = "\"'“”‘’`*"


def prompt(question: str, passages: Sequence[Passage] = ()) -> str:
    """The prompt of a question, with passages if there are any; every text is on one line of its own."""
    if not passages:
        return CLOSED_BOOK.format(question=_line(question))
    lines = "\n".join(_line(f"{passage.title}: {passage.text}") for passage in passages)
    return WITH_PASSAGES.format(passages=lines, question=_line(question))


def answer_of(generated: str) -> str:
    """The first line of what was generated, without words that lead to the answer, quotes and the last full stop."""
    line = next((line.strip() for line in generated.splitlines() if line.strip()), "")
    line = _LEAD.sub("", line).strip().strip(_QUOTES).strip()
    return line.removesuffix(".").strip(_QUOTES)


def _line(text: str) -> str:
    return " ".join(text.split())
