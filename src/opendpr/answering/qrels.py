"""Judgements of documents, as TREC writes them: `question 0 document relevance`."""

from __future__ import annotations

from pathlib import Path

from opendpr.errors import InputError
from opendpr.formats import READ_ERRORS, open_binary, reason


def read_qrels(path: Path) -> dict[str, dict[str, int]]:
    """Question -> document -> relevance; the second field is passed over.

    Raises:
        InputError: the file cannot be read, or a line is no judgement; the message has the line.
    """
    judgements: dict[str, dict[str, int]] = {}
    try:
        with open_binary(path) as file:
            for number, line in enumerate(file, start=1):
                if line.strip():
                    question, document, relevance = _judgement(line, f"{path}:{number}")
                    judgements.setdefault(question, {})[document] = relevance
    except READ_ERRORS as error:
        raise InputError(f"{path} cannot be read: {reason(error)}") from None
    if not judgements:
        raise InputError(f"{path} holds no judgements")
    return judgements


def _judgement(line: bytes, place: str) -> tuple[str, str, int]:
    try:
        question, _, document, relevance = line.decode("utf-8").split()
        return question, document, int(relevance)
    except ValueError:
        raise InputError(f"{place}: expected 'question 0 document relevance', found {line.strip()!r:.80}") from None
