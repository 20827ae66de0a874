"""The members of a set on a Ray cluster: Ray Serve places their replicas, watches and replaces them, and chooses one.

Each member is an application of its own, so that each has its own state. A replica opens the member at the same path
as the set has here, on a machine that offers the resource `SET/MEMBER` if any machine does, else on any. It refuses
another collection, and another version of opendpr. Functions are sent to replicas as `collection/members.py` says.

Ray runs any code that reaches its ports: use it in a closed network, with TLS (`RAY_USE_TLS`).
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from collections.abc import Collection as Container
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any

import ray
from ray import serve
from ray.exceptions import RayActorError, RayError, RayTaskError
from ray.serve.exceptions import RayServeException
from ray.serve.handle import DeploymentHandle, DeploymentResponse

from opendpr import __version__
from opendpr.cluster.connection import START_SECONDS, named_node
from opendpr.collection import Collection
from opendpr.collection.collection_set import CollectionSet
from opendpr.collection.members import Request
from opendpr.collection.opening import has_database
from opendpr.collection.remote import RemoteMember
from opendpr.collection.set_manifest import SetManifest, read_manifest
from opendpr.errors import BusyError, OpendprError, StateError
from opendpr.search.opened_member import OpenedMember
from opendpr.search.stored import RemovedError

logger = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
"""After which a request that was not answered makes one look whether any replica is left."""
ANSWER_SECONDS = 60.0
"""After which a request is given up that a living replica does not answer."""
CHECK_SECONDS = 1.0
"""Between two looks of Ray Serve at a replica."""
FAILED_STARTS = 3
"""Times that a replica may fail to start before the member counts as one that cannot be served."""
RESOURCE_SHARE = 0.001
"""How much of the resource that names a member a replica takes."""
MISSING_SECONDS = 30.0
"""After which a member without a replica is missing at the start, where it may be."""
WAIT_SECONDS = 0.2
"""Between two looks whether all replicas run."""
RUNNING, FAILED = "RUNNING", "DEPLOY_FAILED"


class MemberReplica:
    """Runs in a process of the cluster: holds a member open.

    Args:
        directory: of the member, on the machine of the replica
        collection_id: of the collection that the set was made with
        version: of opendpr where the set is served
        waits: if the member is not there, wait for it

    Raises:
        StateError: the member is not there, or it is not the one; or opendpr has another version.
    """

    def __init__(self, directory: str, collection_id: str, version: str, *, waits: bool) -> None:
        if version != __version__:
            raise StateError(f"{named_node()} has opendpr {__version__}, expected {version}; install that there")
        self._lock = Lock()
        # Ray Serve gives up what fails at its start, not what is slow.
        while waits and not has_database(Path(directory)):
            time.sleep(CHECK_SECONDS)
        try:
            self._member = OpenedMember(Path(directory), collection_id)
        except OpendprError as error:
            raise type(error)(f"{named_node()}: {error}") from None

    def run(self, request: Request) -> object:
        """What a function of the member returns; Ray Serve calls from several threads."""
        with self._lock:
            return self._member.run(request)

    def check_health(self) -> None:
        """Called by Ray Serve, which replaces a replica that raises."""
        self._member.file()


class ServedSet:
    """A set whose members are read through their replicas; a `Place` of `serving/places.py`.

    Args:
        directory: of the set; of its files `set.json` alone is needed here
        allow_partial: members without a living replica may be missing
    """

    def __init__(self, directory: Path, *, allow_partial: bool = False) -> None:
        self._directory, self._allow_partial = directory, allow_partial
        self._manifest = read_manifest(directory)
        self._replicas = {path: Replicas(path, self._manifest) for path in paths_of(directory, self._manifest)}

    def open(self) -> Collection:
        members, missing = dict[int, Collection](), list[BusyError]()
        for place, (path, replicas) in enumerate(self._replicas.items()):
            try:
                members[place] = RemoteMember(path, replicas.send)
            except BusyError as error:
                missing.append(error)
        if missing and not (self._allow_partial and members):
            raise missing[0]
        for reason in missing:
            logger.warning("%s: its share of the passages cannot be found", reason)
        return CollectionSet(self._directory, self._manifest, members)

    def identity(self, without: Container[str] = ()) -> object:
        """The members that have no living replica still, of those that had none."""
        return tuple(path.name for path, replicas in self._replicas.items() if path.name in without and not replicas)

    def has_lost_part(self, collection: Collection) -> bool:
        return self._allow_partial and not all(self._replicas[part.directory] for part in collection.parts)


class Replicas:
    """The replicas of a member; true if any can be asked.

    Args:
        path: of the member
    """

    def __init__(self, path: Path, manifest: SetManifest) -> None:
        self._path, self._application = path, application(manifest, path.name)
        self._handle: DeploymentHandle | None = None

    def __bool__(self) -> bool:
        with self._reached():
            return living_replicas(self._application) > 0

    def send(self, request: Request) -> Callable[[], Any]:
        """Send a request to one of them; see `collection.members.Send`."""
        response = self._sent(request)
        return lambda: self._answer(request, response)

    def _sent(self, request: Request) -> DeploymentResponse:
        with self._reached():
            if self._handle is None:
                self._handle = serve.get_app_handle(self._application).run
            return self._handle.remote(request)

    def _answer(self, request: Request, response: DeploymentResponse) -> object:
        until = time.monotonic() + ANSWER_SECONDS
        with self._reached():
            while True:
                try:
                    return response.result(timeout_s=LOOK_SECONDS)
                except RayTaskError:  # also one that is a TimeoutError: the function failed, it was not late
                    raise
                except TimeoutError:
                    if time.monotonic() > until or not self:
                        response.cancel()
                        raise self._unserved("no replica of it answers") from None
                except RayActorError:  # it died with the request, which reads alone: another one takes it
                    if time.monotonic() > until:
                        raise
                    response = self._sent(request)

    @contextmanager
    def _reached(self) -> Iterator[None]:
        """Errors in our words."""
        try:
            yield
        except RayTaskError as error:
            if isinstance(error.cause, (OpendprError, RemovedError)):
                raise error.cause from None
            raise
        except (RayError, RayServeException, ConnectionError, TimeoutError) as error:
            raise self._unserved(_last_line(str(error))) from None

    def _unserved(self, reason: str) -> BusyError:
        return BusyError(
            f"{self._path.name} of {self._path.parent} is not served on the cluster ({reason}); see to its machine, "
            "then try again"
        )


def paths_of(directory: Path, manifest: SetManifest) -> list[Path]:
    """Where the members of a set are, on each machine that has them."""
    return manifest.directories(directory.resolve())


def application(manifest: SetManifest, name: str) -> str:
    """What Ray Serve calls a member of a set."""
    return f"opendpr-{manifest.set_id}-{name}"


def living_replicas(application: str) -> int:
    """The replicas of a member that can be asked, as far as Ray Serve knows."""
    overview = serve.status().applications.get(application)
    deployments = overview.deployments.values() if overview else ()
    return sum(deployment.replica_states.get(RUNNING, 0) for deployment in deployments)


@contextmanager
def deployed(directory: Path, replicas: int, *, allow_partial: bool) -> Iterator[None]:
    """The members of a set, served by the connected cluster as long as the context lasts.

    What a killed process left of the same set is replaced: its replicas answer until the new ones do.

    Args:
        allow_partial: members may be missing

    Raises:
        BusyError: a member has no replica in time.
        OpendprError: a member cannot be served, for a reason that its machine says.
    """
    manifest = read_manifest(directory)
    names = {path.name: application(manifest, path.name) for path in paths_of(directory, manifest)}
    logging.getLogger("ray.serve").setLevel(logging.ERROR)
    serve.start(proxy_location="Disabled")
    try:
        targets = _targets(directory, manifest, replicas, waits=allow_partial)
        serve.run_many(targets, wait_for_applications_running=False)
        _wait_for(names, allow_partial=allow_partial)
        yield
    finally:
        try:
            for name in names.values():
                serve.delete(name)
        except (RayError, RayServeException, ConnectionError, TimeoutError) as error:
            logger.warning("replicas are left on the cluster (%s); the next start replaces them", error)


def _targets(directory: Path, manifest: SetManifest, replicas: int, *, waits: bool) -> list[serve.RunTarget]:
    resources, targets = ray.cluster_resources(), []
    for path, collection_id in zip(paths_of(directory, manifest), manifest.members, strict=True):
        resource = f"{path.parent.name}/{path.name}"
        deployment = serve.deployment(
            name="member",
            num_replicas=replicas,
            ray_actor_options={
                "num_cpus": 0,
                "resources": {resource: RESOURCE_SHARE} if resource in resources else {},
            },
            health_check_period_s=CHECK_SECONDS,
            graceful_shutdown_wait_loop_s=WAIT_SECONDS,
            max_constructor_retry_count=FAILED_STARTS,
            logging_config={"log_level": "WARNING", "enable_access_log": False},
        )(MemberReplica)
        target = deployment.bind(str(path), collection_id, __version__, waits=waits)
        targets.append(serve.RunTarget(target, name=application(manifest, path.name), route_prefix=None))
    return targets


def _wait_for(names: Mapping[str, str], *, allow_partial: bool) -> None:
    """Wait until all replicas run, or too long; raises as `deployed`."""
    until = time.monotonic() + (MISSING_SECONDS if allow_partial else START_SECONDS)
    while True:
        applications = serve.status().applications
        waiting = {name: applications[own] for name, own in names.items() if applications[own].status != RUNNING}
        if not any(overview.status != FAILED for overview in waiting.values()) or time.monotonic() > until:
            break
        time.sleep(WAIT_SECONDS)
    for name, overview in waiting.items():
        reason = "; ".join(deployment.message for deployment in overview.deployments.values()) or overview.message
        if not (allow_partial or living_replicas(names[name])):
            raise BusyError(f"{name} cannot be served: {_last_line(reason)}")
        logger.warning("%s has fewer replicas than wanted: %s", name, _last_line(reason))


def _last_line(text: str) -> str:
    """What of a message with a traceback says what is wrong."""
    return next(reversed(text.strip().splitlines()), "")
