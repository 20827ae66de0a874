"""MAP, nDCG@10, recall and MRR of dense, BM25 and hybrid retrieval on the test collections CACM and Cranfield.

Published for BM25 on CACM: MAP .3123 (Anserini: whole documents, k1 = 0.9, b = 0.4, stop words kept).

    python -m experiments.paper.judged      # goes on with, or shows, the runs in --work
"""

from __future__ import annotations

import json
from pathlib import Path

from experiments.common.data import DATA, arguments
from experiments.common.machine import describe
from opendpr.collection import open_writer
from opendpr.evaluation.judges import DocumentJudge, read_judgements
from opendpr.evaluation.run import read_run
from opendpr.evaluation.summary import summary
from opendpr.evaluation.task import Task, evaluate
from opendpr.maintenance.add import add
from opendpr.model.directory import find_model
from opendpr.model.encoder import BertEncoder
from opendpr.storage.files import read_jsonl
from opendpr.types import Document

COLLECTIONS = ("cacm", "cranfield")
SYSTEMS = ("dense", "bm25", "hybrid")


def collection(name: str, work: Path, encoder: BertEncoder) -> Path:
    """The test collection as a collection, made or completed if need be; documents without text are left out."""
    directory = work / f"{name}-{encoder.model.fingerprint[:8]}"
    records = (record for _, record in read_jsonl(DATA / "ir" / name / "corpus.jsonl") if record["text"].strip())
    with open_writer(directory) as writer:
        add(writer, (Document(r["id"], r["title"], r["text"]) for r in records), encoder)
    return directory


def questions(name: str, work: Path) -> Path:
    """The queries as a file of questions."""
    path = work / f"{name}.jsonl"
    with path.open("w", encoding="utf-8") as file:
        for _, record in read_jsonl(DATA / "ir" / name / "queries.jsonl"):
            print(json.dumps({"id": record["id"], "question": record["text"]}), file=file)
    return path


def main() -> None:
    args = arguments(__doc__).parse_args()
    args.work.mkdir(exist_ok=True)
    encoder = BertEncoder(find_model(args.model))
    print(json.dumps({"machine": describe(), "model": args.model}))
    for name in COLLECTIONS:
        directory, asked = collection(name, args.work, encoder), questions(name, args.work)
        run = args.work / f"{name}.run.jsonl"
        judge = DocumentJudge(read_judgements(DATA / "ir" / name / "qrels.txt"), name)
        evaluate(directory, Task([asked], SYSTEMS), judge, run)
        found = summary([read_run(run)])["sets"][name]
        for kind in ("figures", "differences"):
            for of in found[kind]:
                system = of.get("system") or f"{of['a']} - {of['b']}"
                told = f"{of['mean']:.4f} ({of['low']:.4f} to {of['high']:.4f})"
                print(f"{name}  {system:16}  {of['measure']:8}  {told}  " + (f"p {of['p']:.4f}" if "p" in of else ""))


if __name__ == "__main__":
    main()
