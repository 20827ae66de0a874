"""Text to token ids: the `tokenizers` file of a model, fed so that text can never become control."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from opendpr.errors import CorruptionError, StateError
from opendpr.text.normalising import Plain, plain

TokenIds = NDArray[np.int32]


class Tokens(NamedTuple):
    """The tokens of one text, without special tokens."""

    ids: TokenIds
    """(L,)"""
    offsets: NDArray[np.int32]
    """(L, 2): first code point and the one after the last."""
    words: NDArray[np.int32]
    """(L,): number of the word that a token belongs to."""


class Tokenizer:
    """A model's tokenizer. `[SEP]` written in a text is five characters, not a separator.

    Raises:
        StateError: the file is missing, or lacks [CLS], [SEP] or [PAD].
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
        if kind != "WordPiece":
            raise StateError(
                f"{path} is a {kind} tokenizer; opendpr needs the WordPiece tokenizer of a BERT-type model"
            )
        try:
            self._tokenizer = tokenizers.Tokenizer.from_str(content)
        except Exception as error:  # noqa: BLE001  # the package raises nothing more precise
            raise CorruptionError(f"{path} is not a tokenizer file ({error}); restore it") from None
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        self._tokenizer.encode_special_tokens = True
        self.cls, self.sep, self.pad = (self._special(token, path) for token in ("[CLS]", "[SEP]", "[PAD]"))

    def __call__(self, texts: Sequence[str]) -> list[Tokens]:
        """Tokens of each text, read in its plain form; offsets are those of the text as it is.

        Lone surrogates, which have no UTF-8 form, count as unknown characters.
        """
        forms = [plain(text) for text in texts]
        encodings = self._tokenizer.encode_batch([_utf8(form.text) for form in forms], add_special_tokens=False)
        return [
            Tokens(
                np.array(encoding.ids, dtype=np.int32),
                np.array(_places(encoding.offsets, form), dtype=np.int32).reshape(-1, 2),
                np.array(encoding.word_ids, dtype=np.int32),
            )
            for encoding, form in zip(encodings, forms, strict=True)
        ]

    def ids(self, texts: Sequence[str]) -> list[TokenIds]:
        """Only the ids, which is faster than calling the tokenizer."""
        encodings = self._tokenizer.encode_batch_fast(
            [_utf8(plain(text).text) for text in texts], add_special_tokens=False
        )
        return [np.array(encoding.ids, dtype=np.int32) for encoding in encodings]

    def _special(self, token: str, path: Path) -> int:
        number = self._tokenizer.token_to_id(token)
        if number is None:
            raise StateError(f"{path} has no {token}; opendpr needs a BERT-type tokenizer")
        return int(number)


def _utf8(text: str) -> str:
    """The text with "?" for lone surrogates."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _places(offsets: Sequence[tuple[int, int]], form: Plain) -> Sequence[tuple[int, int]]:
    """Offsets in the text that a plain form comes from."""
    return [form.span(start, end) for start, end in offsets] if form.starts else offsets
