"""A collection of towns on rivers, and questions about them."""

from __future__ import annotations

import json
from pathlib import Path

import opendpr
from opendpr.model.runtime import RuntimeSettings
from opendpr.types import Document

RIVERS = {"Tarn": "Albi", "Lot": "Cahors", "Orne": "Caen", "Isère": "Grenoble", "Vire": "Saint-Lô", "Aude": "Limoux"}
PADDING = " ".join(f"filler{number}" for number in range(120))
FP32 = RuntimeSettings("openvino", "fp32")


def add_towns(place: Path, model: Path) -> Path:
    """A collection whose documents are two passages each: a sentence on a river, and words without meaning."""
    documents = [
        Document(river, f"The {river}", f"The river {river} runs through the town of {town}. {PADDING}")
        for river, town in RIVERS.items()
    ]
    opendpr.add(place, documents, str(model))
    return place


def write_river_questions(path: Path) -> Path:
    """A question on each river, one whose answer is in no document, and one with patterns."""
    records = [
        {"id": river, "question": f"Which town is on the river {river}?", "answers": [town], "document_id": river}
        for river, town in RIVERS.items()
    ]
    records.append({"id": "none", "question": "Which town is on the river Rhine?", "answers": ["Cologne"]})
    records.append({"id": "regex", "question": "river Lot?", "answers": [r"cah\w+", "["], "match": "regex"})
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    return path
