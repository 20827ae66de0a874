"""What takes how long, for `opendpr plan`: rates measured on this machine with the real code, for a few seconds."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from opendpr.protocols import Encoder
from opendpr.search.cost import LIST_SAMPLE_VECTORS, Kind, ivf_lists
from opendpr.search.exact import scan
from opendpr.search.settings import EffortSettings, ExactSettings
from opendpr.search.tantivy import TantivyIndex
from opendpr.types import Passage, Vectors

SAMPLE_PASSAGES, SAMPLE_WORDS = 1_000, 100
"""How many passages the rates are measured with, and how long they are where there is no collection yet."""
ENCODED_PASSAGES = 32
"""Passages encoded between two readings of the clock."""
TRIAL_SECONDS = 1.0
"""How long passages are encoded."""
CODED_VECTORS, CODED_LISTS = 4_096, 2_048
"""Vectors that are coded, and the most lists for it: with more lists it takes longer in proportion."""
SCANNED_VECTORS = 32_768
"""Vectors that are compared with questions."""
KMEANS_ITERATIONS = 10
"""How often FAISS compares each vector of the sample with all centroids."""
SAMPLE_TEXT = (
    "In the spring of that year the company that had built the first bridge over the river began to plan another, "
    "which was to carry the railway from the harbour to the new market on the other bank. "
)


@dataclass(frozen=True, slots=True)
class Rates:
    """What a machine does in a second."""

    encoded_passages: float
    """Passages that the model encodes; infinite where none is to be encoded."""
    indexed_passages: float
    """Passages whose words are indexed for BM25."""
    coded_vectors: float
    """Vectors that are compared with the centroids of all lists, coded and filed."""
    scanned_vectors: float
    """Vectors that are compared with all the questions by which the effort of a search is chosen."""


def measure_rates(passages: int, dim: int, sample: Sequence[Passage], encoding: Encoder | float | None) -> Rates:
    """The rates of this machine, for an index of this many passages with vectors of `dim` numbers.

    Args:
        sample: passages like those to come; if there are none, made-up ones of 100 words
        encoding: what encodes the passages, or its rate if it is known; None if none is to be encoded
    """
    sample = sample or made_up_passages()
    if encoding is None:
        encoded = math.inf
    else:
        encoded = encoding if isinstance(encoding, float) else _encoding_rate(encoding, sample)
    return Rates(encoded, _indexing_rate(sample), _coding_rate(passages, dim), _scanning_rate(dim))


def build_seconds(kind: Kind, passages: int, rates: Rates) -> float:
    """How long `opendpr optimize` takes, without reading the store and trying out efforts, which take less."""
    seconds = passages / rates.indexed_passages
    if kind == "ivf":
        sample = min(passages, LIST_SAMPLE_VECTORS * ivf_lists(passages))
        seconds += (KMEANS_ITERATIONS * sample + passages) / rates.coded_vectors + passages / rates.scanned_vectors
    return seconds


def made_up_passages(count: int = SAMPLE_PASSAGES) -> list[Passage]:
    """Passages of 100 words, no two the same."""
    words = (SAMPLE_TEXT * (SAMPLE_WORDS // 10)).split()
    starts = (number % (len(words) - SAMPLE_WORDS) for number in range(count))
    texts = (" ".join([*words[start : start + SAMPLE_WORDS - 1], str(start)]) for start in starts)
    return [Passage(number, "", "", text, 0) for number, text in enumerate(texts, start=1)]


def _encoding_rate(encoder: Encoder, sample: Sequence[Passage]) -> float:
    batch = sample[:ENCODED_PASSAGES]
    encoder.encode_passages(batch)  # loads the network
    started, encoded = time.perf_counter(), 0
    while (seconds := time.perf_counter() - started) < TRIAL_SECONDS:
        encoder.encode_passages(batch)
        encoded += len(batch)
    return encoded / seconds


def _indexing_rate(sample: Sequence[Passage]) -> float:
    index = TantivyIndex()
    return len(sample) / _seconds(lambda: index.update([], sample))


def _coding_rate(passages: int, dim: int) -> float:
    from opendpr.search.faiss import Codes  # which takes its time to import

    wanted = ivf_lists(passages)
    lists = min(wanted, CODED_LISTS)
    vectors = _random_vectors(CODED_VECTORS, dim)
    codes = Codes.train(vectors[:lists], lists)
    return len(vectors) / _seconds(lambda: codes.add(vectors)) * lists / wanted


def _scanning_rate(dim: int) -> float:
    effort = EffortSettings()
    questions, vectors = _random_vectors(effort.questions, dim), _random_vectors(SCANNED_VECTORS, dim)
    stored, numbers, settings = vectors.astype(np.float16), np.arange(len(vectors)), ExactSettings(wide_vectors=0)
    depth = max(effort.depths) + 1
    return len(vectors) / _seconds(lambda: scan(questions, depth, numbers, stored=stored, settings=settings))


def _random_vectors(count: int, dim: int) -> Vectors:
    return np.random.default_rng(0).standard_normal((count, dim), dtype=np.float32)


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started
