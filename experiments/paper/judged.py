"""MAP, nDCG@10, recall and MRR of dense, BM25 and hybrid retrieval on the test collections CACM and Cranfield.

Published for BM25 on CACM: MAP .3123 (Anserini: whole documents, k1 = 0.9, b = 0.4, stop words kept).

    python -m experiments.paper.judged      # resumes, or shows, the runs in --work
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from experiments.common.command import command_line, make_encoder, parse
from experiments.common.report import Report
from experiments.common.runs import add_runs
from opendpr.collection import open_writer
from opendpr.evaluation.judges import DocumentJudge, read_judgements
from opendpr.evaluation.task import Task, evaluate
from opendpr.maintenance.add import add_documents
from opendpr.model.encoder import BertEncoder
from opendpr.storage.lines import read_jsonl
from opendpr.types import Document

TEST_COLLECTIONS = ("cacm", "cranfield")
SYSTEMS = ("dense", "bm25", "hybrid")


def fill(folder: Path, work: Path, encoder: BertEncoder) -> Path:
    """The test collection as a collection, made or completed if need be; documents without text are left out."""
    directory = work / f"{folder.name}-{encoder.model.fingerprint[:8]}"
    records = (record for _, record in read_jsonl(folder / "corpus.jsonl") if record["text"].strip())
    with open_writer(directory) as writer:
        add_documents(writer, (Document(r["id"], r["title"], r["text"]) for r in records), encoder)
    return directory


def write_questions(folder: Path, work: Path) -> Path:
    """The queries as a file of questions."""
    path = work / f"{folder.name}.jsonl"
    with path.open("w", encoding="utf-8") as file:
        for _, record in read_jsonl(folder / "queries.jsonl"):
            print(json.dumps({"id": record["id"], "question": record["text"]}), file=file)
    return path


def main(arguments: Sequence[str] | None = None) -> None:
    parser = command_line(__doc__)
    parser.add_argument("--limit", type=int, help="questions of each collection; all without")
    args = parse(parser, arguments, limit=4)
    encoder = make_encoder(args)
    report = Report(args)
    for name in TEST_COLLECTIONS:
        folder = args.data.folder / "ir" / name
        directory, questions = fill(folder, args.work, encoder), write_questions(folder, args.work)
        run = args.work / f"{directory.name}.run.jsonl"
        judge = DocumentJudge(read_judgements(folder / "qrels.txt"), name)
        evaluate(directory, Task([questions], SYSTEMS, args.limit, args.model, encoder.runtime), judge, output=run)
        add_runs(report, [run])
    report.write()


if __name__ == "__main__":
    main()
