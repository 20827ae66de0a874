"""Questions with the paragraph that answers them, for the second round of the encoder's training.

A question of each paragraph of SQuAD's training set, and those of Natural Questions, ClapNQ and TyDi QA, each with the
id of its gold paragraph (paper section 4.2). The paragraphs stand in a collection among other passages of Wikipedia,
none of them gold evidence of a development or test question, whose vectors are of the encoder of the first round: so
hard negatives are what BM25 and that encoder take for answers. Beside them samples of questions without a paragraph
(distant supervision): quiz questions, questions about entities.
"""

from __future__ import annotations

import hashlib
import json
import lzma
import random
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from pathlib import Path
from typing import Any, NamedTuple

from data import GOLD
from spans import plain_text

from opendpr.collection import open_writer
from opendpr.iteration import batched
from opendpr.search.bm25 import update_bm25
from opendpr.storage.lines import read_jsonl
from opendpr.types import Document


class GoldSource(NamedTuple):
    """A set of questions with their paragraphs."""

    file: str
    per_paragraph: int
    """Questions taken of one paragraph."""
    tokenised: bool = False


GOLD_SOURCES = (
    GoldSource("squad_full.jsonl.gz", 1),
    GoldSource("nq_reader.jsonl.gz", 2, tokenised=True),
    GoldSource("clapnq_passages.jsonl.gz", 2, tokenised=True),
    GoldSource("tydiqa_reader.jsonl.gz", 2),
)
DISTANT_QUESTIONS = {"trivia": 3_400, "webquestions": 1_800, "curatedtrec": 900, "entityquestions": 14_000}
"""Sets without paragraphs, and how many of their questions are looked for in all of Wikipedia."""
OTHER_DOCUMENTS = 14_000
"""Other documents of Wikipedia in the collection, every sixteenth: hard negatives of many kinds."""


def gold_records(data: Path, source: GoldSource, seed: int = 0) -> tuple[dict[str, Document], list[dict[str, Any]]]:
    """The paragraphs of a set by id, and the questions taken with the paragraph of each."""
    plain = plain_text if source.tokenised else str
    records = [record for _, record in read_jsonl(data / "train" / source.file)]
    random.Random(seed).shuffle(records)
    documents: dict[str, Document] = {}
    questions: list[dict[str, Any]] = []
    of_paragraph: Counter[str] = Counter()
    for record in records:
        text, title = plain(str(record["passage"])), plain(str(record.get("title") or ""))
        id = f"gold-{hashlib.sha1(text.encode()).hexdigest()[:16]}"
        documents.setdefault(id, Document(id, title, text))
        if of_paragraph[id] < source.per_paragraph and len(record["question"].split()) > 2:
            of_paragraph[id] += 1
            answers = [plain(str(answer)) for answer in record.get("answers") or ()]
            question = {"id": record["id"], "question": plain(str(record["question"])), "document_ids": [id]}
            questions.append(question | ({"answers": answers} if answers else {}))
    return documents, questions


def write_distant_questions(data: Path, name: str, directory: Path, seed: int = 0) -> Path:
    """A sample of a set without paragraphs as a file of questions, and its path."""
    records = [record for _, record in read_jsonl(data / "train" / f"{name}_answers_only.jsonl.gz")]
    random.Random(seed).shuffle(records)
    path = directory / f"{name}.questions.jsonl"
    write_records(path, records[: DISTANT_QUESTIONS[name]])
    return path


def write_gold_questions(data: Path, directory: Path) -> tuple[dict[str, Document], list[Path]]:
    """The paragraphs of all sets by id, and a file of questions for each set."""
    documents: dict[str, Document] = {}
    files = []
    for source in GOLD_SOURCES:
        paragraphs, questions = gold_records(data, source)
        documents |= paragraphs
        files.append(directory / f"gold-{source.file.split('_')[0]}.questions.jsonl")
        write_records(files[-1], questions)
    return documents, files


def write_records(path: Path, records: Iterable[object]) -> None:
    """JSON lines."""
    path.write_text("".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records), encoding="utf-8")


def other_documents(data: Path, count: int) -> Iterator[Document]:
    """Documents of Wikipedia that are no gold evidence, spread over the file."""
    with lzma.open(data / "wikipedia" / "documents.jsonl.xz", "rt", encoding="utf-8") as file:
        records = (record for record in map(json.loads, file) if not record["id"].startswith(GOLD))
        for record in islice(records, 0, 16 * count, 16):
            yield Document(record["id"], record["title"], record["text"])


def make_gold_collection(data: Path, directory: Path, paragraphs: Iterable[Document]) -> None:
    """The collection of the second round: text and BM25; vectors come from the encoder of the first."""
    with open_writer(directory) as writer:
        for some in batched(chain(paragraphs, other_documents(data, OTHER_DOCUMENTS)), 256):
            writer.put_documents(some)
        update_bm25(writer)
