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

SHORTEST = 16
"""Characters that a token needs, so that it cannot be guessed."""
VARIABLE, FILE_VARIABLE = "OPENDPR_TOKEN", "OPENDPR_TOKEN_FILE"
HASHED = "sha256:"
READ_ONLY = "read"


@dataclass(frozen=True)
class Token:
    """The SHA-256 of a token, and whether it may change the collection."""

    sha256: str
    writes: bool = True


def read_tokens(path: Path | None, environment: Mapping[str, str] = os.environ) -> tuple[Token, ...]:
    """The tokens of a file, or of OPENDPR_TOKEN_FILE, or the one in OPENDPR_TOKEN; none if none is set.

    A file has one token a line, `sha256:` and its SHA-256 in hexadecimal instead if it is not to lie there
    itself; `read` before it lets it only read. Lines that are empty or begin with # are left out.

    Raises:
        UsageError: two of them are set, the file cannot be read or has none, or a token is too short.
    """
    named = environment.get(FILE_VARIABLE)
    given = [
        name
        for name, value in (("--token-file or " + FILE_VARIABLE, path or named), (VARIABLE, environment.get(VARIABLE)))
        if value
    ]
    if len(given) > 1:
        raise UsageError(f"{' and '.join(given)} are both set; set one")
    if path or named:
        file = path or Path(str(named))
        try:
            lines = file.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"the token file {file} cannot be read ({error})") from None
        tokens = tuple(
            _token(line.split(), f"{file}:{number}") for number, line in enumerate(lines, 1) if _counts(line)
        )
        if not tokens:
            raise UsageError(f"the token file {file} has no token; write one a line, of {SHORTEST} characters or more")
        return tokens
    token = environment.get(VARIABLE)
    return (_token([token], VARIABLE),) if token else ()


def _counts(line: str) -> bool:
    return bool(line.strip()) and not line.lstrip().startswith("#")


def _token(parts: list[str], place: str) -> Token:
    writes = parts[0] != READ_ONLY or len(parts) == 1
    value = parts[-1]
    if len(parts) > (1 if writes else 2):
        raise UsageError(
            f"{place}: expected a token, with 'read' before it or nothing; got {counted(len(parts), 'word')}"
        )
    if value.startswith(HASHED):
        digest = value.removeprefix(HASHED).lower()
        if len(digest) != 64 or set(digest) - set("0123456789abcdef"):
            raise UsageError(f"{place}: sha256: must be followed by 64 hexadecimal digits")
        return Token(digest, writes)
    if len(value) < SHORTEST:
        raise UsageError(f"{place}: the token has {counted(len(value), 'character')}, at least {SHORTEST} are needed")
    return Token(_sha256(value), writes)


def find_token(tokens: Iterable[Token], given: str) -> Token | None:
    """The token that was given, found in a time that does not tell how much of it is right."""
    digest = _sha256(given)
    found = None
    for token in tokens:
        if hmac.compare_digest(token.sha256, digest):
            found = token
    return found


def _sha256(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).hexdigest()
