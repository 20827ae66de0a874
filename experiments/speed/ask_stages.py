"""Where a loaded process spends the time of `ask`: question encoded, searched, read, decided.

A collection with vectors of the model is given by its path, and only read; else the pool is made. Each question is
answered three times, another way first each time: as a whole, with all k passages read; as by default, with no more
passages than it takes to be sure; and stage by stage. The retriever is hybrid. The median of each is reported with its
95 % interval by the bootstrap over questions, in wall clock and in processor time of all threads.

    python -m experiments.speed.ask_stages --collection notes --questions 100
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from experiments.common.command import command_line, make_encoder, parse
from experiments.common.pools import fill_pool
from experiments.common.report import Report
from experiments.speed.stages import Stages
from opendpr.answering.opening import open_answerer
from opendpr.answering.pipeline import Answerer
from opendpr.choices import READ_PASSAGES
from opendpr.model.runtime import RuntimeSettings, resolved

WARM_UP_QUESTIONS = 3
BOOTSTRAP_SAMPLES = 2_000


def median_interval(values: Sequence[float]) -> tuple[float, float, float]:
    """The median with its 95 % percentile bootstrap interval."""
    drawn = np.random.default_rng(0).choice(np.asarray(values), (BOOTSTRAP_SAMPLES, len(values)))
    low, high = np.quantile(np.median(drawn, axis=1), [0.025, 0.975])
    return float(np.median(values)), float(low), float(high)


class Asking:
    """Three ways to answer a question, each timed."""

    def __init__(self, answerer: Answerer, k: int) -> None:
        self._answerer, self._k, self.stages = answerer, k, Stages()

    def run(self, questions: Sequence[str]) -> None:
        """Answer each question in all ways, another first each time."""
        ways = (self._whole, self._by_default, self._by_stages)
        for number, question in enumerate(questions):
            for place in range(len(ways)):
                ways[(number + place) % len(ways)](question)

    def _whole(self, question: str) -> None:
        self.stages.run("whole", lambda: self._answerer.ask(question, self._k, thorough=True))

    def _by_default(self, question: str) -> None:
        self.stages.run("as by default", lambda: self._answerer.ask(question, self._k))

    def _by_stages(self, question: str) -> None:
        answerer, stages = self._answerer, self.stages
        stages.run("question encoded", lambda: answerer.encoder.encode_questions([question]))
        hits = stages.run("encoded and searched", lambda: answerer.retrieve([question], self._k))
        bordered = stages.run("borders", lambda: answerer.with_borders(hits))
        (spans,) = stages.run("read", lambda: answerer.read_bordered([question], bordered))
        stages.run("decided", lambda: answerer.outcome(spans, question))


def main(arguments: Sequence[str] | None = None) -> None:
    parser = command_line(__doc__, pool="P25")
    parser.add_argument("--collection", type=Path, help="with vectors of the model; the pool without")
    parser.add_argument("--questions", type=int, default=100)
    parser.add_argument("-k", type=int, default=READ_PASSAGES, help="passages read")
    args = parse(parser, arguments, questions=2)
    directory = args.collection or fill_pool(args, make_encoder(args))
    args.pool = None if args.collection else args.pool
    settings = resolved(RuntimeSettings(precision=args.precision))
    records = args.data.questions("squad", "fit")[: args.questions + WARM_UP_QUESTIONS]
    questions = [record["question"] for record in records]
    answerer = open_answerer(directory, args.model, runtime=settings)
    with answerer.collection as collection:
        report = Report(args, **collection.counts(), k=args.k, network=str(settings), questions=args.questions)
        Asking(answerer, args.k).run(questions[:WARM_UP_QUESTIONS])
        asking = Asking(answerer, args.k)
        asking.run(questions[WARM_UP_QUESTIONS:] or questions)
    put_figures(report, asking.stages)
    report.write()


def put_figures(report: Report, stages: Stages) -> None:
    """Medians of all stages; `searched` is what encoding the question leaves of both."""
    for kind, taken in (("wall", stages.wall), ("processor", stages.cpu)):
        both = zip(taken["encoded and searched"], taken["question encoded"], strict=True)
        taken["searched"] = [whole - encoded for whole, encoded in both]
        for name, values in taken.items():
            interval = median_interval(values)
            report.add_interval(f"{name}/{kind}", interval, "ms", scale=1)
            print(f"{name:22} {kind:9} {interval[0]:7.1f} ms ({interval[1]:.1f} to {interval[2]:.1f})")
    for percent in (5, 95):
        report.add(f"whole/p{percent}", float(np.percentile(stages.wall["whole"], percent)), "ms")


if __name__ == "__main__":
    main()
