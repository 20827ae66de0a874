"""`opendpr ask --explain`: what the score and the confidence of an answer are made of, as text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from opendpr.answering.explaining import Explanation, Weighed

FEATURE_MEANINGS = {
    "passage selection": "how well the passage answers, by the reader",
    "span": "log P_start + log P_end, by the reader",
    "retrieval": "how well the passage was found",
    "mismatch": "1 if not of the kind asked for",
    "near": "share of the question's words that are not near",
    "names": "share of its names and numbers that the passage lacks",
    "row": "share of these that the row of the table lacks",
    "missing": "share of its words that the passage lacks",
    "unseen": "words of it that occur nowhere",
    "share": "log-odds of the part of all evidence",
    "rival": "log of its evidence over the second's",
    "passage": "selection of its best passage",
    "ahead": "the same less that of the others together",
    "places": "log of the places that count",
    "margin": "retrieval score less the mean",
    "similarity": "by vectors",
    "words": "log(1 + BM25)",
    "rank": "log of the passage's rank",
    "length": "log of the number of words",
    "heading": "1 if in a heading",
    "bias": "",
}
"""What each number says, in words."""


def explained(explanation: Explanation) -> Iterator[str]:
    """The lines that explain one answer."""
    parts = ", ".join(f"{name} {value:.2f}" for name, value in explanation.retrieval.items())
    yield f"  why {' '.join(explanation.text.split())!r}:"
    yield (
        f"    evidence {explanation.evidence:.3f} from {explanation.agreeing} of {explanation.places} "
        f"{'place' if explanation.places == 1 else 'places'}; retrieval is {parts or 'not known'}"
    )
    yield "    score of the best place, a logarithm"
    yield from _table(explanation.score)
    if explanation.confidence:
        yield f"    confidence, as log-odds; there is no answer below a confidence of {explanation.threshold:.2f}"
        yield from _table(explanation.confidence)


def _table(parts: Sequence[Weighed]) -> Iterator[str]:
    for part in parts:
        meaning = FEATURE_MEANINGS[part.name]
        line = f"      {part.name:18}{part.value:9.2f} x {part.weight:7.2f} = {part.product:7.2f}  {meaning}"
        yield line.rstrip()
    yield f"      {'sum':18}{sum(part.product for part in parts):29.2f}"
