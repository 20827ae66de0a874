"""Phrases retrieved instead of passages, without a reader (Seo et al. 2019; the paper's footnote 4).

Every phrase of a pool has a start and an end vector, a question has one of each, and the phrase with the largest inner
products is the answer: by exact search, by inverted lists of start vectors, and with the BM25 score of its passage
added, for the sparse vectors that Seo et al. give to phrases. Beside it BM25 and the reader over the same passages. The
vectors come from opendpr's encoder trained on SQuAD's marked answers (`phrase_training.py`).

    python -m experiments.paper.systems.phrase_retrieval --pool P10 --limit 200
    python -m experiments.paper.systems.phrase_retrieval --pool P10 --half fit --sparse 0.3 1 3   # for choosing
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import groupby, islice
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from experiments.common.command import parse
from experiments.common.data import Record
from experiments.common.pools import build_pool_words
from experiments.common.report import Report
from experiments.common.runs import add_runs
from experiments.paper.systems.phrase_index import PhraseIndex, Phrases, StartLists
from experiments.paper.systems.phrase_training import (
    MarkedPhrase,
    PhraseEncoder,
    PhraseInput,
    PhraseNetwork,
    PhraseObjective,
    Words,
    mark,
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
from opendpr.model.directory import Model, find_model
from opendpr.model.reader import BertReader
from opendpr.model.runtime import RuntimeSettings
from opendpr.model.torch import choose_device
from opendpr.search.live import LiveSnapshot
from opendpr.search.retrievers import Bm25Retriever
from opendpr.storage.lines import read_jsonl
from opendpr.text import normalize_answer
from opendpr.text.splitting import Splitter
from opendpr.training.loop import train
from opendpr.training.settings import LoopSettings
from opendpr.types import Answer, Hit, Numbers, Outcome, Passage, Scores, Span, Vectors

SETTINGS = LoopSettings(epochs=1.0, batch_size=128, learning_rate=3e-4, dropout=0.0)
NEIGHBOURS = 8
"""Paragraphs in a row of an article that training takes: they are the hardest negatives of each other."""
LISTS, SEARCHED_LISTS = 512, 16
"""Inverted lists of start vectors, and how many of them a search looks into."""
LEAST_WORDS = 40
"""Of a list, on average; FAISS wants 39 to find its middle."""
SPARSE_WEIGHT = 3.0
"""Of the BM25 score of a phrase's passage: chosen on the fit half."""

SearchPhrases = Callable[[Vectors, Vectors, int], Phrases]
"""From start and end vectors of questions, (Q, d) each, to the k best phrases."""
FindPhrases = Callable[[Sequence[str], int], Phrases]
"""From questions to the k best phrases."""


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
    """Answers with the best phrase of all."""

    def __init__(self, texts: PhraseTexts, find: FindPhrases) -> None:
        self._texts, self._find = texts, find

    def attempt(self, questions: Sequence[str]) -> list[Attempt]:
        """The best phrases of each question, one after the other to save memory, and the passages that they are in."""
        found = (self._find([question], RETRIEVED_PASSAGES) for question in questions)
        return [self._attempt(*(array[0] for array in phrases)) for phrases in found]

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


def report_step(done: int, total: int, loss: float) -> None:
    """A line now and then."""
    if done % 20 == 0 or done == total:
        print(f"step {done} of {total}: loss {loss:.2f}", flush=True)


def trained_network(args: argparse.Namespace, model: Model, inputs: PhraseInput, report: Report) -> PhraseNetwork:
    """The network trained on SQuAD's training paragraphs; a killed training goes on, a finished one is loaded."""
    name = "squad_reader.jsonl" if args.smoke else "squad_full.jsonl.gz"
    passages, asked = training_passages(args.data.folder / "train" / name, args.paragraphs)
    words = inputs.passages(passages)
    phrases = marked_phrases(passages, words, asked)
    torch.manual_seed(SETTINGS.seed)
    network = PhraseNetwork(model).to(choose_device(SETTINGS.device))
    objective = PhraseObjective(network, inputs, words=words, phrases=phrases, batch_size=SETTINGS.batch_size)
    origin = {"model": model.fingerprint, "paragraphs": args.paragraphs}
    losses = train(objective, SETTINGS, args.work / "phrases", origin=origin, on_step=report_step).losses
    print(f"{len(phrases)} phrases, loss of the last 50 steps {np.mean(losses[-50:]):.2f}", flush=True)
    report.add("trained on", len(phrases), "questions")
    return network


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


class PhraseSearch:
    """The ways to search the phrases of a collection.

    Args:
        live: whose BM25 is added to phrases
        texts: the words of all its passages
    """

    def __init__(self, live: LiveSnapshot, texts: PhraseTexts, encoder: PhraseEncoder, index: PhraseIndex) -> None:
        self._live, self._texts, self._encoder, self.index = live, texts, encoder, index
        self._numbers = np.array([passage.number for passage in texts.passages])
        lists = min(LISTS, 1 + len(index.starts) // LEAST_WORDS)
        self._lists = StartLists(index.starts, lists=lists, searched=min(lists, SEARCHED_LISTS))

    def exact(self, questions: Sequence[str], k: int) -> Phrases:
        """All phrases are scored."""
        return self.index.search(*self._encoder.questions(questions), k)

    def by_lists(self, start: Vectors, end: Vectors, k: int) -> Phrases:
        """Those are scored whose first word is in the inverted lists that are nearest to the question."""
        return self.index.search_candidates(start, end, k, lists=self._lists)

    def with_words(self, questions: Sequence[str], k: int, *, weight: float) -> Phrases:
        """All phrases are scored, and the BM25 score of their passage counts too."""
        view = self._live.load("bm25")
        scores = np.stack([view.score_words(question, self._numbers) for question in questions])
        return self.index.search(*self._encoder.questions(questions), k, added=np.float32(weight) * scores)


def measure(args: argparse.Namespace, report: Report) -> None:
    """The run of phrase search and of the reader, with size and speed."""
    model, runtime = find_model(args.model), RuntimeSettings(precision=args.precision)
    inputs = PhraseInput(model)
    encoder = PhraseEncoder(trained_network(args, model, inputs, report), inputs)
    directory = build_pool_words(args)
    with open_collection(directory) as collection:
        live, passages = LiveSnapshot(collection), list(served_passages(collection))
        words = inputs.passages(passages)
        texts = PhraseTexts.of(passages, words)
        search = PhraseSearch(live, texts, encoder, PhraseIndex(*encoder.words(words), texts.owners))
        ways: dict[str, FindPhrases] = {
            "exact": search.exact,
            "lists": lambda questions, k: search.by_lists(*encoder.questions(questions), k),
            **{f"sparse {weight:g}": partial(search.with_words, weight=weight) for weight in args.sparse},
        }
        systems: dict[str, System] = {
            **{name: PhraseSystem(texts, find) for name, find in ways.items()},
            "bm25 + reader": ReadingSystem(
                Bm25Retriever(live), BorderReader(collection, BertReader(model, runtime)), args.passages, outcome
            ),
        }
        task = SystemTask(question_files(args), args.limit, args.passages, model, runtime)
        run = run_systems(collection, systems, task, output=directory.with_name(f"{directory.name}-phrases.jsonl"))
    report.add("passages", len(passages))
    report.add("words", len(texts.owners))
    report.add("index", 2 * search.index.starts.size * np.dtype(np.float16).itemsize / 1e6, "MB")
    asked = [record["question"] for record in args.data.questions("squad", args.half)[: args.limit]]
    add_search(report, *encoder.questions(asked), {"exact": search.index.search, "lists": search.by_lists})
    add_runs(report, [run])


def main(arguments: Sequence[str] | None = None) -> None:
    parser = system_command_line(__doc__, pool="P10", limit=200)
    parser.set_defaults(sets=("squad",))
    parser.add_argument("--paragraphs", type=int, default=9_000, help="of the 18,878 of SQuAD that are trained on")
    parser.add_argument("--sparse", type=float, nargs="+", default=[SPARSE_WEIGHT], help="weights of BM25")
    args = parse(parser, arguments, limit=2, passages=2)
    report = Report(args, paragraphs=args.paragraphs)
    measure(args, report)
    report.write()


if __name__ == "__main__":
    main()
