"""Rebuilding the search caches: the statistics of BM25, and the approximate index of the vectors."""

from __future__ import annotations

import logging
import random

from opendpr.choices import IndexName
from opendpr.collection import Collection, Writer
from opendpr.collection.rows import EncoderRow
from opendpr.errors import OpendprError
from opendpr.iteration import OnStage
from opendpr.model.directory import Model, find_model
from opendpr.model.encoder import BertEncoder
from opendpr.model.runtime import RuntimeSettings
from opendpr.search.bm25 import rebuild_bm25
from opendpr.search.built import BuiltIndex
from opendpr.search.cost import chosen, estimates, machine_memory
from opendpr.search.dense import built_index, remove_dense
from opendpr.search.recall import Ask
from opendpr.search.settings import BuildSettings
from opendpr.text.splitting import Splitter
from opendpr.types import Numbers, Vectors

logger = logging.getLogger(__name__)

QUESTION_WORDS = 12
"""Words of a passage that serve as a question."""
QUESTION_SEED = 0


def optimize(
    writer: Writer,
    *,
    index: IndexName = "auto",
    memory_bytes: int | None = None,
    model: Model | None = None,
    on_progress: OnStage = lambda what, done, total: None,
    build: BuildSettings = BuildSettings(),
) -> BuiltIndex | None:
    """Rebuild the search caches: they then find and score like those of a collection built in one go.

    Args:
        index: how vectors are searched; `auto` keeps the kind that there is, or else takes what `opendpr plan` would
        memory_bytes: memory that may be used; None means what the machine has
        model: makes the questions by which recall is measured; None is the collection's
        build: how an approximate index is built, and the recall that it must reach

    Returns:
        What is known of the approximate index; None if every vector is scanned.

    Raises:
        ResourceError: the disk or the memory is too small.
        StateError: an approximate index was asked for, and there are no vectors, or the first passage has none; or
            the model given is not the one that made them.
    """
    if (row := writer.encoder()) and model:
        writer.refuse_other_encoder(model.fingerprint, model.reference)
    if index == "auto" and built_index(writer):
        index = "ivf"  # who has had one built wants it to take in what is new
    if index == "ivf":
        row = writer.require_encoder()
    scans = row is None or _scans(writer.count_passages(), row.dim, index, memory_bytes=memory_bytes, build=build)
    rebuild_bm25(writer, on_progress)
    if scans or row is None or next(writer.vectors(), None) is None:
        remove_dense(writer)
        return None
    from opendpr.search.building import build_dense  # which imports FAISS

    ask = asker(writer, row, model)
    return build_dense(writer, ask=ask, on_progress=on_progress, settings=build)


def _scans(passages: int, dim: int, index: IndexName, *, memory_bytes: int | None, build: BuildSettings) -> bool:
    """Whether every vector is scanned; raises ResourceError if the memory is too small."""
    offers, kind = estimates(passages, dim, recall=build.recall), None if index == "auto" else index
    return chosen(offers, passages, memory_bytes or machine_memory(), kind).kind == "exact"


def asker(collection: Collection, row: EncoderRow, chosen_model: Model | None) -> Ask | None:
    """Return what makes questions of passages: some words of each in a row, encoded as questions are.

    They find passages about as well as real questions do (docs/scale.md). None if the model cannot be used here.
    """
    try:
        model = chosen_model or find_model(row.model)
        collection.refuse_other_encoder(model.fingerprint, model.reference)
        encoder = BertEncoder(model, RuntimeSettings(precision="fp32"))
        encoder.encode_questions(["opendpr"])  # what is wrong with it shows here, not after hours of building
    except (OpendprError, OSError) as error:
        logger.info("%s cannot be used: %s", row.model, error)
        logger.warning(
            "the model %s that made the vectors cannot be used here: vectors of passages serve as questions, which are "
            "easier than real ones; ask for a higher recall",
            row.model,
        )
        return None
    generator, splitter = random.Random(QUESTION_SEED), Splitter(words=QUESTION_WORDS)

    def ask(numbers: Numbers) -> Vectors:
        passages = collection.passages(numbers.tolist())
        texts = [passages[number].text for number in numbers.tolist()]
        places = [generator.choice(splitter.split(text)[:-1] or [(0, len(text))]) for text in texts]
        return encoder.encode_questions([text[start:end] for text, (start, end) in zip(texts, places, strict=True)])

    return ask
