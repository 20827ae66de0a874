"""Scores normalised over all passages are those computed by hand."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from experiments.common.tiny import write_tiny_model
from experiments.paper.systems.multi_passage import STRIDED, global_reader
from numpy.typing import NDArray

from opendpr.answering import outcome
from opendpr.model.batches import Batch
from opendpr.model.directory import Model
from opendpr.model.reader import SpanReader
from opendpr.model.tokenizer import Tokenizer
from opendpr.types import Hit, Passage

START = {"smith": 3.0, "paris": 2.0, "king": 1.0}
END = {"smith": 1.0, "paris": 2.5, "king": 0.5}
HITS = [Hit(Passage(1, "a", "", "smith king", 0), 1.0), Hit(Passage(2, "b", "", "paris", 0), 0.5)]


class ByWord:
    """A network whose logits are those of the tables above, and a strong choice of the first passage."""

    parallel = 1

    def __init__(self, tokenizer: Tokenizer) -> None:
        ids = {word: tokenizer.ids([word])[0].tolist() for word in START}
        assert all(len(own) == 1 for own in ids.values())
        self._words = {own[0]: word for word, own in ids.items()}

    def __call__(self, batches: Sequence[Batch]) -> list[NDArray[np.float32]]:
        results = []
        for batch in batches:
            words = [[self._words.get(id, "") for id in row] for row in batch.ids.tolist()]
            tables = [[[table.get(word, 0.0) for word in row] for row in words] for table in (START, END)]
            chosen = [[9.0 if "smith" in row else 0.0] for row in words]
            results.append(np.concatenate([chosen, *map(np.array, tables)], axis=1).astype(np.float32))
        return results


@pytest.fixture
def model(tmp_path: Path) -> Model:
    return Model(write_tiny_model(tmp_path / "model"))


def test_a_span_competes_with_the_spans_of_every_passage(model: Model) -> None:
    config, tokenizer = model.require_reader(), Tokenizer(model.tokenizer_path)
    (spans,) = global_reader(ByWord(tokenizer), config, tokenizer).read(["who ?"], [HITS])
    answers = {answer.text: answer.confidence for answer in outcome(spans).answers}
    first = (math.exp(3) + math.exp(1)) * (math.exp(1) + math.exp(0.5))  # Z_start * Z_end of "smith king"
    second = math.exp(2) * math.exp(2.5)
    assert answers["paris"] == pytest.approx(math.exp(4.5) / (first + second))
    assert answers["smith"] == pytest.approx(math.exp(4) / (first + second))
    assert next(iter(answers)) == "paris"


def test_one_passage_at_a_time_the_chosen_passage_wins(model: Model) -> None:
    config, tokenizer = model.require_reader(), Tokenizer(model.tokenizer_path)
    (spans,) = SpanReader(config, tokenizer, ByWord(tokenizer)).read(["who ?"], [HITS])
    assert outcome(spans).answers[0].text == "smith"


def test_passages_begin_every_50_words() -> None:
    text = " ".join(f"w{number}" for number in range(160))
    assert [text[start:end].split()[0] for start, end in STRIDED.split(text)] == ["w0", "w50", "w100"]
