"""How long reading the first 20 passages of a question takes, beside a plain transformers reader on the same passages.

One question after the other, both systems on each in turn, so that a noisy machine hits both. Ours tokenises,
windows, runs the network in the precision that is served and decodes. The peer has the same weights in PyTorch fp32
(experiments/peers/transformers.py). Retrieval is left out.

    python -m experiments.speed.read                       # auto: what ask takes here
    python -m experiments.speed.read --precision int8
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence

import numpy as np

from experiments.common.command import command_line, parse, require
from experiments.common.pools import build_pool_words
from experiments.common.report import Report
from opendpr.collection import open_collection
from opendpr.model.directory import find_model
from opendpr.model.reader import BertReader
from opendpr.model.runtime import RuntimeSettings, resolved
from opendpr.search.live import LiveSnapshot
from opendpr.search.retrievers import Bm25Retriever

READ_PASSAGES = 20
WARM_UP_QUESTIONS = 3


def main(arguments: Sequence[str] | None = None) -> None:
    parser = command_line(__doc__, pool="P10")
    parser.add_argument("--questions", type=int, default=50)
    args = parse(parser, arguments, questions=2)
    require("transformers", "transformers")
    from experiments.peers.transformers import TransformersReader

    model, settings = find_model(args.model), resolved(RuntimeSettings(precision=args.precision))
    reader, peer = BertReader(model, settings), TransformersReader(model)
    records = args.data.questions("squad", "report")[: args.questions + WARM_UP_QUESTIONS]
    questions = [record["question"] for record in records]
    with open_collection(build_pool_words(args)) as collection:  # which passages does not matter for how long it takes
        hits = Bm25Retriever(LiveSnapshot(collection)).retrieve(questions, READ_PASSAGES)
    ours, theirs, same = [], [], []
    for question, row in zip(questions, hits, strict=True):
        started = time.perf_counter()
        (spans,) = reader.read([question], [row])
        between = time.perf_counter()
        answers = set(peer.read(question, row))
        ours.append(1000 * (between - started))
        theirs.append(1000 * (time.perf_counter() - between))
        same.append(len({span.text for span in spans} & answers) / max(1, len(answers)))
    report = Report(args, network=str(settings), k=READ_PASSAGES, questions=args.questions)
    measured = slice(WARM_UP_QUESTIONS, None)
    for name, milliseconds in (("opendpr", ours[measured]), ("transformers fp32", theirs[measured])):
        p50, p95 = np.percentile(milliseconds, [50, 95])
        report.add(f"{name}/p50", p50, "ms")
        report.add(f"{name}/p95", p95, "ms")
        print(f"{name:20} p50 {p50:7.1f} ms   p95 {p95:7.1f} ms")
    ratios = [b / a for a, b in zip(ours[measured], theirs[measured], strict=True)]
    report.add("ratio", statistics.median(ratios))
    report.add("spans of the peer among ours", 100 * statistics.mean(same[measured]), "%")
    report.write()


if __name__ == "__main__":
    main()
