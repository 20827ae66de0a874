"""Exact match and F1 of the reader on `dev/squad.jsonl` with the gold paragraph given.

python -m experiments.paper.reader                 # figures, report half
python -m experiments.paper.reader --half fit      # for choosing
"""

from __future__ import annotations

import json
import time

import numpy as np

from experiments.common.data import arguments, questions
from experiments.common.machine import describe
from opendpr.answering import outcome
from opendpr.model.directory import find_model
from opendpr.model.reader import BertReader
from opendpr.model.runtime import RuntimeSettings
from opendpr.text import exact_match, f1
from opendpr.types import Hit, Passage

BATCH = 32


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--half", choices=("fit", "report"), default="report")
    parser.add_argument("--precision", default="auto")
    parser.add_argument("--titles", action="store_true", help="give the paragraph's title to the reader")
    args = parser.parse_args()
    reader = BertReader(find_model(args.model), RuntimeSettings(precision=args.precision))
    records = questions("squad", args.half)
    exact, shared, seconds = [], [], 0.0
    for first in range(0, len(records), BATCH):
        some = records[first : first + BATCH]
        titles = [record["title"] if args.titles else "" for record in some]
        hits = [
            [Hit(Passage(0, record["document_id"], title, record["passage"], 0), 0.0)]
            for record, title in zip(some, titles, strict=True)
        ]
        started = time.perf_counter()
        spans = reader.read([record["question"] for record in some], hits)
        seconds += time.perf_counter() - started
        for record, found in zip(some, spans, strict=True):
            answer = outcome(found).answers[0].text if found else ""
            exact.append(exact_match(answer, record["answers"]))
            shared.append(f1(answer, record["answers"]))
    generator = np.random.default_rng(0)
    draws = generator.integers(0, len(records), (2_000, len(records)))
    for name, values in (("EM", np.array(exact, float)), ("F1", np.array(shared))):
        low, high = np.percentile(values[draws].mean(axis=1), [2.5, 97.5]) * 100
        print(f"{name} {100 * values.mean():.2f}  (95 % bootstrap interval {low:.1f} to {high:.1f})")
    about = {"machine": describe(), "model": args.model, "half": args.half, "precision": args.precision}
    print(
        json.dumps(
            {**about, "titles": args.titles, "questions": len(records), "paragraphs_a_second": len(records) / seconds}
        )
    )


if __name__ == "__main__":
    main()
