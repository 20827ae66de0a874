"""Tokenizers of every kind: the ids of transformers, and places that lead back to the text."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from experiments.common.foreign_models import FAMILIES, MINILM, SENTENCES, tokenizer, write_dpr, write_network

from opendpr.errors import InputError
from opendpr.model.foreign import import_model
from opendpr.model.foreign.tokenizers import read_tokenizer
from opendpr.model.reader import BertReader
from opendpr.model.runtime import RuntimeSettings
from opendpr.model.tokenizer import Tokenizer
from opendpr.types import Hit, Passage

pytestmark = pytest.mark.golden


@pytest.mark.parametrize("family", FAMILIES)
def test_ids_and_separators_are_those_of_transformers(tmp_path: Path, family: str) -> None:
    theirs = tokenizer(family)
    theirs.save_pretrained(tmp_path)
    ours = Tokenizer(tmp_path / "tokenizer.json")
    first, second = (ids.tolist() for ids in ours.ids(SENTENCES[:2]))
    marks = ours.marks
    assert theirs(SENTENCES[0])["input_ids"] == [marks.cls, *first, marks.sep]
    pair = [marks.cls, *first, *[marks.sep] * marks.between, *second, marks.sep]
    assert theirs(SENTENCES[0], SENTENCES[1])["input_ids"] == pair
    assert marks.pad == theirs.pad_token_id


@pytest.mark.parametrize("family", FAMILIES)
def test_places_are_those_of_the_words(tmp_path: Path, family: str) -> None:
    tokenizer(family).save_pretrained(tmp_path)
    text = "The Rhine rises in the Swiss Alps, and flows. "
    (tokens,) = Tokenizer(tmp_path / "tokenizer.json")([text])
    words: dict[int, tuple[int, int]] = {}
    for word, (start, end) in zip(tokens.words.tolist(), tokens.offsets.tolist(), strict=True):
        words[word] = (min(start, words.get(word, (start, end))[0]), end)
    pieces = [text[start:end] for start, end in words.values()]
    assert pieces == ["The", "Rhine", "rises", "in", "the", "Swiss", "Alps", ",", "and", "flows", "."]


def test_a_vocabulary_alone_makes_the_same_tokenizer(tmp_path: Path) -> None:
    (tmp_path / "vocab.txt").write_text((MINILM / "vocab.txt").read_text(encoding="utf-8"), encoding="utf-8")
    (tmp_path / "tokenizer.json").write_bytes(read_tokenizer(tmp_path / "vocab.txt"))
    made, own = Tokenizer(tmp_path / "tokenizer.json"), Tokenizer(MINILM / "tokenizer.json")
    assert made.marks == own.marks
    for text, ids in zip(SENTENCES, own.ids(SENTENCES), strict=True):
        assert made.ids([text])[0].tolist() == ids.tolist()


def test_a_vocabulary_with_merges_makes_the_same_tokenizer(tmp_path: Path) -> None:
    tokenizer("roberta").save_pretrained(tmp_path / "theirs")
    model = json.loads((tmp_path / "theirs" / "tokenizer.json").read_text())["model"]
    (tmp_path / "vocab.json").write_text(json.dumps(model["vocab"]))
    merges = [merge if isinstance(merge, str) else " ".join(merge) for merge in model["merges"]]
    (tmp_path / "merges.txt").write_text("\n".join(["#version: 0.2", *merges]))
    (tmp_path / "tokenizer.json").write_bytes(read_tokenizer(tmp_path))
    made, own = Tokenizer(tmp_path / "tokenizer.json"), Tokenizer(tmp_path / "theirs" / "tokenizer.json")
    assert made.marks == own.marks
    for text in SENTENCES:
        assert made.ids([text])[0].tolist() == own.ids([text])[0].tolist()


@pytest.mark.parametrize("named", [True, False, None])
@pytest.mark.parametrize("own", [True, False])
def test_case_is_what_the_settings_say_and_not_what_the_file_says(
    tmp_path: Path, named: bool | None, own: bool
) -> None:
    """As transformers reads it; a cased file beside settings that say nothing is read in lower case."""
    from transformers import AutoTokenizer

    content = json.loads((MINILM / "tokenizer.json").read_text(encoding="utf-8"))
    content["normalizer"]["lowercase"] = own
    (tmp_path / "tokenizer.json").write_text(json.dumps(content))
    marks = {"cls_token": "[CLS]", "sep_token": "[SEP]", "pad_token": "[PAD]", "unk_token": "[UNK]"}
    case = {} if named is None else {"do_lower_case": named}
    (tmp_path / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "BertTokenizer", **marks, **case}))
    (tmp_path / "ours.json").write_bytes(read_tokenizer(tmp_path))
    expected = AutoTokenizer.from_pretrained(tmp_path)(SENTENCES[2], add_special_tokens=False)["input_ids"]
    assert Tokenizer(tmp_path / "ours.json").ids([SENTENCES[2]])[0].tolist() == expected


def test_without_a_tokenizer_the_error_says_how_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="save_pretrained"):
        read_tokenizer(tmp_path)


@pytest.mark.parametrize("family", ["roberta", "xlm-roberta", "mpnet"])
def test_a_reader_keeps_its_own_tokenizer_beside_other_encoders(tmp_path: Path, family: str) -> None:
    source = {
        "question": write_dpr(tmp_path / "question", "DPRQuestionEncoder"),
        "passage": write_dpr(tmp_path / "passage", "DPRContextEncoder"),
        "reader": write_network(tmp_path / "reader", family, "QuestionAnswering"),
    }
    model = import_model(source, tmp_path / "ours").model
    for place, parts in enumerate(({"": tmp_path / "ours"}, {"": tmp_path / "ours", "reader": tmp_path / "reader"})):
        again = import_model(parts, tmp_path / f"again-{place}").model
        assert (again.fingerprint, again.reader) == (model.fingerprint, model.reader)
        assert again.tokenizer_of("reader").read_bytes() == model.tokenizer_of("reader").read_bytes()
    assert model.tokenizer_of("reader") == tmp_path / "ours" / "reader" / "tokenizer.json"
    assert model.tokenizer_of("question") == model.tokenizer_path
    text = SENTENCES[0]
    hit = Hit(Passage(1, "d", "", text, 100), 0.0)
    (spans,) = BertReader(model, RuntimeSettings("openvino", "fp32")).read(["where does it rise"], [[hit]])
    assert spans
    for span in spans:
        assert text[span.start - 100 : span.end - 100] == span.text == span.text.strip()
