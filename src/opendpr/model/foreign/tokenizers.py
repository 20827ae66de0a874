"""Tokenizers of other systems as one `tokenizer.json`: as it is, in lower case, or made of a vocabulary."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from opendpr.errors import InputError
from opendpr.model.directory import TOKENIZER_FILE
from opendpr.model.foreign.source import optional_json, read_json

UNTYPED_TOKENIZERS = ("PreTrainedTokenizerFast", "TokenizersBackend")
"""Classes of transformers that take a tokenizer.json as it is, and give no token types unless they are asked to."""
BERT_MARKS = ("[CLS]", "[SEP]", "[PAD]", "[UNK]", "[MASK]")
ROBERTA_MARKS = ("<s>", "</s>", "<pad>", "<unk>", "<mask>")


def read_tokenizer(path: Path, *, lower: bool = False) -> bytes:
    """The content of a `tokenizer.json` for the tokenizer that a directory or file holds.

    Args:
        path: a directory, a tokenizer.json, or a vocab.txt
        lower: whether texts are brought to lower case first, whatever the tokenizer does

    Raises:
        InputError: there is none, or only of a kind that this cannot read.
    """
    directory = path if path.is_dir() else path.parent
    settings = optional_json(directory / "tokenizer_config.json")
    if (path.is_dir() and (path / TOKENIZER_FILE).is_file()) or path.name == TOKENIZER_FILE:
        content = (directory / TOKENIZER_FILE).read_bytes()
        content = _as_configured(content, settings) if path.is_dir() else content
        return _lowered(content) if lower else content
    if (directory / "vocab.txt").is_file():
        made = _word_pieces((directory / "vocab.txt").read_text(encoding="utf-8").splitlines(), settings)
    elif (directory / "vocab.json").is_file() and (directory / "merges.txt").is_file():
        made = _byte_pairs(directory, settings)
    else:
        raise InputError(
            f"{path} has no tokenizer that can be read (tokenizer.json, vocab.txt, or vocab.json with merges.txt); "
            "write a tokenizer.json with transformers: AutoTokenizer.from_pretrained(DIR).save_pretrained(DIR)"
        )
    content = json.dumps(made, ensure_ascii=False).encode()
    return _lowered(content) if lower else content


def _as_configured(content: bytes, settings: dict[str, Any]) -> bytes:
    """The tokenizer with the case and accents that its settings name: transformers takes these, not the file's own.

    A setting that is missing has BERT's default, lower case included; only the classes of no family take the file's.
    """
    tokenizer = json.loads(content)
    own = tokenizer.get("normalizer") or {}
    if settings.get("tokenizer_class") in UNTYPED_TOKENIZERS or own.get("type") != "BertNormalizer":
        return content
    named = _normalizer(settings)
    if all(own.get(name, value) == value for name, value in named.items()):
        return content
    tokenizer["normalizer"] = named
    return json.dumps(tokenizer, ensure_ascii=False).encode()


def _normalizer(settings: dict[str, Any]) -> dict[str, Any]:
    """What BERT's tokenizer does to text first, as `tokenizer_config.json` says."""
    return {
        "type": "BertNormalizer",
        "clean_text": True,
        "handle_chinese_chars": settings.get("tokenize_chinese_chars", True),
        "strip_accents": settings.get("strip_accents"),
        "lowercase": bool(settings.get("do_lower_case", True)),
    }


def _lowered(content: bytes) -> bytes:
    """The tokenizer with a step before all others that brings text to lower case, unless it does so already."""
    tokenizer = json.loads(content)
    own = tokenizer.get("normalizer")
    steps = own["normalizers"] if own and own["type"] == "Sequence" else [own] if own else []
    if any(step["type"] == "Lowercase" or step.get("lowercase") for step in steps):
        return content
    tokenizer["normalizer"] = {"type": "Sequence", "normalizers": [{"type": "Lowercase"}, *steps]}
    return json.dumps(tokenizer, ensure_ascii=False).encode()


def _tokenizer(model: dict[str, Any], marks: tuple[str, ...], numbers: dict[str, int], **steps: Any) -> dict[str, Any]:  # noqa: ANN401
    missing = [mark for mark in marks[:4] if mark not in numbers]
    if missing:
        raise InputError(f"the vocabulary lacks {', '.join(missing)}; it belongs to another tokenizer")
    plain = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    added = [{"id": numbers[mark], "content": mark, **plain} for mark in marks if mark in numbers]
    return {"version": "1.0", "truncation": None, "padding": None, "added_tokens": added, **steps, "model": model}


def _word_pieces(words: list[str], settings: dict[str, Any]) -> dict[str, Any]:
    """BERT's tokenizer with a vocabulary, one word a line; MPNet's where it has RoBERTa's marks."""
    numbers = {word.rstrip("\n"): number for number, word in enumerate(words)}
    marks = ROBERTA_MARKS if "<s>" in numbers else BERT_MARKS
    cls, sep = ([mark, numbers.get(mark, 0)] for mark in marks[:2])
    processor: dict[str, Any] = {"type": "BertProcessing", "sep": sep, "cls": cls}
    if marks is ROBERTA_MARKS:
        processor |= {"type": "RobertaProcessing", "trim_offsets": True, "add_prefix_space": False}
    return _tokenizer(
        {
            "type": "WordPiece",
            "unk_token": "[UNK]" if "[UNK]" in numbers else marks[3],
            "continuing_subword_prefix": "##",
            "max_input_chars_per_word": 100,
            "vocab": numbers,
        },
        marks,
        numbers,
        normalizer=_normalizer(settings),
        pre_tokenizer={"type": "BertPreTokenizer"},
        post_processor=processor,
        decoder={"type": "WordPiece", "prefix": "##", "cleanup": True},
    )


def _byte_pairs(directory: Path, settings: dict[str, Any]) -> dict[str, Any]:
    """RoBERTa's tokenizer: pairs of bytes that are merged."""
    numbers: dict[str, int] = read_json(directory / "vocab.json")
    lines = (directory / "merges.txt").read_text(encoding="utf-8").splitlines()
    merges = [line for line in lines if line and not line.startswith("#version")]
    space = bool(settings.get("add_prefix_space", False))
    cls, sep = ([mark, numbers.get(mark, 0)] for mark in ROBERTA_MARKS[:2])
    return _tokenizer(
        {"type": "BPE", "vocab": numbers, "merges": merges},
        ROBERTA_MARKS,
        numbers,
        normalizer=None,
        pre_tokenizer={"type": "ByteLevel", "add_prefix_space": space, "trim_offsets": True, "use_regex": True},
        post_processor={
            "type": "RobertaProcessing", "sep": sep, "cls": cls, "trim_offsets": True, "add_prefix_space": space,
        },
        decoder={"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True},
    )  # fmt: skip
