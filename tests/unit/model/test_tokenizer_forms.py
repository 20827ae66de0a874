"""A tokenizer reads the plain form of a text, and its offsets are those of the text as it is."""

from __future__ import annotations

import pytest

from opendpr.model.directory import find_model
from opendpr.model.tokenizer import Tokenizer


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return Tokenizer(find_model("opendpr-minilm").tokenizer_path)


@pytest.mark.parametrize(
    ("written", "usual"), [("oﬃce", "office"), ("inspec-\ntion", "inspection"), ("ＭＡＬＭＯ", "malmo")]
)
def test_other_forms_of_a_word_have_the_same_tokens_and_cover_it(tokenizer, written, usual):
    (tokens,) = tokenizer([f"The {written} is"])
    assert tokens.ids.tolist() == tokenizer.ids([f"The {usual} is"])[0].tolist()
    inside = tokens.offsets[1:-1]
    assert (inside[:, 0].min(), inside[:, 1].max()) == (4, 4 + len(written))


def test_plain_text_has_the_tokens_it_always_had(tokenizer):
    (tokens,) = tokenizer(["It cost 31 crowns."])
    places = [(0, 2), (3, 7), (8, 10), (11, 17), (17, 18)]
    assert [tuple(place) for place in tokens.offsets.tolist()] == places
