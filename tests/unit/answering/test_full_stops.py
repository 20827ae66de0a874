"""The full stop behind an answer."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from marked import mark
from opendpr.answering.full_stops import without_full_stop
from opendpr.text import exact_match
from opendpr.types import Hit, Passage, Span


@pytest.mark.parametrize(
    ("text", "words", "expected"),
    [
        ("Grease it with NLGI 2. Wait.", "NLGI 2.", "NLGI 2"),
        ("It is kept by **Odo Brandwijk.**", "Odo Brandwijk.", "Odo Brandwijk"),
        ('He said "never." Then he left.', "never.", "never"),
        ("It is in `setup.py`. It grew by 5%.", "5%.", "5%"),
        ("Edit setup.py.", "setup.py.", "setup.py"),
        ("It is (mostly) oak (or ash).", "oak (or ash).", "oak (or ash)"),
        ("It lies in the U.S. It is old.", "the U.S.", "the U.S."),
        ("It opens at 5 p.m.", "5 p.m.", "5 p.m."),
        ("It is made by Tarn Inc.", "Tarn Inc.", "Tarn Inc."),
        ("Smith Jr. came", "Smith Jr.", "Smith Jr."),
        ("by the Tarn Mfg. company", "Tarn Mfg.", "Tarn Mfg."),
        ("a Ph.D. from Lund", "a Ph.D.", "a Ph.D."),
        ("It waits ... then goes.", "waits ...", "waits ..."),
        ("Type git add . in it.", "git add .", "git add ."),
        ("Type `ls notes.` there.", "ls notes.", "ls notes."),
        ("release 2.5 is out", "release 2.", "release 2."),
        ("Sung by LL Cool J.", "LL Cool J.", "LL Cool J."),
        (". It begins.", ".", "."),
    ],
)
def test_that_of_a_sentence_goes_and_that_of_an_abbreviation_stays(text: str, words: str, expected: str) -> None:
    span = without_full_stop(mark(text, words))
    assert span.text == expected
    assert text[span.start - 100 : span.end - 100] == expected


def in_fit_half(record: dict[str, str]) -> bool:
    """Whether a question is of the half that things are chosen on, as the experiments cut it."""
    return int(hashlib.sha1(record["document_id"].encode()).hexdigest()[0], 16) % 2 == 0


@pytest.mark.data
def test_people_mark_answers_without_the_full_stop_of_their_sentence(data: Path) -> None:
    restored, kept = 0, 0
    for line in (data / "dev" / "squad.jsonl").read_text(encoding="utf-8").splitlines():
        record = json.loads(line)
        answer, start = record["answer_text"], record["answer_start"]
        if not in_fit_half(record):
            continue
        hit = Hit(Passage(1, "d", "", record["passage"], 0), 0.0)
        own = without_full_stop(Span(hit, start, start + len(answer), answer, 0.0, 0.0))
        assert record["passage"][own.start : own.end] == own.text
        assert exact_match(own.text, record["answers"])
        if record["passage"].startswith(". ", start + len(answer)):
            longer = without_full_stop(Span(hit, start, start + len(answer) + 1, f"{answer}.", 0.0, 0.0))
            restored += longer.text == answer
            kept += longer.text != answer
    assert restored > 50 * kept, (restored, kept)
