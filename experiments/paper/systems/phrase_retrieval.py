"""Phrases retrieved instead of passages, without a reader (Seo et al. 2019; the paper's footnote 4).

Every phrase of a pool has a start and an end vector, a question has one of each, and the phrase with the largest inner
products is the answer: by exact search, by inverted lists of start vectors, and with the BM25 score of its passage
added, for the sparse vectors that Seo et al. give to phrases. Their third part, a score of how well the first and the
last word belong together, is left out. Beside it BM25 and the reader over the same passages. The vectors come from
opendpr's encoder, trained on SQuAD's marked answers (`phrase_training.py`).

    python -m experiments.paper.systems.phrase_retrieval --pool P10 --limit 200
    python -m experiments.paper.systems.phrase_retrieval --pool P10 --half fit --sparse 0.3 1 3 10   # for choosing
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from experiments.common.command import parse
from experiments.common.pools import build_pool_words
from experiments.common.report import Report
from experiments.common.runs import add_runs
from experiments.paper.systems.phrase_examples import NEIGHBOURS, marked_phrases, training_examples
from experiments.paper.systems.phrase_index import PhraseIndex, Phrases, StartLists
from experiments.paper.systems.phrase_training import (
    PHRASE_DIM,
    RUN_QUESTIONS,
    PhraseEncoder,
    PhraseInput,
    PhraseNetwork,
    PhraseObjective,
    Words,
)
from experiments.paper.systems.running import (
    RETRIEVED_PASSAGES,
    Attempt,
    ReadingSystem,
    System,
    SystemTask,
    digest,
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
from opendpr.text import normalize_answer
from opendpr.training.loop import train
from opendpr.training.settings import LoopSettings
from opendpr.types import Answer, Hit, Numbers, Outcome, Passage, Scores, Span

SETTINGS = LoopSettings(epochs=1.0, batch_size=128, learning_rate=3e-4, dropout=0.0)
STRIDE = 2
"""SQuAD's training paragraphs are 18,878; every second run of them is trained on, for the time it takes."""
LISTS, SEARCHED_LISTS = 512, 16
"""Inverted lists of start vectors, and how many of them a search looks into."""
LEAST_WORDS = 40
"""Of a list, on average; FAISS wants 39 to find its middle."""
SPARSE_WEIGHT = 3.0
"""Of the BM25 score of a phrase's passage: chosen on the fit half."""
SPARSE_ALONE = 100.0
"""With this weight the passage is BM25's, and vectors choose its words alone."""
TIMED_QUESTIONS = 50

FindPhrases = Callable[[Sequence[str], int], Phrases]
"""From questions to the best phrase of each of the k passages with the best ones."""


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
        phrases = (self._find([question], RETRIEVED_PASSAGES) for question in questions)
        return [self._attempt(*(array[0] for array in rows)) for rows in phrases]

    def _attempt(self, scores: Scores, first: Numbers, last: Numbers) -> Attempt:
        shares = np.exp(scores - scores[0])
        shares /= shares.sum()
        passages, owners, offsets = self._texts
        hits: list[Hit] = []
        answers: dict[str, Answer] = {}
        for score, share, begin, end in zip(*(row.tolist() for row in (scores, shares, first, last)), strict=True):
            if begin < 0:
                break
            passage = passages[owners[begin]]
            hits.append(Hit(passage, score))
            start, after = int(offsets[begin, 0]), int(offsets[end, 1])
            text = passage.text[start:after]
            span = Span(hits[-1], passage.start + start, passage.start + after, text, 0.0, score)
            answers.setdefault(normalize_answer(text) or text, Answer(text, share, (span,)))
        return Attempt(hits, Outcome(tuple(answers.values()), answerable=bool(answers)))


class PhraseSearch:
    """The ways to search the phrases of a collection.

    Args:
        live: whose BM25 is added to phrases
        texts: the words of all its passages
    """

    def __init__(self, live: LiveSnapshot, texts: PhraseTexts, encoder: PhraseEncoder, index: PhraseIndex) -> None:
        self._live, self._encoder, self.index = live, encoder, index
        self._numbers = np.array([passage.number for passage in texts.passages])
        lists = min(LISTS, 1 + len(index.starts) // LEAST_WORDS)
        self._lists = StartLists(index.starts, lists=lists, searched=min(lists, SEARCHED_LISTS))

    def exact(self, questions: Sequence[str], k: int) -> Phrases:
        """All phrases are scored."""
        return self.index.search(*self._encoder.questions(questions), k)

    def by_lists(self, questions: Sequence[str], k: int) -> Phrases:
        """Those are scored whose first word is in the inverted lists that are nearest to the question."""
        return self.index.search_candidates(*self._encoder.questions(questions), k, lists=self._lists)

    def with_words(self, questions: Sequence[str], k: int, *, weight: float) -> Phrases:
        """All phrases are scored, and the BM25 score of their passage counts too."""
        view = self._live.load("bm25")
        scores = np.stack([view.score_words(question, self._numbers) for question in questions])
        return self.index.search(*self._encoder.questions(questions), k, added=np.float32(weight) * scores)


def trained_encoder(args: argparse.Namespace, model: Model, report: Report) -> tuple[PhraseEncoder, PhraseInput, str]:
    """The network trained on SQuAD, and a digest of what decides it; what is trained already is loaded."""
    name = "squad_reader.jsonl" if args.smoke else "squad_full.jsonl.gz"
    passages, answers = training_examples(args.data.folder / "train" / name, args.stride)
    inputs = PhraseInput(model)
    words = inputs.passages(passages)
    phrases = marked_phrases(answers, words)
    torch.manual_seed(SETTINGS.seed)
    network = PhraseNetwork(model).to(choose_device(SETTINGS.device))
    objective = PhraseObjective(network, inputs, words=words, phrases=phrases, batch_size=SETTINGS.batch_size)
    made = digest(name, model.fingerprint, args.stride, NEIGHBOURS, RUN_QUESTIONS, PHRASE_DIM, asdict(SETTINGS))
    losses = train(objective, SETTINGS, args.work / f"phrases-{made}", on_step=report_step).losses
    print(f"{len(phrases)} phrases, loss of the last 50 steps {np.mean(losses[-50:]):.2f}", flush=True)
    report.add("trained on", len(phrases), "questions")
    return PhraseEncoder(network, inputs), inputs, made


def report_step(done: int, total: int, loss: float) -> None:
    """A line now and then."""
    if done % 20 == 0 or done == total:
        print(f"step {done} of {total}: loss {loss:.2f}", flush=True)


def milliseconds(system: System, questions: Sequence[str]) -> list[float]:
    """How long a system takes for each question, from its text to the answer, one at a time."""
    times = []
    for question in [questions[0], *questions]:  # the first once more, since it prepares the others
        started = time.perf_counter()
        system.attempt([question])
        times.append(1000 * (time.perf_counter() - started))
    return times[1:]


def measure(args: argparse.Namespace, report: Report) -> None:
    """The run of phrase search and of the reader, with size and speed."""
    model, runtime = find_model(args.model), RuntimeSettings(precision=args.precision)
    encoder, inputs, made = trained_encoder(args, model, report)
    directory = build_pool_words(args)
    with open_collection(directory) as collection:
        live, passages = LiveSnapshot(collection), list(served_passages(collection))
        words = inputs.passages(passages)
        texts = PhraseTexts.of(passages, words)
        search = PhraseSearch(live, texts, encoder, PhraseIndex(*encoder.words(words), texts.owners))
        weighted = {f"sparse {weight:g}": partial(search.with_words, weight=weight) for weight in args.sparse}
        ways: dict[str, FindPhrases] = {"exact": search.exact, "lists": search.by_lists, **weighted}
        reader = BorderReader(collection, BertReader(model, runtime))
        systems: dict[str, System] = {
            **{name: PhraseSystem(texts, find) for name, find in ways.items()},
            "bm25 + reader": ReadingSystem(Bm25Retriever(live), reader, args.passages, outcome),
        }
        task = SystemTask(question_files(args), args.limit, args.passages, model, runtime)
        name = f"{directory.name}-phrases-{args.half}-{digest(made, args.sparse)}.jsonl"
        run = run_systems(collection, systems, task, output=directory.with_name(name))
        questions = [record["question"] for record in args.data.questions("squad", args.half)[: args.limit]]
        add_size(report, search.index)
        add_speed(report, systems, questions[:TIMED_QUESTIONS])
        add_recall(report, search, questions)
    add_runs(report, [run])


def add_size(report: Report, index: PhraseIndex) -> None:
    """How many words there are, and what their vectors take."""
    report.add("words", len(index.passages))
    report.add("index", (index.starts.nbytes + index.ends.nbytes) / 1e6, "MB")


def add_speed(report: Report, systems: Mapping[str, System], questions: Sequence[str]) -> None:
    """How long each system takes for a question."""
    for name, system in systems.items():
        report.add_spread(f"{name}/question", milliseconds(system, questions), "ms")


def add_recall(report: Report, search: PhraseSearch, questions: Sequence[str]) -> None:
    """How often the lists find the best phrase of all."""
    same = [search.exact([question], 1).first == search.by_lists([question], 1).first for question in questions]
    report.add("lists/recall@1", 100 * float(np.mean(same)), "%")


def main(arguments: Sequence[str] | None = None) -> None:
    parser = system_command_line(__doc__, pool="P10", limit=200)
    parser.set_defaults(sets=("squad",))
    parser.add_argument("--stride", type=int, default=STRIDE, help="of how many runs of paragraphs one is trained on")
    weights = [SPARSE_WEIGHT, SPARSE_ALONE]
    parser.add_argument("--sparse", type=float, nargs="+", default=weights, help="weights of BM25")
    args = parse(parser, arguments, limit=2, passages=2)
    report = Report(args, stride=args.stride)
    measure(args, report)
    report.write()


if __name__ == "__main__":
    main()
