"""Text to token ids: the `tokenizers` file of a model, fed so that text can never become control."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from opendpr.errors import CorruptionError, StateError

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
        """Tokens of each text. Lone surrogates, which have no UTF-8 form, count as unknown characters."""
        encodings = self._tokenizer.encode_batch(
            [text.encode("utf-8", "replace").decode("utf-8") for text in texts], add_special_tokens=False
        )
        return [
            Tokens(
                np.array(encoding.ids, dtype=np.int32),
                np.array(encoding.offsets, dtype=np.int32).reshape(-1, 2),
                np.array(encoding.word_ids, dtype=np.int32),
            )
            for encoding in encodings
        ]

    def ids(self, texts: Sequence[str]) -> list[TokenIds]:
        """Only the ids, which is faster than calling the tokenizer."""
        encodings = self._tokenizer.encode_batch_fast(
            [text.encode("utf-8", "replace").decode("utf-8") for text in texts], add_special_tokens=False
        )
        return [np.array(encoding.ids, dtype=np.int32) for encoding in encodings]

    def _special(self, token: str, path: Path) -> int:
        number = self._tokenizer.token_to_id(token)
        if number is None:
            raise StateError(f"{path} has no {token}; opendpr needs a BERT-type tokenizer")
        return int(number)
