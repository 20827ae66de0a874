"""A service as a process of its own, requests to it, and a small collection to serve."""

from __future__ import annotations

import http.client
import json
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import opendpr
from opendpr.types import Document

RIVERS = {"Tarn": "Albi", "Lot": "Cahors", "Orne": "Caen", "Vire": "Saint-Lô"}
PIER = "😀😀 The pier of 😀 Orvik was built by Marta Lindqvist."
PAGES = "The first page is dull.\nThe lighthouse stands on the second page.\nThe end."
PART_BORDER = "border-of-the-parts"
START_SECONDS = 300
"""After which a service that does not start, or does not answer, is taken to hang."""
STOP_SECONDS = 120
"""After which one that does not stop is."""


class Answer(NamedTuple):
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Served:
    """A running `opendpr serve`."""

    def __init__(self, collection: Path, *options: object, environment: Mapping[str, str]) -> None:
        self.collection = collection
        self.process = subprocess.Popen(
            [sys.executable, "-m", "opendpr", "serve", *map(str, (collection, "--port", 0, *options))],
            stderr=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
            env=dict(environment),
            encoding="utf-8",
        )
        self.log: list[str] = []
        self._told = threading.Event()
        self._reading = threading.Thread(target=self._read, daemon=True)
        self._reading.start()
        assert self._told.wait(START_SECONDS), self.log
        found = re.search(r"http://([\d.]+):(\d+)", self.log[-1])
        assert found, self.log
        self.host, self.port = found[1], int(found[2])
        self.url = found[0]

    def _read(self) -> None:
        assert self.process.stderr
        for line in self.process.stderr:
            self.log.append(line)
            if "is served at" in line:
                self._told.set()
        self._told.set()

    def ask(self, method: str, path: str, body: object = None, **headers: str) -> Answer:
        """One request on a connection of its own; a body that is not bytes is sent as JSON."""
        connection = http.client.HTTPConnection(self.host, self.port, timeout=START_SECONDS)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
            named.setdefault("Content-Type", "application/json")
        try:
            connection.request(method, path, body, named)
            response = connection.getresponse()
            return Answer(response.status, response.headers, response.read())
        finally:
            connection.close()

    def wait(self, job: Mapping[str, Any]) -> Any:
        """A job once it is over."""
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until:
            job = self.ask("GET", f"/v1/jobs/{job['id']}").json
            if job["state"] in ("done", "failed"):
                return job
            time.sleep(0.05)
        raise AssertionError(job)

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Send a signal; returns the exit code."""
        self.process.send_signal(number)
        code = self.process.wait(STOP_SECONDS)
        self._reading.join(STOP_SECONDS)
        return code


def upload(served: Served, *files: tuple[str, bytes], path: str = "/v1/files", **headers: str) -> Answer:
    """Send files as a form does; what would end a name is written as browsers write it."""
    parts = []
    for name, content in files:
        quoted = name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
        head = f'--{PART_BORDER}\r\nContent-Disposition: form-data; name="files"; filename="{quoted}"\r\n\r\n'
        parts.append(head.encode() + content)
    body = b"\r\n".join([*parts, f"--{PART_BORDER}--\r\n".encode()])
    return served.ask("POST", path, body, Content_Type=f"multipart/form-data; boundary={PART_BORDER}", **headers)


@contextmanager
def serving(collection: Path, *options: object, environment: Mapping[str, str]) -> Iterator[Served]:
    """A service for the time of a test."""
    served = Served(collection, *options, environment=environment)
    try:
        yield served
    finally:
        if served.process.poll() is None:
            served.process.kill()
            served.process.wait()
        assert served.process.stderr
        served._reading.join()
        served.process.stderr.close()


def make_rivers(directory: Path, model: Path) -> Path:
    """Four rivers, a document with characters beyond the first 65,536, one with pages."""
    documents = [
        Document(
            river, f"The {river}", f"The river {river} runs through the town of {town}. {'word ' * 110}", {"year": year}
        )
        for year, (river, town) in enumerate(RIVERS.items(), start=1901)
    ]
    documents.append(Document("sub/é #?.txt", "Pier", PIER))
    documents.append(Document("two.pdf", "Two", PAGES, {"page_starts": [0, 24, 66]}))
    opendpr.add(directory, documents, str(model))
    return directory
