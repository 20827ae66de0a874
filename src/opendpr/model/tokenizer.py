"""Text to token ids: the `tokenizers` file of a model, so that text never becomes a control token."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from opendpr.errors import CorruptionError, StateError
from opendpr.text.normalising import Plain, plain

if TYPE_CHECKING:
    import tokenizers

TokenIds = NDArray[np.int32]


class Tokens(NamedTuple):
    """The tokens of one text, without special tokens."""

    ids: TokenIds
    """(L,)"""
    offsets: NDArray[np.int32]
    """(L, 2): first code point and the one after the last."""
    words: NDArray[np.int32]
    """(L,): number of the word that a token belongs to."""


class Marks(NamedTuple):
    """Tokens that are not text: what `[CLS]`, `[SEP]` and `[PAD]` are in BERT, `<s>`, `</s>` and `<pad>` in RoBERTa."""

    cls: int
    sep: int
    pad: int
    between: int = 1
    """How many [SEP] part two texts."""


TOKENIZER_KINDS = ("WordPiece", "BPE", "Unigram")
"""Models of `tokenizers` that are known: those of BERT, of RoBERTa, and SentencePiece's as in XLM-R."""
PAD_TOKENS = ("[PAD]", "<pad>")


class Tokenizer:
    """A model's tokenizer. `[SEP]` written in a text is five characters, not a separator.

    Raises:
        StateError: the file is missing, of a kind that is not known, or has no beginning and end of sequences.
    """

    def __init__(self, path: Path) -> None:
        import tokenizers

        try:
            content = path.read_text(encoding="utf-8")
        except FileNotFoundError:
            raise StateError(f"the model lacks {path}; it was copied incompletely, restore it") from None
        try:
            kind = json.loads(content)["model"]["type"]
        except (ValueError, KeyError, TypeError) as error:
            raise CorruptionError(f"{path} is not a tokenizer file ({error!r}); restore it") from None
        if kind not in TOKENIZER_KINDS:
            raise StateError(f"{path} is a {kind} tokenizer; opendpr knows {', '.join(TOKENIZER_KINDS)}")
        self._by_spaces = kind != "WordPiece"
        try:
            self._tokenizer = tokenizers.Tokenizer.from_str(content)
        except Exception as error:  # noqa: BLE001  # the package raises nothing more precise
            raise CorruptionError(f"{path} is not a tokenizer file ({error}); restore it") from None
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        self._tokenizer.encode_special_tokens = True
        self.marks = self._find_marks(path)
        self.pad = self.marks.pad

    def __call__(self, texts: Sequence[str]) -> list[Tokens]:
        """Tokens of each text, read in its plain form; offsets are those of the text as it is.

        Lone surrogates, which have no UTF-8 form, count as unknown characters.
        """
        forms = [plain(text) for text in texts]
        encodings = self._tokenizer.encode_batch([_utf8(form.text) for form in forms], add_special_tokens=False)
        return [self._tokens(*parts) for parts in zip(encodings, forms, texts, strict=True)]

    def _tokens(self, encoding: tokenizers.Encoding, form: Plain, text: str) -> Tokens:
        places = np.array(_places(encoding.offsets, form), dtype=np.int32).reshape(-1, 2)
        words = np.array(encoding.word_ids, dtype=np.int32)
        if self._by_spaces:
            places = _without_spaces(places, text)
            words = _words(places, text)
        return Tokens(np.array(encoding.ids, dtype=np.int32), places, words)

    def ids(self, texts: Sequence[str]) -> list[TokenIds]:
        """Only the ids, which is faster than calling the tokenizer."""
        encodings = self._tokenizer.encode_batch_fast(
            [_utf8(plain(text).text) for text in texts], add_special_tokens=False
        )
        return [np.array(encoding.ids, dtype=np.int32) for encoding in encodings]

    def _find_marks(self, path: Path) -> Marks:
        """What the file puts around one text and between two, or BERT's [CLS] and [SEP] if it says nothing of that."""
        number = self._tokenizer.token_to_id
        single, pair = self._tokenizer.encode("").ids, self._tokenizer.encode("", "").ids
        if not pair:
            single = [id for token in ("[CLS]", "[SEP]") if (id := number(token)) is not None]
            pair = [*single, *single[1:]]
        if len(single) != 2 or pair[0] != single[0] or {*pair[1:]} != {single[1]}:
            raise StateError(
                f"{path} puts {single} around one text and {pair} around two; opendpr needs a tokenizer like BERT's, "
                "with [CLS] and [SEP]"
            )
        pads = [id for token in PAD_TOKENS if (id := number(token)) is not None]
        return Marks(single[0], single[1], pads[0] if pads else single[1], len(pair) - 2)


def _without_spaces(places: NDArray[np.int32], text: str) -> NDArray[np.int32]:
    """(L, 2): places without the spaces that some tokenizers count to the word after them."""
    trimmed = places.copy()
    last = len(text.rstrip())
    for row, (start, end) in enumerate(trimmed.tolist()):
        while start < end and text[start].isspace():
            start += 1
        trimmed[row] = (start, end) if start < last else (last, last)
    return trimmed


def _words(places: NDArray[np.int32], text: str) -> NDArray[np.int32]:
    """(L,): number of each token's word, for a tokenizer that does not part words as BERT's does.

    Here a word is letters and digits, or one sign. A token of nothing but a space belongs to the word after it, at the
    end of the text to the one before.
    """
    begins, before = [], (0, 0)
    for start, end in places.tolist():
        joined = before[0] == before[1] == start or start < before[1]
        inside = start < end and text[start].isalnum() and start == before[1] and text[start - 1].isalnum()
        begins.append(not joined and not inside and (start < end or bool(text[start:].strip())))
        before = start, end
    if begins:
        begins[0] = True
    return np.cumsum(begins, dtype=np.int32) - 1


def _utf8(text: str) -> str:
    """The text with "?" for lone surrogates."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _places(offsets: Sequence[tuple[int, int]], form: Plain) -> Sequence[tuple[int, int]]:
    """Offsets in the text that a plain form comes from."""
    return [form.span(start, end) for start, end in offsets] if form.starts else offsets
