"""Tokens that let a request in: hashed as soon as they are read, compared in constant time."""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from opendpr.errors import UsageError
from opendpr.wording import counted

TOKEN_CHARACTERS = 16
"""Fewest characters of a token, so that it cannot be guessed."""
TOKEN_VARIABLE, TOKEN_FILE_VARIABLE = "OPENDPR_TOKEN", "OPENDPR_TOKEN_FILE"
NAME_DIGITS = 8
"""Hexadecimal digits of a token's SHA-256 that name it."""
HASH_PREFIX = "sha256:"
READ_ONLY_WORD = "read"


@dataclass(frozen=True)
class Token:
    """The SHA-256 of a token, and whether it may change the collection."""

    sha256: str
    writes: bool = True

    @property
    def name(self) -> str:
        """What a judgement calls whoever has it: the beginning of its SHA-256."""
        return self.sha256[:NAME_DIGITS]


def read_tokens(path: Path | None, environment: Mapping[str, str] = os.environ) -> tuple[Token, ...]:
    """The tokens of a file, or of OPENDPR_TOKEN_FILE, or the one in OPENDPR_TOKEN; none if none is set.

    A file has one token a line, in plain text or as `sha256:` and its SHA-256 in hexadecimal; with `read` before it
    the token may only read. Lines that are empty or begin with # are skipped.

    Raises:
        UsageError: more than one of these is set, the file cannot be read or holds no token, or a token is too short.
    """
    named = environment.get(TOKEN_FILE_VARIABLE)
    sources = [
        name
        for name, value in (
            ("--token-file or " + TOKEN_FILE_VARIABLE, path or named),
            (TOKEN_VARIABLE, environment.get(TOKEN_VARIABLE)),
        )
        if value
    ]
    if len(sources) > 1:
        raise UsageError(f"{' and '.join(sources)} are both set; set one")
    if path or named:
        file = path or Path(str(named))
        try:
            lines = file.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(
                f"the token file {file} cannot be read ({error}); give a text file with a token a line"
            ) from None
        tokens = tuple(
            _token(line.split(), f"{file}:{number}") for number, line in enumerate(lines, 1) if _has_token(line)
        )
        if not tokens:
            raise UsageError(
                f"the token file {file} has no token; write one a line, of {TOKEN_CHARACTERS} characters or more"
            )
        return tokens
    token = environment.get(TOKEN_VARIABLE)
    return (_token([token], TOKEN_VARIABLE),) if token else ()


def _has_token(line: str) -> bool:
    return bool(line.strip()) and not line.lstrip().startswith("#")


def _token(parts: list[str], place: str) -> Token:
    writes = parts[0] != READ_ONLY_WORD or len(parts) == 1
    value = parts[-1]
    if len(parts) > (1 if writes else 2):
        raise UsageError(
            f"{place}: expected a token, with 'read' before it or nothing; got {counted(len(parts), 'word')}"
        )
    if value.startswith(HASH_PREFIX):
        digest = value.removeprefix(HASH_PREFIX).lower()
        if len(digest) != 64 or set(digest) - set("0123456789abcdef"):
            raise UsageError(f"{place}: sha256: must be followed by 64 hexadecimal digits")
        return Token(digest, writes)
    if len(value) < TOKEN_CHARACTERS:
        raise UsageError(
            f"{place}: the token has {counted(len(value), 'character')}, at least {TOKEN_CHARACTERS} are needed; "
            "make one with 'openssl rand -hex 32'"
        )
    return Token(_sha256(value), writes)


def find_token(tokens: Iterable[Token], value: str) -> Token | None:
    """The token with this value, compared in constant time; None if there is none."""
    digest = _sha256(value)
    match = None
    for token in tokens:
        if hmac.compare_digest(token.sha256, digest):
            match = token
    return match


def _sha256(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).hexdigest()
