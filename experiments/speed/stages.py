"""Where a hybrid search spends its time: processor time and wall clock of each of its stages, and what they count.

The pool is made if it is not there; a collection with vectors of the model can be given instead.

    python -m experiments.speed.stages --pool P150
    python -m experiments.speed.stages --collection notes
"""

from __future__ import annotations

import statistics
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np

from experiments.common.command import command_line, make_encoder, parse
from experiments.common.pools import fill_pool
from experiments.common.report import Report
from opendpr.collection import open_collection
from opendpr.search.live import LiveSnapshot
from opendpr.search.retrievers import UNION_PASSAGES, HybridRetriever
from opendpr.search.union import contenders, dense_union

WARM_UP_QUESTIONS = 3
T = TypeVar("T")


class Stages:
    """Milliseconds of each stage, question by question."""

    def __init__(self) -> None:
        self.cpu: dict[str, list[float]] = defaultdict(list)
        self.wall: dict[str, list[float]] = defaultdict(list)
        self.counts: dict[str, list[int]] = defaultdict(list)

    def run(self, name: str, stage: Callable[[], T]) -> T:
        """What a stage gives."""
        cpu, wall = time.process_time(), time.perf_counter()
        result = stage()
        self.cpu[name].append(1000 * (time.process_time() - cpu))
        self.wall[name].append(1000 * (time.perf_counter() - wall))
        return result


def measure(stages: Stages, live: LiveSnapshot, hybrid: HybridRetriever, question: str, k: int) -> None:
    """One question, as a whole and stage by stage."""
    stages.run("whole", lambda: hybrid.retrieve([question], k))
    vectors = stages.run("question encoded", lambda: hybrid.encoder.encode_questions([question]))
    snapshot = live.load("hybrid")
    nearest = stages.run("vectors searched", lambda: snapshot.nearest(vectors, UNION_PASSAGES, None))
    words = stages.run("words searched", lambda: snapshot.search_words(question, UNION_PASSAGES, None))
    union, dense = stages.run("union", lambda: dense_union(snapshot, vectors[0], nearest, words.numbers[0]))
    added = (hybrid.weight * dense).astype(np.float32)
    kept = stages.run("contenders", lambda: contenders(union, added, words, k))
    stages.run("contenders scored by words", lambda: snapshot.score_words(question, union[kept]))
    stages.counts["union"].append(len(union))
    stages.counts["contenders"].append(int(kept.sum()))


def main(arguments: Sequence[str] | None = None) -> None:
    parser = command_line(__doc__, pool="P25", precision="auto")
    parser.add_argument("--collection", type=Path, help="with vectors of the model; the pool without")
    parser.add_argument("--questions", type=int, default=100)
    parser.add_argument("-k", type=int, default=20)
    args = parse(parser, arguments, questions=2)
    encoder = make_encoder(args)
    records = args.data.questions("squad", "fit")[: args.questions + WARM_UP_QUESTIONS]
    with open_collection(args.collection or fill_pool(args, encoder)) as collection:
        live = LiveSnapshot(collection)
        hybrid = HybridRetriever(live, encoder, encoder.model.hybrid_weight)
        report = Report(args, **collection.counts(), k=args.k)
        hybrid.retrieve([record["question"] for record in records[:WARM_UP_QUESTIONS]], args.k)
        stages = Stages()
        for record in records[WARM_UP_QUESTIONS:] or records:
            measure(stages, live, hybrid, record["question"], args.k)
    for name in stages.cpu:
        cpu, wall = statistics.median(stages.cpu[name]), statistics.median(stages.wall[name])
        report.add(f"{name}/processor", cpu, "ms")
        report.add(f"{name}/wall", wall, "ms")
        print(f"{name:28} processor {cpu:7.2f} ms   wall {wall:7.2f} ms   fastest {min(stages.wall[name]):7.2f} ms")
    for name, counts in stages.counts.items():
        report.add(f"passages/{name}", statistics.median(counts))
        print(f"{name:28} {statistics.median(counts):7.0f} passages, at most {max(counts)}")
    report.write()


if __name__ == "__main__":
    main()
