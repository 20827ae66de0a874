"""Encoding on a Ray cluster: workers turn chunks of passages into vectors, the one writer stores them.

Ray places workers and notices when one is lost; nothing here keeps a membership of its own. The driver, which is the
process that holds the collection open for writing, hands out chunks that are cut by passage number and takes vectors
back, so that no file system is shared and an interrupted run goes on. The model travels with the work.

Ray runs any code that reaches its ports: use it in a closed network, with TLS (`RAY_USE_TLS`).
"""

from __future__ import annotations

import logging
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import ray
from ray import ObjectRef
from ray.actor import ActorHandle
from ray.exceptions import RayActorError, RayTaskError

from opendpr import __version__
from opendpr.cluster.connection import START_SECONDS, named_node
from opendpr.errors import BusyError, OpendprError, StateError
from opendpr.model.directory import Model
from opendpr.model.encoder import BertEncoder, EncodedPassages
from opendpr.model.runtime import RuntimeSettings, resolved
from opendpr.types import Passage

logger = logging.getLogger(__name__)

CHUNKS_AHEAD = 2
"""Chunks that a worker holds: one that it computes and one that waits, so that none waits for the network."""
FAILED_STARTS = 3
"""Times a worker may be lost before any chunk was finished in between, for each worker asked for."""
Chunk = list[Passage]


class Worker(NamedTuple):
    """What a worker says of itself."""

    node: str
    """Name and process of its machine."""
    version: str
    fingerprint: str
    made_by: str


class PassageWorker:
    """Runs in a process of the cluster: holds the encoder and encodes chunks.

    Args:
        files: the model's directory, as file contents by relative path
        runtime: with nothing left to choose, so that all workers run the same
    """

    def __init__(self, files: Mapping[str, bytes], runtime: RuntimeSettings) -> None:
        self._folder = TemporaryDirectory(prefix="opendpr-model-")
        for name, content in files.items():
            path = Path(self._folder.name) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        self._encoder = BertEncoder(Model(Path(self._folder.name)), runtime)

    def describe(self) -> Worker:
        """Where the worker runs, and what it makes."""
        return Worker(named_node(), __version__, self._encoder.model.fingerprint, self._encoder.made_by)

    def encode(self, passages: Chunk) -> EncodedPassages:
        """The vectors of a chunk."""
        return self._encoder.encode(passages)


class RayEncoder:
    """A `ChunkEncoder` whose networks run on a cluster.

    Args:
        runtime: `auto` takes GPUs if the cluster has any
        workers: processes that encode; one a GPU, or one a machine, if it is None

    Raises:
        CorruptionError: the files of the encoder are not those of the model's fingerprint.
        StateError: the cluster does not have the device.
    """

    def __init__(
        self, model: Model, runtime: RuntimeSettings = RuntimeSettings(), *, workers: int | None = None
    ) -> None:
        model.verify_encoder()  # here, where its directory is known
        self.model = model
        self.dim = model.require_encoder().dim
        resources = ray.cluster_resources()
        gpus = int(resources.get("GPU", 0))
        if runtime.device == "cuda" and not gpus:
            raise StateError(f"no machine of the cluster offers a GPU, it offers {_shown(resources)}; use device cpu")
        self._on_gpus = bool(gpus) and runtime.device != "cpu" and runtime.runtime != "openvino"
        self.runtime = _concrete(runtime) if self._on_gpus else resolved(runtime)
        self.workers = workers or gpus * self._on_gpus or sum(node["Alive"] for node in ray.nodes())
        self.passages_by_node: Counter[str] = Counter()
        """Passages that each machine encoded."""
        self.refused: list[str] = []
        """Workers that were not used, and why."""

    @property
    def made_by(self) -> str:
        return str(self.runtime)

    def encode_chunks(
        self, chunks: Iterable[Chunk], on_progress: Callable[[int], None] = lambda done: None
    ) -> Iterator[tuple[Chunk, EncodedPassages]]:
        """Each chunk with its vectors, in the order in which workers finish them.

        A lost worker's chunks go to others, and another worker takes its place where the cluster has room.

        Raises:
            BusyError: no worker is left and none came in time; what was yielded is done.
            OpendprError: a worker cannot run here.
        """
        crew = _Crew(self, chunks)
        try:
            yield from crew.work(on_progress)
        finally:
            crew.dismiss()

    def accepts(self, worker: Worker) -> str | None:
        """None, or why this worker's vectors would not be those of the others."""
        wanted = (("opendpr", __version__, worker.version), ("model", self.model.fingerprint, worker.fingerprint))
        for name, expected, worker_value in (*wanted, ("runtime", self.made_by, worker.made_by)):
            if expected != worker_value:
                return f"{worker.node} has {name} {worker_value}, expected {expected}"
        return None

    def start_worker(self, files: ObjectRef) -> ActorHandle:
        """Ask the cluster for a worker, which comes when there is room."""
        actor = ray.remote(PassageWorker).options(
            num_cpus=1, num_gpus=int(self._on_gpus), max_restarts=0, scheduling_strategy="SPREAD"
        )
        return actor.remote(files, self.runtime)


@dataclass
class _Crew:
    """The workers of one run and what each has in hand."""

    encoder: RayEncoder
    source: Iterable[Chunk]
    nodes: dict[ActorHandle, str] = field(default_factory=dict)
    """The machine that each worker runs on."""
    starting: dict[ObjectRef, ActorHandle] = field(default_factory=dict)
    """Workers that are not ready yet, by the reference to their description."""
    running: dict[ObjectRef, tuple[ActorHandle, Chunk]] = field(default_factory=dict)
    """Worker and chunk, by the reference to the vectors that are to come."""
    returned: deque[Chunk] = field(default_factory=deque)
    """Chunks of lost workers."""
    lost: int = 0
    """Workers lost since a chunk was finished."""

    def work(self, on_progress: Callable[[int], None]) -> Iterator[tuple[Chunk, EncodedPassages]]:
        chunks, done = iter(self.source), 0
        first = next(chunks, None)
        if first is None:
            return  # nothing to encode: no worker is asked for
        self.returned.append(first)
        self._files = ray.put(_files(self.encoder.model))
        for _ in range(self.encoder.workers):
            self._start()
        while self._hand_out(chunks) or self.running:
            for chunk, encoded in self._collect():
                self.lost, done = 0, done + len(chunk)
                on_progress(done)
                yield chunk, encoded

    def dismiss(self) -> None:
        """End the workers."""
        for worker in (*self.nodes, *self.starting.values()):
            ray.kill(worker)

    def _start(self) -> None:
        worker = self.encoder.start_worker(self._files)
        self.starting[worker.describe.remote()] = worker

    def _hand_out(self, chunks: Iterator[Chunk]) -> bool:
        """Give chunks to workers that have room; whether any chunk is waiting for a worker."""
        load = Counter(worker for worker, _ in self.running.values())
        for _ in range(CHUNKS_AHEAD):
            for worker in self.nodes:
                if load[worker] >= CHUNKS_AHEAD:
                    continue
                chunk = self.returned.popleft() if self.returned else next(chunks, None)
                if chunk is None:
                    return False
                self.running[worker.encode.remote(chunk)] = worker, chunk
                load[worker] += 1
        return bool(self.returned) or not self.nodes

    def _collect(self) -> Iterator[tuple[Chunk, EncodedPassages]]:
        """What is finished next; workers that came and went are noted."""
        ready, _ = ray.wait([*self.running, *self.starting], timeout=None if self.running else START_SECONDS)
        if not ready:
            total, free = _shown(ray.cluster_resources()), _shown(ray.available_resources())
            raise BusyError(
                f"no worker was started within {START_SECONDS:.0f} s; the cluster has {total}, of which {free} are "
                "free; what was encoded is kept, and the same command goes on"
            )
        for reference in ready:
            if reference in self.starting:
                self._welcome(reference)
            elif finished := self._finished(reference):
                yield finished

    def _welcome(self, reference: ObjectRef) -> None:
        worker = self.starting.pop(reference)
        try:
            described = Worker(*ray.get(reference))
        except RayActorError as error:
            self._replace(worker, error)
            return
        if reason := self.encoder.accepts(described):
            ray.kill(worker)
            self.encoder.refused.append(reason)
            if not (self.nodes or self.starting):
                raise StateError(f"no worker can be used: {'; '.join(self.encoder.refused)}")
            return
        self.nodes[worker] = described.node

    def _finished(self, reference: ObjectRef) -> tuple[Chunk, EncodedPassages] | None:
        worker, chunk = self.running.pop(reference)
        try:
            encoded = EncodedPassages(*ray.get(reference))
        except RayActorError as error:
            self.returned.append(chunk)
            if worker in self.nodes:  # else it was replaced for another chunk that it held
                logger.warning("lost the worker on %s; its chunks go to others", self.nodes[worker])
                self._replace(worker, error)
            return None
        except RayTaskError as error:
            raise OpendprError(
                f"the worker on {self.nodes[worker]} failed: {error.cause}; mend that there, and run the same command "
                "again: it goes on"
            ) from error
        self.encoder.passages_by_node[self.nodes[worker]] += len(chunk)
        return chunk, encoded

    def _replace(self, worker: ActorHandle, error: RayActorError) -> None:
        self.nodes.pop(worker, None)
        self.lost += 1
        if self.lost > FAILED_STARTS * self.encoder.workers:
            raise OpendprError(
                f"workers are lost as soon as they start; each machine needs opendpr {__version__} with the same "
                f"model and memory for it. The last one: {error}"
            ) from error
        self._start()


def _concrete(runtime: RuntimeSettings) -> RuntimeSettings:
    """The settings of a worker with a GPU, whatever the driver has."""
    return RuntimeSettings("torch", "fp32" if runtime.precision == "auto" else runtime.precision, "cuda")


def _files(model: Model) -> dict[str, bytes]:
    """What of a model a worker needs: all but its reader."""
    directory, reader = model.directory, model.weights_path("reader")
    kept = sorted(path for path in directory.rglob("*") if path.is_file() and path != reader)
    return {path.relative_to(directory).as_posix(): path.read_bytes() for path in kept}


def _shown(resources: Mapping[str, float]) -> str:
    return ", ".join(f"{resources.get(name, 0):g} {name}" for name in ("CPU", "GPU"))
