"""Mail: one message (.eml), or a mailbox (.mbox) whose messages are documents of their own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC
from email import message_from_bytes, policy
from email.message import EmailMessage, Message
from email.utils import parsedate_to_datetime
from itertools import pairwise
from typing import IO

from opendpr.corpus.extract import Extract, NotReadError, storable
from opendpr.corpus.html import extract

MAIL_BYTES = 300_000_000
HEADERS = ("From", "To", "Cc", "Date", "Subject")
"""What a reader sees above a message."""
FROM_LINE = re.compile(rb"^From [^\n]*\d\d:\d\d[^\n]*\r?\n", re.M)
"""Begins a message in a mailbox."""
QUOTED_FROM = re.compile(r"^>(>*From )", re.M)


def parse_mail(file: IO[bytes]) -> Extract:
    """One message: its headers, then its text."""
    return message_text(content(file))


def parse_mailbox(file: IO[bytes]) -> list[Extract]:
    """Every message that has text, in order."""
    data = content(file)
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
    if not messages:
        raise NotReadError("no mail in it has headers or text")
    return [replace(messages[0], problems=problems), *messages[1:]]


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
    lines = [f"{name}: {value}" for name, value in shown.items() if value]
    body = "\n\n".join(filter(None, map(str.strip, bodies(message))))
    if not lines and not body:
        raise NotReadError("no mail: it has neither headers nor text")
    metadata = {name.lower(): value for name, value in shown.items() if value and name not in ("Subject", "Cc")}
    if "date" in metadata:
        metadata["date"] = iso_date(metadata["date"])
    return Extract(shown["Subject"], storable("\n".join(lines) + "\n\n" + body), metadata)


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
    """The texts of a message and of those it forwards; attachments of other kinds are left out."""
    if isinstance(message, EmailMessage) and (part := message.get_body(("plain", "html"))) is not None:
        yield decoded(part)
    for attached in message.walk():
        if attached is not message and attached.get_content_type() == "message/rfc822":
            for inner in attached.get_payload() if attached.is_multipart() else ():
                if isinstance(inner, Message):
                    subject = header(inner, "Subject")
                    yield f"{subject}\n\n" + "\n\n".join(bodies(inner))


def decoded(part: Message) -> str:
    """The text of one part of a message."""
    payload = part.get_payload(decode=True)
    data = payload if isinstance(payload, bytes) else b""
    charset = part.get_content_charset() or "utf-8"
    try:
        text = data.decode(charset, "replace")
    except LookupError:
        text = data.decode("utf-8", "replace")
    if part.get_content_type() == "text/html":
        return extract(text).text
    return QUOTED_FROM.sub(r"\1", text.replace("\r\n", "\n"))
