"""What the encoder of `opendpr-minilm` is trained on, made from the folder of the development data.

The collection that positives and negatives are mined from holds Wikipedia without the paragraphs that are gold evidence
of development and test questions, and the paragraphs of the SQuAD training records, whose tokens are joined to plain
text. Pseudo-questions are sentences of it in disarray, which teach a dense encoder to heed rare words as BM25 does
(after Chen et al. 2022, "Salient Phrase Aware Dense Retrieval").
"""

from __future__ import annotations

import hashlib
import json
import lzma
import random
import re
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path

from opendpr.collection import Collection, open_collection, open_writer
from opendpr.interop import write_examples
from opendpr.iteration import batched
from opendpr.search.bm25 import open_bm25, update_bm25
from opendpr.search.tantivy import TantivyIndex
from opendpr.storage.lines import read_jsonl
from opendpr.training.sources import sentences
from opendpr.types import Document, ExamplePassage, Passage, Question, TrainingExample

GOLD = ("squad-", "nq-", "time-")
"""Ids of documents that are gold evidence of questions kept for development or the final test."""
BRACKETS = (("-LRB-", "("), ("-RRB-", ")"), ("-LSB-", "["), ("-RSB-", "]"), ("``", '"'), ("''", '"'))
QUESTION_WORDS = (
    *("what", "who", "when", "where", "how many", "which", "what is the name of", "in what year", "how", "why"),
    *("whose", "what type of"),
)
SMALL_WORDS = frozenset(
    re.findall(
        r"\w+",
        "the a an of in to and for on at by with as is was were are be been it its this that from or which who his her "
        "their he she they had has have also not but",
    )
)
LONGEST_QUESTION_WORDS = 22
"""Words of a sentence that a pseudo-question is made of."""
NEAR = 6
"""Passages among the first of BM25 that are a pseudo-question's hard negatives."""


def joined(tokens: str) -> str:
    """The text of Penn Treebank tokens."""
    for token, sign in BRACKETS:
        tokens = tokens.replace(token, sign)
    tokens = re.sub(r" ([.,;:!?%)\]])", r"\1", tokens)
    tokens = re.sub(r"([(\[$]) ", r"\1", tokens)
    return re.sub(r" ('s|n't|'re|'ve|'ll|'d)\b", r"\1", tokens)


def span_records(data: Path) -> tuple[dict[str, Document], list[dict[str, object]]]:
    """The paragraphs of SQuAD's training records by id, and their questions with the paragraph that answers."""
    documents: dict[str, Document] = {}
    questions: list[dict[str, object]] = []
    for _, record in read_jsonl(data / "train" / "squad_reader.jsonl"):
        if not record["level"].startswith("paragraph"):
            continue
        text = joined(record["passage"])
        id = f"span-{hashlib.sha1(text.encode()).hexdigest()[:12]}"
        documents[id] = Document(id, "", text)
        answers, question = [joined(record["answer_text"])], joined(record["question"])
        questions.append({"id": record["id"], "question": question, "answers": answers, "document_ids": [id]})
    return documents, questions


def make_collection(data: Path, directory: Path, spans: Sequence[Document]) -> None:
    """The collection that is mined: text and BM25, no vectors."""
    with lzma.open(data / "wikipedia" / "documents.jsonl.xz", "rt", encoding="utf-8") as file:
        records = (record for record in map(json.loads, file) if not record["id"].startswith(GOLD))
        articles = (Document(record["id"], record["title"], record["text"]) for record in records)
        with open_writer(directory) as writer:
            for some in batched(chain(articles, spans), 256):
                writer.put_documents(some)
            update_bm25(writer)


def pseudo_question(sentence: str, generator: random.Random) -> str:
    """A sentence without its "answer", a few words that a question word replaces, and without many of the others."""
    words = sentence.split()
    if len(words) > LONGEST_QUESTION_WORDS:
        first = generator.randrange(len(words) - 18)
        words = words[first : first + generator.randint(12, LONGEST_QUESTION_WORDS)]
    gone = generator.randint(1, min(4, max(1, len(words) // 4)))
    at = generator.randrange(len(words) - gone + 1)
    left, right = ([word for word in part if _kept(word, generator)] for part in (words[:at], words[at + gone :]))
    asking, order = [generator.choice(QUESTION_WORDS)], generator.random()
    parts = asking + right + left if order < 0.5 else asking + left + right if order < 0.75 else left + asking + right
    text = re.sub(r"[^\w\s'$%-]", "", " ".join(parts))
    return text.strip() + generator.choice(["?", "", " ?"])


def _kept(word: str, generator: random.Random) -> bool:
    return generator.random() > (0.45 if word.lower().strip(".,;") in SMALL_WORDS else 0.2)


def pseudo_examples(collection: Collection, count: int, seed: int) -> Iterator[TrainingExample]:
    """Yield pseudo-questions with the passage of their sentence, and what else BM25 finds for them."""
    generator, (index, _) = random.Random(seed), open_bm25(collection)
    last, made = collection.count_passages(), 0
    while made < count:
        numbers = [generator.randrange(1, last + 1) for _ in range(256)]
        passages = collection.passages(numbers)
        for number in numbers:
            if made < count and number in passages:
                example = _pseudo_example(collection, index, passages[number], generator)
                made += example is not None
                if example is not None:
                    yield example


def _pseudo_example(
    collection: Collection, index: TantivyIndex, passage: Passage, generator: random.Random
) -> TrainingExample | None:
    borders = sentences(passage.text)
    if not borders:
        return None
    first, last = generator.choice(borders)
    question = pseudo_question(passage.text[first:last], generator)
    if len(question.split()) < 5:
        return None
    found = index.search(question, 10).numbers[0].tolist()
    near = [number for number in found if number > 0 and number != passage.number][:NEAR]
    others = collection.passages(near)
    negatives = [others[number] for number in near if number in others and others[number].text != passage.text]
    if not negatives:
        return None
    shown = [ExamplePassage(one.title, one.text) for one in (passage, *negatives)]
    return TrainingExample(Question("", question), (shown[0],), tuple(shown[1:]))


def write_pseudo_examples(directory: Path, output: Path, count: int, seed: int) -> None:
    """Pseudo-questions of a collection as a file of examples."""
    with open_collection(directory) as collection:
        write_examples(output, pseudo_examples(collection, count, seed), "jsonl")
