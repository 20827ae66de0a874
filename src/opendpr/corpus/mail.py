"""Mail: one message (.eml), or a mailbox (.mbox) whose messages are documents of their own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC
from email import message_from_bytes, policy
from email.message import Message
from email.utils import parsedate_to_datetime
from itertools import pairwise
from typing import IO

from opendpr.corpus.encodings import decoded
from opendpr.corpus.extract import Extract, NotReadError, storable
from opendpr.corpus.html import extract

MAIL_BYTES = 300_000_000
HEADERS = ("From", "To", "Cc", "Date", "Subject")
"""What a reader sees above a message."""
FROM_LINE = re.compile(rb"(?:\A|(?<=\n\n)|(?<=\n\r\n))From [^\n]*\r?\n(?=(?:>From |[!-9;-~]{1,80}:))")
"""Begins a message in a mailbox: after an empty line, and before a header."""
ENCRYPTED_TYPES = frozenset(("multipart/encrypted", "application/pkcs7-mime", "application/x-pkcs7-mime"))
ENCRYPTED_TEXT = "its text is encrypted, only its headers were read; export it from the program that opens it"
FLOWED_LINE = re.compile(r"(?<!^--) \n(?=[^>\n])", re.M)
"""The end of a line that goes on in the next one, in mails whose writers let lines flow."""
QUOTED_FROM = re.compile(r"^>(>*From )", re.M)


def parse_mail(file: IO[bytes]) -> Extract:
    """One message: its headers, then its text."""
    return message_text(content(file))


def parse_mailbox(file: IO[bytes]) -> list[Extract]:
    """Every message that has text, in order."""
    data = content(file).lstrip(b"\r\n")
    starts = [match.start() for match in FROM_LINE.finditer(data)]
    if not starts or data[: starts[0]].strip():
        raise NotReadError("no mailbox: it does not begin with a line 'From ...'")
    messages: list[Extract] = []
    problems: list[tuple[str, str]] = []
    for number, (start, end) in enumerate(pairwise([*starts, len(data)]), start=1):
        try:
            messages.append(message_text(data[start:end]))
        except NotReadError as error:
            problems.append((f"message {number}", str(error)))
        else:
            problems += ((f"message {number}", problem) for _, problem in messages[-1].problems)
    if not messages:
        raise NotReadError("no mail in it has headers or text")
    return [replace(messages[0], problems=problems), *(replace(message, problems=[]) for message in messages[1:])]


def content(file: IO[bytes]) -> bytes:
    """All bytes, if they are not too many."""
    data = file.read(MAIL_BYTES + 1)
    if len(data) > MAIL_BYTES:
        raise NotReadError(f"more than {MAIL_BYTES // 1_000_000} MB of mail; cut it into several files")
    return data


def message_text(data: bytes) -> Extract:
    """The headers that are shown, and the text of the message; of text and HTML, the text."""
    message = message_from_bytes(FROM_LINE.sub(b"", data, count=1), policy=policy.default)
    shown = {name: header(message, name) for name in HEADERS}
    lines = header_lines(message)
    body = "\n\n".join(filter(None, map(str.strip, bodies(message))))
    if not lines and not body:
        raise NotReadError("no mail: it has neither headers nor text")
    metadata = {name.lower(): value for name, value in shown.items() if value and name not in ("Subject", "Cc")}
    if "date" in metadata:
        metadata["date"] = iso_date(metadata["date"])
    problems = [("text", ENCRYPTED_TEXT)] if not body and is_encrypted(message) else []
    return Extract(shown["Subject"], storable("\n".join(lines) + "\n\n" + body), metadata, problems)


def is_encrypted(message: Message) -> bool:
    """Whether the text of a message is in a part that only its receiver can open (RFC 1847, RFC 8551)."""
    return any(part.get_content_type() in ENCRYPTED_TYPES for part in message.walk())


def header_lines(message: Message) -> list[str]:
    """The headers that a reader sees, a line each."""
    shown = ((name, header(message, name)) for name in HEADERS)
    return [f"{name}: {value}" for name, value in shown if value]


def iso_date(written: str) -> str:
    """A date as mails write it in UTC, as ISO 8601 has it, so that filters can compare it; others as they are."""
    try:
        sent = parsedate_to_datetime(written)
        sent = sent.replace(tzinfo=UTC) if sent.tzinfo is None else sent.astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return written
    return sent.isoformat(timespec="seconds")


def header(message: Message, name: str) -> str:
    """The words of a header, decoded."""
    try:
        return storable(" ".join(str(message.get(name, "")).split()))
    except (
        ValueError,
        LookupError,
        AttributeError,
        OverflowError,
        TypeError,
    ):  # what a crafted header makes of its parser
        return ""


def bodies(message: Message) -> Iterator[str]:
    """The texts of a message and of those it forwards, in order; of several forms of one text the first that is there.

    Attachments of other kinds are left out.
    """
    if message.get_content_type() == "message/rfc822":
        for inner in _parts(message):
            yield "\n\n".join(filter(None, ("\n".join(header_lines(inner)), *bodies(inner))))
    elif message.get_content_type() == "multipart/alternative":
        forms = sorted(_parts(message), key=lambda part: part.get_content_type() != "text/plain")
        texts = (list(filter(str.strip, bodies(part))) for part in forms)
        yield from next(filter(None, texts), [])
    elif message.is_multipart():
        for part in _parts(message):
            yield from bodies(part)
    elif (
        message.get_content_type() in ("text/plain", "text/html") and message.get_content_disposition() != "attachment"
    ):
        yield decoded_part(message)


def _parts(message: Message) -> list[Message]:
    """The parts of a message that has some."""
    payload = message.get_payload()
    return [part for part in payload if isinstance(part, Message)] if isinstance(payload, list) else []


def decoded_part(part: Message) -> str:
    """The text of one part of a message."""
    payload = part.get_payload(decode=True)
    data = payload if isinstance(payload, bytes) else b""
    try:
        text = data.decode(
            part.get_content_charset() or "ascii", "strict" if not part.get_content_charset() else "replace"
        )
    except (LookupError, ValueError):
        text = unmarked(data)
    if part.get_content_type() == "text/html":
        return extract(text).text
    lines = text.replace("\r\n", "\n")
    if str(part.get_param("format", "")).lower() == "flowed":
        lines = FLOWED_LINE.sub(" ", lines)
    return QUOTED_FROM.sub(r"\1", lines)


def unmarked(data: bytes) -> str:
    """The text of bytes that nothing tells the encoding of."""
    try:
        return decoded(data).text
    except NotReadError:
        return data.decode("utf-8", "replace")
