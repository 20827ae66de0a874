"""A register of ships, and a question about each: a collection whose answers have been judged."""

from __future__ import annotations

import json
from pathlib import Path

import opendpr
from opendpr.improving.judging import add_files
from opendpr.types import Document

SHIPS = 60


def make_harbour(directory: Path, model: Path) -> Path:
    """The register, encoded by a model."""
    documents = [
        Document(f"sheet-{number}", f"Ship {number}", f"The ship number {number} is {1000 + 7 * number} feet long.")
        for number in range(SHIPS)
    ]
    opendpr.add(directory, documents, str(model))
    return directory


def write_judged(path: Path) -> Path:
    """A file with a question about each ship, and one that the register does not answer."""
    records: list[dict[str, object]] = [
        {
            "question": f"How long is the ship number {number}?",
            "answers": [str(1000 + 7 * number)],
            "document_id": f"sheet-{number}",
        }
        for number in range(SHIPS)
    ]
    records.append({"question": "Who paints the ships?", "answers": []})
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return path


def make_improved(folder: Path, model: Path) -> Path:
    """The register, judged, with a finished improvement that is shown to be better."""
    harbour = make_harbour(folder / "harbour", model)
    add_files(harbour, [write_judged(folder / "judged.jsonl")])
    answer_all_rightly(opendpr.improve(harbour).model)
    opendpr.improve(harbour)
    return harbour


def answer_all_rightly(round_directory: Path) -> None:
    """Change the run of a round as if its model had answered every question rightly."""
    after = round_directory / "improve" / "after.jsonl"
    lines = [json.loads(line) for line in after.read_text().splitlines()]
    for line in lines:
        if line["type"] == "question" and line["answers"]:
            line["measures"]["EM@20"] = 1.0
    after.write_text("".join(json.dumps(line) + "\n" for line in lines))
