"""Marked answers keep their characters on the way to the words of passages, and back."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from experiments.common.tiny import write_tiny_model
from experiments.paper.systems.phrase_examples import marked_phrases, training_examples
from experiments.paper.systems.phrase_index import Phrases
from experiments.paper.systems.phrase_retrieval import PhraseSystem, PhraseTexts
from experiments.paper.systems.phrase_training import PhraseInput

from opendpr.model.directory import Model

PARAGRAPH = " ".join(f"Boat {number} sails past the old mill." for number in range(30)) + " Ann mends seven blue nets."
"""Longer than a passage, with the answer in its last one."""


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("marked") / "squad.jsonl"
    rows = [
        {"question": "how many nets ?", "passage": PARAGRAPH, "answer_text": "seven blue", "title": "Boats"},
        {"question": "who mends ?", "passage": PARAGRAPH, "answer_text": "Ann", "title": "Boats"},
        {"question": "nothing ?", "passage": PARAGRAPH, "answer_text": "", "answer_start": None, "title": "Boats"},
        *({"question": f"q{n} ?", "passage": f"Text {n} is short.", "answer_text": str(n)} for n in range(20)),
    ]
    rows = [{"answer_start": row["passage"].index(row["answer_text"]), **row} for row in rows]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def test_an_answer_is_marked_in_the_passage_that_holds_it(file: Path) -> None:
    passages, answers = training_examples(file, 1)
    texts = [passages[answer.passage].text[answer.start : answer.end] for answer in answers]
    assert texts[:2] == ["seven blue", "Ann"]
    assert passages[answers[0].passage].start > 0
    assert [answer.question for answer in answers[2:]] == [f"q{n} ?" for n in range(20)]


def test_a_stride_leaves_out_runs_of_paragraphs(file: Path) -> None:
    _, answers = training_examples(file, 2)
    assert [answer.question for answer in answers[2:]] == [f"q{n} ?" for n in (*range(7), *range(15, 20))]


def test_a_phrase_that_is_found_has_the_characters_of_its_document(file: Path, tmp_path: Path) -> None:
    passages, answers = training_examples(file, 1)
    words = PhraseInput(Model(write_tiny_model(tmp_path / "model"))).passages(passages)
    phrase = marked_phrases(answers, words)[0]
    before = sum(len(own.first) for own in words[: phrase.passage])
    row = Phrases(
        np.array([[2.0, -np.inf]]), *(np.array([[before + word, -1]]) for word in (phrase.first, phrase.last))
    )  # type: ignore[arg-type]  # float64 is as good
    (attempt,) = PhraseSystem(PhraseTexts.of(passages, words), lambda questions, k: row).attempt(["how many nets ?"])
    (answer,) = attempt.outcome.answers
    assert answer.text == "seven blue"
    assert PARAGRAPH[answer.spans[0].start : answer.spans[0].end] == "seven blue"
    assert [hit.passage for hit in attempt.hits] == [passages[phrase.passage]]
