"""Text without meaning but of real length and real words, and vectors without an encoder: for figures of the store."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import cast

import numpy as np

from experiments.common.data import Data
from opendpr.model.directory import Model
from opendpr.model.encoder import BertEncoder, EncodedPassages
from opendpr.model.runtime import RuntimeSettings
from opendpr.text.splitting import Splitter
from opendpr.types import Passage, Vectors

TEXT_WORDS = 100
"""Words of a text, which make one passage."""
SAMPLED_DOCUMENTS = 3_000
"""Documents whose words are drawn, as often as they occur there: a real and so Zipf-like distribution."""
BLOCK_TEXTS = 1_000


class Texts:
    """An endless supply of texts of `TEXT_WORDS` words, the same for the same seed."""

    def __init__(self, data: Data, seed: int) -> None:
        counts = Counter(
            word for record in islice(data.wikipedia(), SAMPLED_DOCUMENTS) for word in record["text"].split()
        )
        single = Splitter(words=1)
        counts = Counter({word: count for word, count in counts.items() if len(single.split(word)) == 1})
        self._words = np.array(list(counts), dtype=object)
        self._limits = np.cumsum(np.array(list(counts.values()), dtype=float))
        self._generator = np.random.default_rng(seed)

    def __iter__(self) -> Iterator[str]:
        while True:
            drawn = self._generator.uniform(0, self._limits[-1], (BLOCK_TEXTS, TEXT_WORDS))
            for words in self._words[np.searchsorted(self._limits, drawn, side="right")]:
                yield " ".join(words)


def write_jsonl(path: Path, texts: Iterator[str], documents: int) -> Path:
    """A file of documents with the ids 0, 1, 2, ..."""
    with path.open("w", encoding="utf-8") as file:
        for number, text in enumerate(islice(texts, documents)):
            file.write(json.dumps({"id": str(number), "title": "", "text": text}) + "\n")
    return path


class GivenVectors:
    """In place of an encoder: unit vectors, random but always the same for a seed, in the name of a model."""

    def __init__(self, model: Model, seed: int) -> None:
        self.model, self.runtime = model, RuntimeSettings(precision="fp32")
        self.dim = model.require_encoder().dim
        self._generator = np.random.default_rng(seed)

    def encode_passages(self, passages: Sequence[Passage]) -> Vectors:
        return self._unit(len(passages))

    def encode(self, passages: Sequence[Passage], on_progress: object = None) -> EncodedPassages:
        return EncodedPassages(self._unit(len(passages)), 0)

    def encode_chunks(
        self, chunks: Iterable[list[Passage]], on_progress: object = None
    ) -> Iterator[tuple[list[Passage], EncodedPassages]]:
        for passages in chunks:
            yield passages, self.encode(passages)

    @property
    def made_by(self) -> str:
        return str(self.runtime)

    def encode_questions(self, questions: Sequence[str]) -> Vectors:
        return self._unit(len(questions))

    def _unit(self, n: int) -> Vectors:
        vectors = self._generator.standard_normal((n, self.dim), dtype=np.float32)
        return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)


def given_encoder(model: Model, seed: int) -> BertEncoder:
    """`GivenVectors` for `add`, which asks no more of an encoder than it has."""
    return cast(BertEncoder, GivenVectors(model, seed))
