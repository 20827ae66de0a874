"""Mining: from questions and a collection to a list or a file of training examples."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from opendpr.choices import needs_vectors
from opendpr.collection import Collection, opened_collection
from opendpr.collection.swapped import refuse_swapped
from opendpr.interop import Questions, question_sets, write_examples
from opendpr.iteration import OnProgress
from opendpr.model.directory import DEFAULT_MODEL, Model, find_model
from opendpr.model.encoder import BertEncoder
from opendpr.model.reader import BertReader
from opendpr.search.live import LiveSnapshot
from opendpr.search.retrievers import make_retriever
from opendpr.storage.lines import json_line, write_lines
from opendpr.training.miner import LeftOut, Miner, MiningReport, MiningSettings
from opendpr.types import Question, TrainingExample


class Mined(NamedTuple):
    """Training examples, and what became of the questions."""

    examples: list[TrainingExample]
    """Empty if they were written to a file."""
    report: MiningReport


def mine(
    collection: str | Path | Collection,
    questions: Questions,
    *,
    model: str | Path | Model | None = None,
    output: str | Path | None = None,
    left_out: str | Path | None = None,
    settings: MiningSettings = MiningSettings(),
    on_question: OnProgress = lambda done, total: None,
) -> Mined:
    """Make training examples: positives and hard negatives of questions (paper sections 3.2 and 4.2).

    Args:
        collection: where passages come from
        questions: with answers or with the documents that answer them
        model: finds hard negatives with `dense` or `hybrid` retrieval and denoises; without, the collection's
        output: a file for the examples, JSON lines; without, they are returned
        left_out: a file for the questions that became no example, with the reason; written even if all are refused
        on_question: called before each question with questions mined and questions in all

    Raises:
        InputError: the questions cannot be read, or nothing can be learned from what was mined.
        StateError: the collection or the model is missing, or they do not belong together.
    """
    refuse_swapped(collection, questions, "opendpr.mine('{collection}', '{questions}')")
    with opened_collection(collection) as opened:
        miner = _miner(opened, model, settings)
        every = [question for part in question_sets(questions) for question in part.questions]
        examples = miner.examples(_counted(every, on_question))
        mined: list[TrainingExample] = []
        try:
            if output is None:
                mined.extend(examples)
            else:
                write_examples(Path(output), examples, "jsonl")
        finally:
            if left_out is not None:
                write_lines(Path(left_out), map(json_line, map(_record, miner.report.left_out)))
    return Mined(mined, miner.report)


def _miner(collection: Collection, model: str | Path | Model | None, settings: MiningSettings) -> Miner:
    """A miner with the retrievers that the settings name, and networks only where one is needed."""
    kinds = list(dict.fromkeys(settings.retrievers))
    active, compares = collection.encoder(), any(map(needs_vectors, kinds))
    network: Model | None = None
    if settings.denoise or compares:
        name = model or (active.model if active else DEFAULT_MODEL)
        network = name if isinstance(name, Model) else find_model(str(name))
    encoder = BertEncoder(network, settings.runtime) if network and compares else None
    live = LiveSnapshot(collection)
    retrievers = {kind: make_retriever(kind, live, encoder) for kind in kinds}
    words = retrievers.get("bm25") or make_retriever("bm25", live)
    reader = BertReader(network, settings.runtime) if network and settings.denoise else None
    return Miner(collection, words, retrievers, settings=settings, reader=reader)


def _counted(questions: Sequence[Question], on_question: OnProgress) -> Iterator[Question]:
    for done, question in enumerate(questions):
        on_question(done, len(questions))
        yield question


def _record(left: LeftOut) -> dict[str, str]:
    return {"id": left.question.id, "question": left.question.text, "reason": left.reason}
