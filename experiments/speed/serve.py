"""The service under load, on loopback: `opendpr serve` over 100,000 passages of Wikipedia.

The vectors are random (a search looks at all of them whatever they are), words and reading are real. Load comes from
this process: each of n connections sends the next question when it has its answer (closed loop), or questions are
sent at a constant rate, whatever becomes of them, and timed from when they should have been sent (open loop).

    python -m experiments.speed.serve               # about six minutes once the collection is made
    python -m experiments.speed.serve --haystack    # beside Haystack's BM25 in memory; needs haystack-ai
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np

from experiments.common.data import arguments, questions, wikipedia
from experiments.common.machine import describe
from experiments.common.synthetic import GivenVectors
from opendpr.collection import open_collection, open_writer
from opendpr.maintenance.add import add
from opendpr.model.directory import find_model
from opendpr.text.splitting import Splitter
from opendpr.types import Document

START = """
import sys
from pathlib import Path
from opendpr.model.runtime import RuntimeSettings
from opendpr.serving.settings import Settings
from opendpr.serving.uvicorn import run
settings = Settings(Path(sys.argv[1]), runtime=RuntimeSettings(precision=sys.argv[2]), port=0,
    most_seconds=float(sys.argv[3]), one_by_one=sys.argv[4] == "alone")
run(settings, lambda address: print(address, flush=True))
"""


def documents(passages: int) -> Iterator[Document]:
    """Wikipedia in file order, until there are so many passages."""
    splitter, found = Splitter(), 0
    for record in wikipedia():
        found += len(splitter.split(record["text"]))
        yield Document(record["id"], record["title"], record["text"])
        if found >= passages:
            return


def collection(args: argparse.Namespace) -> Path:
    """The collection, made if it is not there."""
    directory = args.work / f"serve-{args.passages}"
    if not directory.exists():
        with open_writer(directory) as writer:
            add(writer, documents(args.passages), GivenVectors(find_model(args.model), 0))
    return directory


class Service(NamedTuple):
    host: str
    port: int
    process: int
    start_seconds: float

    def processor_seconds(self) -> float:
        """What the service has used of the processor so far, all cores added up; a busy machine changes it little."""
        values = Path(f"/proc/{self.process}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(values[11]) + int(values[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def service(directory: Path, args: argparse.Namespace, *, alone: bool = False, wait: float = 5) -> Iterator[Service]:
    """A service in a process of its own."""
    command = [sys.executable, "-c", START, str(directory), args.precision, str(wait), "alone" if alone else "batches"]
    started = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, encoding="utf-8")
    try:
        host, _, port = process.stdout.readline().strip().removeprefix("http://").partition(":")
        found = Service(host, int(port), process.pid, time.perf_counter() - started)
        while asyncio.run(once(found, "/readyz")) != 200:
            pass
        yield found._replace(start_seconds=time.perf_counter() - started)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(15)


async def once(to: Service, path: str) -> int:
    connection = await Connection.open(to)
    status, _ = await connection.send("GET", path)
    connection.close()
    return status


class Connection:
    """One connection that is kept alive."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    @classmethod
    async def open(cls, to: Service) -> Connection:
        return cls(*await asyncio.open_connection(to.host, to.port))

    async def send(self, method: str, path: str, body: bytes = b"") -> tuple[int, bytes]:
        """Status, and the body with the headers before it."""
        head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        self._writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        headers = await self._reader.readuntil(b"\r\n\r\n")
        length = int(headers.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        return int(headers.split(b" ", 2)[1]), headers + await self._reader.readexactly(length)

    def close(self) -> None:
        self._writer.close()


@dataclass
class Load:
    """What became of the requests."""

    seconds: float = 0.0
    processor_seconds: float = 0.0
    answered: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    without_retry: int = 0

    def take(self, status: int, answer: bytes, seconds: float) -> None:
        self.statuses[status] += 1
        if status == 200:
            self.answered.append(seconds)
        elif status in (429, 503):
            self.without_retry += b"retry-after" not in answer.lower()

    @property
    def rate(self) -> float:
        return len(self.answered) / self.seconds

    def __str__(self) -> str:
        p50, p99 = np.percentile(self.answered, [50, 99]) if self.answered else (0, 0)
        others = {status: count for status, count in self.statuses.items() if status != 200}
        told = f"   {others}, without Retry-After: {self.without_retry}" if others else ""
        if self.processor_seconds and self.answered:
            told = f"   processor {1000 * self.processor_seconds / len(self.answered):6.1f} ms each{told}"
        return f"{self.rate:8.1f}/s   p50 {1000 * p50:7.0f} ms   p99 {1000 * p99:7.0f} ms{told}"


async def closed(to: Service, path: str, bodies: list[bytes], connections: int, seconds: float) -> Load:
    """Each connection sends the next request once it has its answer."""
    load, sent = Load(), itertools.cycle(bodies)
    until = time.perf_counter() + seconds

    async def work() -> None:
        connection = await Connection.open(to)
        while (begun := time.perf_counter()) < until:
            load.take(*await connection.send("POST", path, next(sent)), time.perf_counter() - begun)
        connection.close()

    started, used = time.perf_counter(), to.processor_seconds()
    await asyncio.gather(*(work() for _ in range(connections)))
    load.seconds, load.processor_seconds = time.perf_counter() - started, to.processor_seconds() - used
    return load


async def paced(to: Service, path: str, bodies: list[bytes], rate: float, seconds: float) -> Load:
    """Requests at a constant rate, timed from when they should have been sent."""
    load, sent, idle = Load(), itertools.cycle(bodies), []

    async def one(due: float) -> None:
        connection = idle.pop() if idle else await Connection.open(to)
        load.take(*await connection.send("POST", path, next(sent)), time.perf_counter() - due)
        idle.append(connection)

    started = time.perf_counter()
    tasks = []
    for number in range(int(rate * seconds)):
        due = started + number / rate
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        tasks.append(asyncio.create_task(one(due)))
    await asyncio.gather(*tasks)
    load.seconds = time.perf_counter() - started
    for connection in idle:
        connection.close()
    return load


def bodies(count: int, **more: object) -> list[bytes]:
    """Questions of SQuAD as requests."""
    asked = [record["question"] for record in questions("squad", "report")[:count]]
    return [json.dumps({"question": question, **more}).encode() for question in asked]


def throughput(directory: Path, args: argparse.Namespace) -> dict[str, float]:
    """Closed loops; returns the capacity of each kind."""
    kinds = {
        "search bm25, k 10": ("/v1/search", bodies(400, k=10, retriever="bm25")),
        "search dense, k 10": ("/v1/search", bodies(400, k=10, retriever="dense")),
        "search hybrid, k 10": ("/v1/search", bodies(400, k=10)),
        "ask hybrid, k 20": ("/v1/ask", bodies(100, k=20)),
    }
    capacity = {}
    for alone in (True, False):
        with service(directory, args, alone=alone, wait=60) as to:
            memory = asyncio.run(metric(to, "process_resident_memory_bytes")) / 1e6
            print(f"\n{'one by one' if alone else 'in batches'}: ready after {to.start_seconds:.1f} s", end="")
            print(f" ({to.processor_seconds():.1f} s of processor), {memory:.0f} MB")
            for name, (path, sent) in kinds.items():
                for connections in (16,) if alone else (1, 4, 16):
                    load = asyncio.run(closed(to, path, sent, connections, args.seconds))
                    print(f"{name:20} {connections:3} connections {load}", flush=True)
                    capacity[name] = load.rate
            print(f"memory after that: {asyncio.run(metric(to, 'process_resident_memory_bytes')) / 1e6:.0f} MB")
    return capacity


async def metric(to: Service, name: str) -> float:
    connection = await Connection.open(to)
    _, answer = await connection.send("GET", "/metrics")
    connection.close()
    return float(next(line.split()[1] for line in answer.decode().splitlines() if line.startswith(f"{name} ")))


def overload(directory: Path, args: argparse.Namespace, path: str, sent: list[bytes], capacity: float) -> None:
    """80 % of the capacity, then 200 %, then whether single questions are answered as before."""
    with service(directory, args) as to:
        usual = asyncio.run(paced(to, path, sent, 0.8 * capacity, args.long_seconds))
        print(f" 80 % of capacity, {args.long_seconds:.0f} s {usual}", flush=True)
        short = args.long_seconds / 3
        print(f"200 %, {short:.0f} s             {asyncio.run(paced(to, path, sent, 2 * capacity, short))}")
        started, limit = time.perf_counter(), 2 * float(np.percentile(usual.answered, 50))
        while True:
            load = asyncio.run(closed(to, path, sent, 1, 0.2))
            if load.answered and load.answered[-1] <= limit and not set(load.statuses) - {200}:
                break
        print(f"recovered after {time.perf_counter() - started:.1f} s (answers within {1000 * limit:.0f} ms again)")


def haystack(directory: Path, sent: list[bytes]) -> None:
    """Haystack's BM25 in memory, over the same passages, called in this process: no HTTP."""
    from haystack import Document as HaystackDocument
    from haystack.components.retrievers.in_memory import InMemoryBM25Retriever
    from haystack.document_stores.in_memory import InMemoryDocumentStore

    store = InMemoryDocumentStore()
    with open_collection(directory) as opened:
        started = time.perf_counter()
        store.write_documents([HaystackDocument(content=f"{p.title}\n{p.text}") for p in opened.passages_after(0)])
        print(f"\nHaystack: {store.count_documents():,} passages written in {time.perf_counter() - started:.1f} s")
    retriever = InMemoryBM25Retriever(store, top_k=10)
    load = Load()
    started = time.perf_counter()
    for body in itertools.islice(itertools.cycle(sent), 1_000):
        begun = time.perf_counter()
        retriever.run(query=json.loads(body)["question"])
        load.take(200, b"", time.perf_counter() - begun)
        if time.perf_counter() - started > 20:
            break
    load.seconds = time.perf_counter() - started
    print(f"{'Haystack BM25, k 10':20}   1 caller      {load}")


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--passages", type=int, default=100_000)
    parser.add_argument("--precision", default="fp32")
    parser.add_argument("--seconds", type=float, default=8, help="of each closed loop")
    parser.add_argument("--long-seconds", type=float, default=60, help="at 80 %% of the capacity")
    parser.add_argument("--haystack", action="store_true")
    args = parser.parse_args()
    directory = collection(args)
    with open_collection(directory) as opened:
        print(json.dumps({"machine": describe(), **opened.counts(), "precision": args.precision}))
    capacity = throughput(directory, args)
    for name, path, sent in (
        ("search hybrid, k 10", "/v1/search", bodies(400, k=10)),
        ("ask hybrid, k 20", "/v1/ask", bodies(100, k=20)),
    ):
        print(f"\n{name}, capacity {capacity[name]:.1f}/s")
        overload(directory, args, path, sent, capacity[name])
    if args.haystack:
        haystack(directory, bodies(400))


if __name__ == "__main__":
    main()
