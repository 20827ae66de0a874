"""`opendpr serve --on` in the namespace of a cluster, requests to it, and the processes of its replicas."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import psutil

import asking_client
from opendpr.collection.set_manifest import read_manifest
from ray_cluster import PORT, RayCluster

QUESTIONS = ("lo1 ri2", "sum3 ama4 con9 document7", "dol5")
FILTER = "path like '%1%'"
SEARCHES = [
    {"question": question, "retriever": retriever, "k": 12, **where}
    for question in QUESTIONS
    for retriever in ("dense", "bm25", "hybrid")
    for where in ({}, {"where": FILTER})
]
COUNTING = f"""
import sys, ray
from opendpr.cluster.members import living_replicas
ray.init("127.0.0.1:{PORT}", logging_level="ERROR")
for line in sys.stdin:
    print(living_replicas(line.strip()), flush=True)
"""


class ServedSet:
    """A running `opendpr serve --on` in the namespace of a cluster."""

    def __init__(self, cluster: RayCluster, directory: Path, *options: object) -> None:
        self.directory, self._cluster = directory, cluster
        self.requests = 0
        arguments = ("serve", directory, "--port", 0, "--on", f"127.0.0.1:{PORT}", *options)
        command = cluster.namespace.inside([sys.executable, "-m", "opendpr", *arguments])
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, encoding="utf-8")
        self.log: list[str] = []
        self._is_listening = threading.Event()
        self._reading = threading.Thread(target=self._read, daemon=True)
        self._reading.start()
        self._is_listening.wait()
        assert self.process.poll() is None, "".join(self.log)
        port = re.search(r":(\d+)$", self.log[-1].strip())
        assert port, "".join(self.log)
        self._asking = self._lines(asking_client.__file__, port[1])
        self._counting = self._lines("-c", COUNTING)

    def _lines(self, *arguments: str) -> subprocess.Popen[str]:
        """A program in the namespace that answers each line with one."""
        command = self._cluster.namespace.inside([sys.executable, *arguments])
        return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8")

    def _read(self) -> None:
        assert self.process.stderr
        for line in self.process.stderr:
            self.log.append(line)
            if "is served at" in line:
                self._is_listening.set()
        self._is_listening.set()

    def ask(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        self.requests += 1
        status, answer = json.loads(exchanged(self._asking, json.dumps([method, path, body])))
        return status, answer

    def living(self, member: str) -> int:
        """The replicas of a member that can be asked."""
        return int(exchanged(self._counting, self.application(member)))

    def application(self, member: str) -> str:
        """What Ray Serve calls a member."""
        return f"opendpr-{read_manifest(self.directory).set_id}-{member}"

    def searched(self) -> list[object]:
        answers = [self.ask("POST", "/v1/search", search) for search in SEARCHES]
        assert {status for status, _ in answers} == {200}, answers
        return [answer["passages"] for _, answer in answers]

    def replicas(self, member: str) -> list[psutil.Process]:
        """The processes that serve a member of this set."""
        name = f"ServeReplica:{self.application(member)}:"
        nodes = [psutil.Process(node.pid) for node in (self._cluster.head, *self._cluster.nodes)]
        processes = [process for node in nodes for process in node.children(recursive=True)]
        return [process for process in processes if name in command_of(process)]

    def stop(self, number: int) -> int:
        self.process.send_signal(number)
        code = self.process.wait()
        self._reading.join()
        for program in (self._asking, self._counting):
            program.kill()
            program.communicate()
        assert self.process.stderr
        self.process.stderr.close()
        return code


def exchanged(program: subprocess.Popen[str], line: str) -> str:
    """What a program answers to a line."""
    assert program.stdin
    assert program.stdout
    print(line, file=program.stdin, flush=True)
    return program.stdout.readline()


def command_of(process: psutil.Process) -> str:
    """The command line of a process; empty of one that is gone."""
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""
