"""A client of `opendpr serve`, with nothing but Python's own library.

with Client("http://127.0.0.1:8000") as client:
    answer = client.ask("Who wrote the letter?").answers[0]
    print(answer.text, answer.spans[0].document_id)
"""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode, urlsplit

from opendpr.choices import DEFAULT_RETRIEVER, READ_PASSAGES, SEARCH_PASSAGES, RetrieverName
from opendpr.errors import BusyError, InputError, OpendprError, StateError, UsageError
from opendpr.serving.records import (
    AnswerRecord,
    AskRecord,
    DocumentRecord,
    DocumentsRecord,
    InfoRecord,
    JobRecord,
    PassageRecord,
    SearchRecord,
    SkippedRecord,
    SpanRecord,
    SummaryRecord,
)

ERROR_OF_STATUS: Mapping[int, type[OpendprError]] = {
    401: StateError,
    403: StateError,
    404: InputError,
    409: StateError,
    413: UsageError,
    422: UsageError,
    429: BusyError,
    503: BusyError,
}
BUSY_STATUSES = (429, 503)
LONGEST_WAIT_SECONDS = 30.0
"""After which a service that is busy is not asked again."""
POLL_SECONDS = 0.2


class Address(NamedTuple):
    """Where a service is."""

    scheme: str
    host: str
    port: int | None
    path: str


class Client:
    """One connection to a service; not for several threads at once.

    Args:
        url: where the service is, as http://127.0.0.1:8000
        token: of a service that needs one
        timeout_seconds: for each answer
        attempts: how often a request is sent while the service says that it is busy

    Raises:
        UsageError: the address is not valid, or the token cannot be sent.
    """

    def __init__(self, url: str, token: str | None = None, *, timeout_seconds: float = 60, attempts: int = 3) -> None:
        address = _parsed_address(url)
        kind = http.client.HTTPSConnection if address.scheme == "https" else http.client.HTTPConnection
        self._connection = kind(address.host, address.port, timeout=timeout_seconds)
        self._prefix, self._attempts = address.path, attempts
        self._headers = _authorization(token)

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        self._connection.close()

    def ask(
        self,
        question: str,
        k: int = READ_PASSAGES,
        *,
        answers: int = 5,
        retriever: RetrieverName = DEFAULT_RETRIEVER,
        where: str | None = None,
        thorough: bool = False,
    ) -> AskRecord:
        """Answers from the k passages that fit the question best, of documents that meet the filter `where`.

        Args:
            thorough: read all k, also where the first are enough to be sure of an answer
        """
        body: dict[str, object] = {"question": question, "k": k, "answers": answers, "retriever": retriever}
        answer = self._send("POST", "/v1/ask", body | {"where": where, "thorough": thorough})
        return AskRecord(
            **{
                **answer,
                "answers": [_answer_record(record) for record in answer["answers"]],
                "passages": [PassageRecord(**passage) for passage in answer["passages"]],
            }
        )

    def search(
        self,
        question: str,
        k: int = SEARCH_PASSAGES,
        *,
        retriever: RetrieverName = DEFAULT_RETRIEVER,
        where: str | None = None,
    ) -> SearchRecord:
        """The k passages that fit the question best, of documents that meet the filter `where`."""
        answer = self._send(
            "POST", "/v1/search", {"question": question, "k": k, "retriever": retriever, "where": where}
        )
        return SearchRecord(**{**answer, "passages": [PassageRecord(**passage) for passage in answer["passages"]]})

    def info(self) -> InfoRecord:
        """What the collection holds and what the service takes."""
        return InfoRecord(**self._send("GET", "/v1/info"))

    def documents(self) -> Iterator[SummaryRecord]:
        """All documents in order of id."""
        after: str | None = ""
        while after is not None:
            answer = self._send("GET", "/v1/documents?" + urlencode({"after": after, "limit": 1_000}))
            page = DocumentsRecord([SummaryRecord(**summary) for summary in answer["documents"]], answer["next"])
            yield from page.documents
            after = page.next

    def document(self, id: str, start: int = 0, end: int | None = None) -> DocumentRecord:
        """A document's text, or the part of it from `start` to `end`.

        Raises:
            InputError: there is no such document.
        """
        part = {"start": start} if end is None else {"start": start, "end": end}
        return DocumentRecord(**self._send("GET", f"{_path(id)}?{urlencode(part)}"))

    def put(self, id: str, text: str, title: str = "", metadata: Mapping[str, object] | None = None) -> JobRecord:
        """Add or replace a document; `wait` says when it is done."""
        body = {"text": text, "title": title, "metadata": dict(metadata or {})}
        return _job_record(self._send("PUT", _path(id), body))

    def put_all(self, documents: Sequence[Mapping[str, object]]) -> JobRecord:
        """Add or replace documents, each with `id` and `text`, perhaps `title` and `metadata`."""
        body = {"documents": [dict(document) for document in documents]}
        return _job_record(self._send("POST", "/v1/documents", body))

    def remove(self, id: str) -> JobRecord:
        """Remove a document; `wait` says when it is done.

        Raises:
            InputError: there is no such document.
        """
        return _job_record(self._send("DELETE", _path(id)))

    def wait(self, job: JobRecord, timeout_seconds: float = 600) -> JobRecord:
        """The job once it is done.

        Raises:
            BusyError: it is not done in time.
            OpendprError: it failed.
        """
        until = time.monotonic() + timeout_seconds
        while time.monotonic() < until:
            job = _job_record(self._send("GET", f"/v1/jobs/{job.id}"))
            if job.state == "failed":
                raise OpendprError(str(job.error))
            if job.state == "done":
                return job
            time.sleep(POLL_SECONDS)
        raise BusyError(f"job {job.id} was not done within {timeout_seconds:g} s; it goes on")

    def _send(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        """The service's answer; a busy service is asked again after the time that it names."""
        headers = dict(self._headers)
        content = None
        if body is not None:
            headers["Content-Type"] = "application/json"
            content = json.dumps(body).encode()
        for left in reversed(range(self._attempts)):
            status, retry, answer = self._request(method, path, content, headers)
            if status < 400:
                return answer
            wait = float(retry) if retry and retry.isdigit() else 1.0
            if status not in BUSY_STATUSES or not left or wait > LONGEST_WAIT_SECONDS:
                break
            time.sleep(wait)
        kind = ERROR_OF_STATUS.get(status, OpendprError)
        raise kind(f"{answer.get('detail')} (status {status}, request {answer.get('request_id')})")

    def _request(
        self, method: str, path: str, content: bytes | None, headers: Mapping[str, str]
    ) -> tuple[int, str | None, dict[str, Any]]:
        """Status, Retry-After and content; a connection closed by the service is reopened once."""
        for fresh in (False, True):
            try:
                self._connection.request(method, self._prefix + path, content, dict(headers))
                response = self._connection.getresponse()
                text = response.read()
                break
            except (http.client.HTTPException, OSError) as error:
                self._connection.close()
                if fresh or isinstance(error, TimeoutError):
                    address = f"{self._connection.host}:{self._connection.port}"
                    raise StateError(
                        f"{address} does not answer ({error or type(error).__name__}); is 'opendpr serve' "
                        "running there?"
                    ) from None
        try:
            answer = json.loads(text)
        except ValueError:
            raise StateError(
                f"the answer is not from opendpr: status {response.status}, no JSON; check the address"
            ) from None
        return response.status, response.getheader("Retry-After"), answer


def _parsed_address(url: str) -> Address:
    """The parts of a service's address; raises UsageError if it is not valid."""
    try:
        parts = urlsplit(url)
        address = Address(parts.scheme, parts.hostname or "", parts.port, parts.path.rstrip("/"))
    except ValueError as error:
        raise UsageError(f"expected an address as http://127.0.0.1:8000, got {url!r}: {error}") from None
    if address.scheme not in ("http", "https") or not address.host:
        raise UsageError(f"expected an address as http://127.0.0.1:8000, got {url!r}")
    return address


def _authorization(token: str | None) -> dict[str, str]:
    """The header of a token, which may end with the line end of a file; raises UsageError, without the token in it."""
    token = token.strip() if token else ""
    if not all(" " <= character <= "~" for character in token):
        raise UsageError("the token has a character that no header can carry, expected printable ASCII")
    return {"Authorization": f"Bearer {token}"} if token else {}


def _answer_record(answer: dict[str, Any]) -> AnswerRecord:
    return AnswerRecord(**{**answer, "spans": [SpanRecord(**span) for span in answer["spans"]]})


def _job_record(job: dict[str, Any]) -> JobRecord:
    return JobRecord(**{**job, "skipped": [SkippedRecord(**skipped) for skipped in job["skipped"]]})


def _path(id: str) -> str:
    return f"/v1/documents/{quote(id, safe='')}"
