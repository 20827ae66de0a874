"""The service under load, on loopback: `opendpr serve` over 100,000 passages of Wikipedia.

The vectors are random (a search scans all of them whatever they are), words and reading are real. Load comes from
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
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np

from experiments.common.command import command_line, parse, require
from experiments.common.report import Report
from experiments.common.synthetic import given_encoder
from opendpr.collection import open_collection, open_writer
from opendpr.maintenance.add import add_documents
from opendpr.model.directory import find_model

START_SCRIPT = """
import sys
from pathlib import Path
from opendpr.model.runtime import RuntimeSettings
from opendpr.serving.settings import Settings
from opendpr.serving.uvicorn import run
settings = Settings(Path(sys.argv[1]), runtime=RuntimeSettings(precision=sys.argv[2]), port=0,
    most_seconds=float(sys.argv[3]), one_by_one=sys.argv[4] == "alone")
run(settings, lambda address: print(address, flush=True))
"""


def build_collection(args: argparse.Namespace) -> Path:
    """The collection, made once."""
    directory: Path = args.work / f"serve-{args.passages}"
    if not directory.exists():
        with open_writer(directory) as writer:
            add_documents(writer, args.data.documents(args.passages), given_encoder(find_model(args.model), 0))
    return directory


class Service(NamedTuple):
    """A service that runs."""

    host: str
    port: int
    process: int
    start_seconds: float

    def processor_seconds(self) -> float:
        """Seconds of all cores that the service has used so far; a busy machine changes them little."""
        values = Path(f"/proc/{self.process}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(values[11]) + int(values[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def service(directory: Path, args: argparse.Namespace, *, alone: bool = False, wait: float = 5) -> Iterator[Service]:
    """A service in a process of its own."""
    command = [
        sys.executable,
        "-c",
        START_SCRIPT,
        str(directory),
        args.precision,
        str(wait),
        "alone" if alone else "batches",
    ]
    started = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, encoding="utf-8")
    assert process.stdout
    try:
        host, _, port = process.stdout.readline().strip().removeprefix("http://").partition(":")
        started_service = Service(host, int(port), process.pid, time.perf_counter() - started)
        while asyncio.run(once(started_service, "/readyz")) != 200:
            pass
        yield started_service._replace(start_seconds=time.perf_counter() - started)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(15)
        process.stdout.close()


async def once(to: Service, path: str) -> int:
    """Status of a single GET."""
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
        """Connect."""
        return cls(*await asyncio.open_connection(to.host, to.port))

    async def send(self, method: str, path: str, body: bytes = b"") -> tuple[int, bytes]:
        """Status, and the body with the headers before it."""
        head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        self._writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        headers = await self._reader.readuntil(b"\r\n\r\n")
        length = int(headers.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        return int(headers.split(b" ", 2)[1]), headers + await self._reader.readexactly(length)

    def close(self) -> None:
        """End the connection."""
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
        """Count a response."""
        self.statuses[status] += 1
        if status == 200:
            self.answered.append(seconds)
        elif status in (429, 503):
            self.without_retry += b"retry-after" not in answer.lower()

    def add_to(self, report: Report, name: str) -> None:
        """Report the rate, the latencies and what was refused."""
        p50, p99 = np.percentile(self.answered, [50, 99]) if self.answered else (0.0, 0.0)
        rate = len(self.answered) / self.seconds
        report.add(f"{name}/rate", rate, "/s")
        report.add(f"{name}/p50", 1000 * float(p50), "ms")
        report.add(f"{name}/p99", 1000 * float(p99), "ms")
        refused = sum(count for status, count in self.statuses.items() if status != 200)
        report.add(f"{name}/refused", refused)
        report.add(f"{name}/refused without Retry-After", self.without_retry)
        if self.processor_seconds and self.answered:
            report.add(f"{name}/processor", 1000 * self.processor_seconds / len(self.answered), "ms")
        print(f"{name:44} {rate:8.1f}/s   p50 {1000 * p50:7.0f} ms   p99 {1000 * p99:7.0f} ms   refused {refused}")


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
    load, sent, idle = Load(), itertools.cycle(bodies), list[Connection]()

    async def send(due: float) -> None:
        connection = idle.pop() if idle else await Connection.open(to)
        status, answer = await connection.send("POST", path, next(sent))
        load.take(status, answer, time.perf_counter() - due)
        idle.append(connection)

    started = time.perf_counter()
    tasks = []
    for number in range(int(rate * seconds)):
        due = started + number / rate
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        tasks.append(asyncio.create_task(send(due)))
    await asyncio.gather(*tasks)
    load.seconds = time.perf_counter() - started
    for connection in idle:
        connection.close()
    return load


def bodies(args: argparse.Namespace, count: int, **more: object) -> list[bytes]:
    """Questions of SQuAD as requests."""
    questions = [record["question"] for record in args.data.questions("squad", "report")[:count]]
    return [json.dumps({"question": question, **more}).encode() for question in questions]


def kinds(args: argparse.Namespace) -> dict[str, tuple[str, list[bytes]]]:
    """Path and requests of each kind of question."""
    return {
        "search bm25": ("/v1/search", bodies(args, 400, k=10, retriever="bm25")),
        "search dense": ("/v1/search", bodies(args, 400, k=10, retriever="dense")),
        "search hybrid": ("/v1/search", bodies(args, 400, k=10)),
        "ask hybrid": ("/v1/ask", bodies(args, 100, k=20)),
    }


def throughput(report: Report, directory: Path, args: argparse.Namespace) -> None:
    """Closed loops: questions one by one, then in batches."""
    rates: dict[tuple[str, str], float] = {}
    for alone in (True, False):
        way = "one by one" if alone else "batches"
        with service(directory, args, alone=alone, wait=60) as to:
            report.add(f"{way}/ready", to.start_seconds, "s")
            report.add(f"{way}/memory at start", asyncio.run(metric(to, "process_resident_memory_bytes")) / 1e6, "MB")
            for name, (path, sent) in kinds(args).items():
                for connections in args.connections[-1:] if alone else args.connections:
                    load = asyncio.run(closed(to, path, sent, connections, args.seconds))
                    load.add_to(report, f"{way}/{name}/{connections}")
                    rates[way, name] = len(load.answered) / load.seconds
            report.add(f"{way}/memory", asyncio.run(metric(to, "process_resident_memory_bytes")) / 1e6, "MB")
    for name in kinds(args):
        if alone_rate := rates["one by one", name]:
            report.add(f"gain/{name}", rates["batches", name] / alone_rate)


async def metric(to: Service, name: str) -> float:
    """A value of `/metrics`."""
    connection = await Connection.open(to)
    _, answer = await connection.send("GET", "/metrics")
    connection.close()
    return float(next(line.split()[1] for line in answer.decode().splitlines() if line.startswith(f"{name} ")))


def overload(report: Report, directory: Path, name: str, args: argparse.Namespace) -> None:
    """80 % of the capacity, then 200 %, then how long it takes until single questions are answered as before."""
    path, sent = kinds(args)[name]
    capacity = report.value(f"batches/{name}/{args.connections[-1]}/rate")
    with service(directory, args) as to:
        usual = asyncio.run(paced(to, path, sent, 0.8 * capacity, args.long_seconds))
        usual.add_to(report, f"80 %/{name}")
        asyncio.run(paced(to, path, sent, 2 * capacity, args.long_seconds / 3)).add_to(report, f"200 %/{name}")
        started, limit = time.perf_counter(), 2 * float(np.percentile(usual.answered, 50))
        while True:
            load = asyncio.run(closed(to, path, sent, 1, 0.2))
            if load.answered and load.answered[-1] <= limit and not set(load.statuses) - {200}:
                break
        report.add(f"recovered/{name}", time.perf_counter() - started, "s")


def measure_haystack(report: Report, directory: Path, sent: Sequence[bytes]) -> None:
    """Haystack's BM25 in memory over the same passages, called in this process: no HTTP."""
    from experiments.peers.haystack import HaystackWords

    with open_collection(directory) as collection:
        peer = HaystackWords([f"{p.title}\n{p.text}" for p in collection.passages_after(0)])
    load, started = Load(), time.perf_counter()
    for body in itertools.islice(itertools.cycle(sent), 1_000):
        begun = time.perf_counter()
        peer.search(json.loads(body)["question"])
        load.take(200, b"", time.perf_counter() - begun)
        if time.perf_counter() - started > 20:
            break
    load.seconds = time.perf_counter() - started
    load.add_to(report, "Haystack")


def main(arguments: Sequence[str] | None = None) -> None:
    parser = command_line(__doc__, precision="fp32")
    parser.add_argument("--passages", type=int, default=100_000)
    parser.add_argument("--connections", type=int, nargs="+", default=[1, 4, 16])
    parser.add_argument("--seconds", type=float, default=8, help="of each closed loop")
    parser.add_argument("--long-seconds", type=float, default=60, help="at 80 %% of the capacity; 0 leaves it out")
    parser.add_argument("--haystack", action="store_true")
    args = parse(parser, arguments, passages=50, connections=[2], seconds=0.05, long_seconds=0)
    require("uvicorn", "'.[serve]'")
    directory = build_collection(args)
    with open_collection(directory) as collection:
        report = Report(args, **collection.counts())
    throughput(report, directory, args)
    for name in ("search hybrid", "ask hybrid") if args.long_seconds else ():
        overload(report, directory, name, args)
    if args.haystack:
        require("haystack", "haystack-ai")
        measure_haystack(report, directory, bodies(args, 400))
    report.write()


if __name__ == "__main__":
    main()
