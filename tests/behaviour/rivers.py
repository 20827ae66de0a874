"""A small collection to serve."""

from __future__ import annotations

from pathlib import Path

import opendpr
from opendpr.types import Document

RIVERS = {"Tarn": "Albi", "Lot": "Cahors", "Orne": "Caen", "Vire": "Saint-Lô"}
PIER = "😀😀 The pier of 😀 Orvik was built by Marta Lindqvist."
PAGES = "The first page is dull.\nThe lighthouse stands on the second page.\nThe end."


def make_rivers(directory: Path, model: Path) -> Path:
    """Four rivers, a document with characters beyond the first 65,536, one with pages."""
    documents = [
        Document(
            river, f"The {river}", f"The river {river} runs through the town of {town}. {'word ' * 110}", {"year": year}
        )
        for year, (river, town) in enumerate(RIVERS.items(), start=1901)
    ]
    documents.append(Document("sub/é #?.txt", "Pier", PIER))
    documents.append(Document("two.pdf", "Two", PAGES, {"page_starts": [0, 24, 66]}))
    opendpr.add(directory, documents, str(model))
    return directory
