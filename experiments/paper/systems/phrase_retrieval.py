"""Phrases retrieved instead of passages, without a reader (Seo et al. 2019; the paper's footnote 4).

Every phrase of a small pool has a start and an end vector, a question has one of each, and the phrase with the largest
inner products is the answer: by exact search, and by inverted lists of start vectors. Beside it BM25 and the reader
over the same passages. The vectors come from opendpr's encoder through a small network trained on SQuAD's marked
answers (`phrase_training.py`), so the figures say what the idea costs rather than what it can reach.

    python -m experiments.paper.systems.phrase_retrieval --pool P3 --limit 60
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Mapping, Sequence
from itertools import groupby, islice
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from experiments.common.command import parse
from experiments.common.data import Record
from experiments.common.pools import build_pool_words
from experiments.common.report import Report
from experiments.common.runs import add_runs
from experiments.paper.systems.phrase_index import PhraseIndex, Phrases, StartLists
from experiments.paper.systems.phrase_training import (
    MarkedPhrase,
    PhraseHead,
    WordEncoder,
    Words,
    mark,
    train_head,
)
from experiments.paper.systems.running import (
    RETRIEVED_PASSAGES,
    Attempt,
    ReadingSystem,
    System,
    SystemTask,
    question_files,
    run_systems,
    system_command_line,
)
from opendpr.answering import outcome
from opendpr.answering.borders import BorderReader
from opendpr.collection import open_collection
from opendpr.collection.lookup import served_passages
from opendpr.model.directory import find_model
from opendpr.model.reader import BertReader
from opendpr.model.runtime import RuntimeSettings
from opendpr.search.live import LiveSnapshot
from opendpr.search.retrievers import Bm25Retriever
from opendpr.storage.lines import read_jsonl
from opendpr.text import normalize_answer
from opendpr.text.splitting import Splitter
from opendpr.types import Answer, Hit, Numbers, Outcome, Passage, Scores, Span, Vectors

NEIGHBOURS = 8
"""Paragraphs in a row of an article that training takes: they are the hardest negatives of each other."""
LISTS, SEARCHED_LISTS = 512, 16
"""Inverted lists of start vectors, and how many of them a search looks into."""

QuestionVectors = Callable[[Sequence[str]], tuple[Vectors, Vectors]]
"""From questions to their start and end vectors, (Q, d) each."""
SearchPhrases = Callable[[Vectors, Vectors, int], Phrases]
"""From start and end vectors to the k best phrases."""


class PhraseTexts(NamedTuple):
    """The words of a pool, by their numbers in the index."""

    passages: Sequence[Passage]
    owners: Numbers
    """(n,): the place of the passage that each word is in."""
    offsets: NDArray[np.int32]
    """(n, 2): where each word is in that passage's text."""

    @classmethod
    def of(cls, passages: Sequence[Passage], words: Sequence[Words]) -> PhraseTexts:
        """From the words of each passage."""
        owners = np.repeat(np.arange(len(words)), [len(own.offsets) for own in words])
        return cls(passages, owners, np.concatenate([own.offsets for own in words]))


class PhraseSystem:
    """Answers with the best phrase of all.

    Args:
        vectors: from questions to their start and end vectors
        search: finds the best phrases for such vectors
    """

    def __init__(self, texts: PhraseTexts, vectors: QuestionVectors, search: SearchPhrases) -> None:
        self._texts, self._vectors, self._search = texts, vectors, search

    def attempt(self, questions: Sequence[str]) -> list[Attempt]:
        """The best phrases of each question, and the passages that they are in."""
        found = self._search(*self._vectors(questions), RETRIEVED_PASSAGES)
        return [self._attempt(*row) for row in zip(*found, strict=True)]

    def _attempt(self, scores: Scores, first: Numbers, last: Numbers) -> Attempt:
        shares = np.exp(scores - scores[0])
        shares /= shares.sum()
        passages, owners, offsets = self._texts
        hits: dict[int, Hit] = {}
        answers: dict[str, Answer] = {}
        for score, share, begin, end in zip(*(row.tolist() for row in (scores, shares, first, last)), strict=True):
            if begin < 0:
                break
            passage = passages[owners[begin]]
            hit = hits.setdefault(passage.number, Hit(passage, score))
            start, after = int(offsets[begin, 0]), int(offsets[end, 1])
            text = passage.text[start:after]
            span = Span(hit, passage.start + start, passage.start + after, text, 0.0, score)
            answers.setdefault(normalize_answer(text) or text, Answer(text, share, (span,)))
        return Attempt(list(hits.values()), Outcome(tuple(answers.values()), answerable=bool(answers)))


def training_passages(path: Path, paragraphs: int) -> tuple[list[Passage], list[tuple[Record, int]]]:
    """Passages of some paragraphs, `NEIGHBOURS` in a row, and each question with the passage that holds its answer."""
    records = [record for _, record in read_jsonl(path) if record.get("answer_start") is not None]
    by_paragraph = [list(group) for _, group in groupby(records, key=lambda record: record["passage"])]
    stride = max(1, len(by_paragraph) // paragraphs)
    passages: list[Passage] = []
    asked: list[tuple[Record, int]] = []
    for place, group in enumerate(by_paragraph):
        if place // NEIGHBOURS % stride:
            continue
        text, title, before = group[0]["passage"], group[0].get("title", ""), len(passages)
        passages += [Passage(0, "", title, text[start:end], start) for start, end in Splitter().split(text)]
        for record in group:
            start, end = record["answer_start"], record["answer_start"] + len(record["answer_text"])
            holding = (
                number
                for number, passage in enumerate(passages[before:], start=before)
                if passage.start <= start and end <= passage.start + len(passage.text)
            )
            asked += [(record, number) for number in islice(holding, 1)]
    return passages, asked


def marked_phrases(
    passages: Sequence[Passage], words: Sequence[Words], asked: Sequence[tuple[Record, int]]
) -> list[MarkedPhrase]:
    """The marked answers as words of their passages."""
    phrases = []
    for record, number in asked:
        start = record["answer_start"] - passages[number].start
        place = start, start + len(record["answer_text"])
        phrases.append(mark(record["question"], number, words[number].offsets, place))
    return [phrase for phrase in phrases if phrase]


def trained_head(args: argparse.Namespace, encoder: WordEncoder, report: Report) -> PhraseHead:
    """The head trained on part of SQuAD's training paragraphs."""
    name = "squad_reader.jsonl" if args.smoke else "squad_full.jsonl.gz"
    passages, asked = training_passages(args.data.folder / "train" / name, args.paragraphs)
    words = encoder.words(passages)
    phrases = marked_phrases(passages, words, asked)
    vectors = encoder.questions([phrase.question for phrase in phrases])
    head, losses = train_head(words, vectors, phrases, steps=args.steps)
    print(f"{len(phrases)} phrases, loss of the last 50 steps {np.mean(losses[-50:]):.2f}", flush=True)
    report.add("trained on", len(phrases), "questions")
    return head


def milliseconds(search: SearchPhrases, start: Vectors, end: Vectors) -> list[float]:
    """How long each of some questions takes alone."""
    times = []
    for row in range(len(start)):
        started = time.perf_counter()
        search(start[row : row + 1], end[row : row + 1], 1)
        times.append(1000 * (time.perf_counter() - started))
    return times


def add_search(report: Report, start: Vectors, end: Vectors, searches: Mapping[str, SearchPhrases]) -> None:
    """How long a search takes, and how often the lists find the best phrase of all."""
    firsts = {name: search(start, end, 1).first[:, 0] for name, search in searches.items()}
    report.add("lists/recall@1", 100 * float((firsts["lists"] == firsts["exact"]).mean()), "%")
    for name, search in searches.items():
        report.add_spread(f"{name}/search", milliseconds(search, start, end), "ms")


def make_searches(args: argparse.Namespace, index: PhraseIndex) -> dict[str, SearchPhrases]:
    """The ways to search an index, by name."""
    lists = StartLists(index.starts, lists=args.lists, searched=min(args.lists, SEARCHED_LISTS))
    return {
        "exact": index.search,
        "lists": lambda start, end, k: index.search_candidates(start, end, k, lists=lists),
    }


def measure(args: argparse.Namespace, report: Report) -> None:
    """The run of phrase search and of the reader, with size and speed."""
    model, runtime = find_model(args.model), RuntimeSettings(precision=args.precision)
    encoder = WordEncoder(model)
    head = trained_head(args, encoder, report)

    def vectors(questions: Sequence[str]) -> tuple[Vectors, Vectors]:
        return head.of_questions(encoder.questions(questions))

    directory = build_pool_words(args)
    with open_collection(directory) as collection:
        passages = list(served_passages(collection))
        words = encoder.words(passages)
        texts = PhraseTexts.of(passages, words)
        starts, ends = map(np.concatenate, zip(*(head.of_words(own) for own in words), strict=True))
        index = PhraseIndex(starts, ends, texts.owners)
        searches = make_searches(args, index)
        reader = BorderReader(collection, BertReader(model, runtime))
        systems: dict[str, System] = {
            **{name: PhraseSystem(texts, vectors, search) for name, search in searches.items()},
            "bm25 + reader": ReadingSystem(Bm25Retriever(LiveSnapshot(collection)), reader, args.passages, outcome),
        }
        task = SystemTask(question_files(args), args.limit, args.passages, model, runtime)
        run = run_systems(collection, systems, task, output=directory.with_name(f"{directory.name}-phrases.jsonl"))
    report.add("passages", len(passages))
    report.add("words", len(texts.owners))
    report.add("index", 2 * index.starts.size * np.dtype(np.float16).itemsize / 1e6, "MB")
    asked = [record["question"] for record in args.data.questions("squad", args.half)[: args.limit]]
    add_search(report, *vectors(asked), searches)
    add_runs(report, [run])


def main(arguments: Sequence[str] | None = None) -> None:
    parser = system_command_line(__doc__, pool="P3")
    parser.set_defaults(sets=("squad",))
    parser.add_argument("--paragraphs", type=int, default=750, help="of SQuAD that the phrase vectors are trained on")
    parser.add_argument("--steps", type=int, default=1_000, help="of training")
    parser.add_argument("--lists", type=int, default=LISTS, help="inverted lists of start vectors")
    args = parse(parser, arguments, limit=2, passages=2, steps=3, lists=2)
    report = Report(args, paragraphs=args.paragraphs, steps=args.steps)
    measure(args, report)
    report.write()


if __name__ == "__main__":
    main()
