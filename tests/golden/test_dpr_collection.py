"""A collection encoded by an imported DPR, beside transformers' classes of DPR with a flat index of FAISS.

The first hundred are the same in the same order, save for passages whose scores differ less than fp16 tells apart.
"""

from __future__ import annotations

import csv
import random
from pathlib import Path

import faiss
import numpy as np
import pytest
import torch
import transformers
from experiments.common.foreign_models import SENTENCES, write_dpr
from numpy.typing import NDArray

import opendpr
from opendpr.model.foreign import import_model
from opendpr.model.runtime import RuntimeSettings

pytestmark = pytest.mark.golden

RUNTIME = RuntimeSettings("openvino", "fp32")
COMPARED_PASSAGES = 100
ROUNDING = 5e-3
"""Largest difference of a score, by the rounding of vectors: a collection keeps them in fp16. Scores span 9 to 15."""


@pytest.fixture(scope="module")
def rows() -> list[tuple[str, str, str]]:
    """Id, text and title of 300 passages, as `psgs_w100.tsv` has them."""
    words, draw = " ".join(SENTENCES).split(), random.Random(3)
    return [
        (str(number), " ".join(draw.choices(words, k=draw.randint(5, 60))), draw.choice(words))
        for number in range(1, 301)
    ]


def their_vectors(directory: Path, kind: str, *texts: list[str]) -> NDArray[np.float32]:
    """What a class of transformers makes of texts, or of titles and texts, fed as its documentation shows."""
    tokenizer = transformers.AutoTokenizer.from_pretrained(directory)
    network = getattr(transformers, kind).from_pretrained(directory).eval()
    fed = tokenizer(*texts, padding=True, truncation=True, max_length=256, return_tensors="pt")
    with torch.no_grad():
        vectors = network(input_ids=fed["input_ids"], attention_mask=fed["attention_mask"]).pooler_output
    return np.asarray(vectors)


def test_a_collection_answers_as_transformers_and_a_flat_index_do(
    tmp_path: Path, rows: list[tuple[str, str, str]]
) -> None:
    question, passage = tmp_path / "question", tmp_path / "passage"
    write_dpr(question, "DPRQuestionEncoder")
    write_dpr(passage, "DPRContextEncoder")
    vectors = their_vectors(passage, "DPRContextEncoder", [row[2] for row in rows], [row[1] for row in rows])
    index = faiss.IndexFlatIP(32)
    index.add(vectors)
    asked = their_vectors(question, "DPRQuestionEncoder", SENTENCES)
    expected, _ = index.search(asked, COMPARED_PASSAGES)
    scores = asked @ vectors.T

    with (tmp_path / "psgs_w100.tsv").open("w", newline="") as file:
        csv.writer(file, delimiter="\t").writerows([("id", "text", "title"), *rows])
    import_model({"question": question, "passage": passage}, tmp_path / "dpr")
    with opendpr.open(tmp_path / "notes", tmp_path / "dpr", create=True, runtime=RUNTIME) as notes:
        notes.add(tmp_path / "psgs_w100.tsv")
        for number, text in enumerate(SENTENCES):
            hits = notes.search(text, k=COMPARED_PASSAGES, retriever="dense")
            ours = [int(hit.passage.document_id) - 1 for hit in hits]
            by_theirs = scores[number][ours]
            np.testing.assert_allclose([hit.score for hit in hits], by_theirs, atol=ROUNDING)
            assert len(set(ours)) == COMPARED_PASSAGES
            assert np.diff(by_theirs).max() < 2 * ROUNDING
            assert by_theirs.min() > expected[number, -1] - 2 * ROUNDING
