"""DrQA's TF-IDF gives the scores of a slow version that follows the formula word for word."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest
from sklearn.utils import murmurhash3_32

pytestmark = pytest.mark.filterwarnings("default")

from experiments.paper.systems.tfidf import BUCKETS, TfIdf, bucket, terms  # noqa: E402

TEXTS = [
    "The lighthouse of Norham was built in 1812 by Marta Lind.",
    "Marta Lind built the bridge of Alford. The bridge fell in 1812; the bridge was built again.",
    "Nothing is known of the harbour.",
    "",
    "A railway, a railway station and a railway bridge.",
]
QUESTIONS = ["Who built the lighthouse of Norham?", "railway bridge", "the of a", "bridge bridge of Marta Lind"]


def slow_scores(question: str, texts: list[str], buckets: int) -> list[float]:
    """The formula, one text and one bucket at a time."""
    counts = [Counter(murmurhash3_32(term, positive=True) % buckets for term in terms(text)) for text in texts]
    asked = Counter(murmurhash3_32(term, positive=True) % buckets for term in terms(question))

    def rarity(place: int) -> float:
        holding = sum(place in own for own in counts)
        return max(0.0, math.log((len(texts) - holding + 0.5) / (holding + 0.5)))

    return [
        sum(math.log(1 + own[place]) * math.log(1 + asked[place]) * rarity(place) ** 2 for place in asked)
        for own in counts
    ]


@pytest.mark.parametrize("buckets", [BUCKETS, 7])
def test_scores_are_those_of_the_formula_also_where_terms_share_a_bucket(buckets: int) -> None:
    scores = TfIdf(TEXTS, buckets).scores(QUESTIONS)
    np.testing.assert_allclose(scores, [slow_scores(question, TEXTS, buckets) for question in QUESTIONS], atol=1e-12)
    assert scores.any()


def test_terms_are_words_and_pairs_without_stop_words_and_signs() -> None:
    assert terms("The bridge of Alford, in Old Norham") == ["bridge", "alford", "old", "norham", "old norham"]


def test_terms_are_hashed_by_murmurhash3() -> None:
    assert bucket("hello") == 0x248BFA47 % BUCKETS  # a published value of MurmurHash3, 32 bits, seed 0


def test_weights_of_other_texts_are_as_rare_as_in_the_index() -> None:
    index = TfIdf(TEXTS, 1_000)
    products = (index.vectors(QUESTIONS) @ index.vectors(TEXTS).T).toarray()
    np.testing.assert_allclose(products, index.scores(QUESTIONS))
