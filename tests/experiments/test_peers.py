"""Other systems do what the experiments ask of them; those that are not installed are left out."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from experiments.common.models import starting_model
from experiments.common.tiny import write_tiny_model, write_tiny_sentence_transformer

from opendpr.training.sources import Pair
from opendpr.types import ExamplePassage, Passage

pytestmark = pytest.mark.filterwarnings("default")  # those of other systems' packages are not ours
PASSAGES = [
    Passage(1, "a", "Norham", "The lighthouse of Norham was built in 1888.", 0),
    Passage(2, "b", "Alby", "The library of Alby burned.", 0),
]


def test_a_step_of_sentence_transformers_has_a_loss_and_counts_tokens(tmp_path: Path) -> None:
    pytest.importorskip("sentence_transformers")
    from experiments.peers.sentence_transformers import CachedTraining

    source = write_tiny_sentence_transformer(tmp_path, str(write_tiny_model(tmp_path / "model")))
    config = starting_model(tmp_path / "imported", source).require_encoder()
    training = CachedTraining(source, config, attention="sdpa", mini_batch=1)
    built, burned = (ExamplePassage(passage.title, passage.text) for passage in PASSAGES)
    pairs = [Pair("when was it built ?", built, [burned]), Pair("what burned ?", burned, [built])]
    loss, tokens = training.step(pairs)
    assert math.isfinite(loss)
    assert tokens > len(pairs)


def test_bm25s_finds_the_passage_with_the_words() -> None:
    pytest.importorskip("bm25s")
    from experiments.peers.bm25s import Bm25s

    assert Bm25s(PASSAGES).search(["what burned"], 1, k1=0.9, b=0.4) == [[1]]


def test_haystack_answers() -> None:
    pytest.importorskip("haystack")
    from experiments.peers.haystack import HaystackWords

    HaystackWords([passage.text for passage in PASSAGES]).search("what burned")
