"""The loss of phrase vectors is that computed by hand, words are those of the text, and training learns."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from experiments.common.tiny import write_tiny_model
from experiments.paper.systems.phrase_training import (
    MarkedPhrase,
    PhraseEncoder,
    PhraseInput,
    PhraseNetwork,
    PhraseObjective,
    phrase_loss,
)

from opendpr.model.directory import Model
from opendpr.model.tokenizer import Tokenizer
from opendpr.training.loop import train
from opendpr.training.settings import LoopSettings
from opendpr.types import Passage

TEXTS = ("Ann sails on the blue boat.", "Tom rows at noon, and Mary waits.", "Old Bert mends seven nets.")
PASSAGES = [Passage(number, "", "", text, 0) for number, text in enumerate(TEXTS)]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    return Model(write_tiny_model(tmp_path_factory.mktemp("phrases") / "model"))


def surprise(scores: Sequence[float], place: int) -> float:
    return float(np.log(np.exp(scores).sum()) - scores[place])


def test_a_word_competes_with_those_of_its_passage_and_with_all() -> None:
    words = torch.tensor([[1.0, 0.0], [0.0, 2.0], [3.0, 1.0], [0.5, 0.5]])
    questions, owners, wanted = torch.tensor([[1.0, 1.0], [2.0, 0.0]]), torch.tensor([0, 0, 1, 1]), torch.tensor([1, 2])
    first = surprise([1, 2], 1) + surprise([1, 2, 4, 1], 1)  # the scores of the first question by hand
    second = surprise([6, 1], 0) + surprise([2, 0, 6, 1], 2)
    assert phrase_loss(questions, words, owners, wanted).item() == pytest.approx((first + second) / 2, rel=1e-6)


def test_words_are_those_of_the_text_and_their_tokens_those_of_the_sequence(model: Model) -> None:
    (words,) = PhraseInput(model).passages([Passage(1, "", "The Log of the Heron", TEXTS[1], 0)])
    texts = [TEXTS[1][start:end] for start, end in words.offsets]
    assert " ".join(texts).replace(" ,", ",").replace(" .", ".") == TEXTS[1]
    tokenizer = Tokenizer(model.tokenizer_path)
    for text, first, last in zip(texts, words.first, words.last, strict=True):
        assert words.sequence.ids[first : last + 1].tolist() == tokenizer.ids([text])[0].tolist()


def test_a_passage_that_is_too_long_has_no_words(model: Model) -> None:
    (words,) = PhraseInput(model).passages([Passage(1, "", "", "word " * 2_000, 0)])
    assert len(words.first) == len(words.last) == len(words.offsets) == 0


def test_every_phrase_is_in_one_batch_of_a_pass(model: Model) -> None:
    inputs = PhraseInput(model)
    phrases = [MarkedPhrase("who ?", 0, 0, 0)] * 100
    objective = PhraseObjective(
        PhraseNetwork(model), inputs, words=inputs.passages(PASSAGES), phrases=phrases, batch_size=64
    )
    batches = objective.batches(0)
    assert sorted(place for batch in batches for place in batch) == list(range(100))
    assert batches == objective.batches(0) != objective.batches(1)


def test_training_finds_the_phrases_that_it_is_shown(model: Model, tmp_path: Path) -> None:
    torch.manual_seed(0)
    inputs, network = PhraseInput(model), PhraseNetwork(model)
    words = inputs.passages(PASSAGES)
    phrases = [MarkedPhrase(question, place, first, last) for place, (question, first, last) in enumerate(SHOWN)]
    objective = PhraseObjective(network, inputs, words=words, phrases=phrases, batch_size=32)
    train(objective, LoopSettings(epochs=60.0, learning_rate=3e-3, dropout=0.0, precision="fp32"), tmp_path)
    encoder = PhraseEncoder(network, inputs)
    start, end = encoder.questions([question for question, *_ in SHOWN])
    starts, ends = encoder.words(words)
    before = np.cumsum([0, *(len(own.first) for own in words)])
    assert (start @ starts.T).argmax(1).tolist() == [before[place] + first for place, (_, first, _) in enumerate(SHOWN)]
    assert (end @ ends.T).argmax(1).tolist() == [before[place] + last for place, (_, _, last) in enumerate(SHOWN)]


SHOWN = [("who sails ?", 0, 0), ("when does Tom row ?", 3, 3), ("how many nets ?", 3, 4)]
"""A question about each text, with the first and the last word of its answer."""
