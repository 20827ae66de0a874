"""How a service is run, in a form that its worker processes are handed."""

from __future__ import annotations

import ipaddress
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

from opendpr.collection.set_manifest import is_set
from opendpr.errors import UsageError
from opendpr.model.runtime import RuntimeSettings
from opendpr.search.settings import EngineSettings, SearchSettings
from opendpr.serving.tokens import Token

SETTINGS_VARIABLE = "OPENDPR_SERVE_SETTINGS"
"""Environment variable that hands the settings to a worker process."""


@dataclass(frozen=True)
class Settings:
    """All settings of `opendpr serve`."""

    collection: Path
    model: str | None = None
    runtime: RuntimeSettings = field(default_factory=RuntimeSettings)
    host: str = "127.0.0.1"
    port: int = 8000
    workers: int = 1
    writable: bool = False
    judgements: bool = False
    """Whether answers can be judged where documents cannot be changed."""
    tokens: tuple[Token, ...] = ()
    hosts: tuple[str, ...] = ()
    """Host names that requests may use, besides localhost and IP addresses."""
    requests_per_second: float = 0.0
    """Requests a second that one client may send; 0 means no limit."""
    most_seconds: float = 5.0
    """A question that would wait longer is refused."""
    engine: EngineSettings | None = None
    """Finds candidates by vectors; None means what lies beside the collection."""
    allow_partial: bool = False
    """Search a set without the members that are not there, and name them."""
    on_cluster: bool = False
    """Whether the members of the set are read and searched through their replicas on the connected cluster."""
    name: str = ""
    """What people call the collection, as the folder that it was made of; empty is the name of its directory."""
    is_partial: bool = False
    """Whether passages may lack a vector, as those of a folder do: they get it while questions are answered."""
    one_by_one: bool = False
    """Process each question alone, to measure what batches gain."""

    def __post_init__(self) -> None:
        if not is_loopback(self.host) and not self.tokens:
            raise UsageError(
                f"{self.host} can be reached from other machines, and no token is set; set OPENDPR_TOKEN or "
                "--token-file, or serve 127.0.0.1"
            )
        if self.writable and self.workers > 1:
            raise UsageError(
                f"--writable needs one worker, got {self.workers}; serve the collection twice, once with --writable "
                "for writing: what it changes the other takes up"
            )

        if self.on_cluster:
            self._refuse_on_cluster()

    def _refuse_on_cluster(self) -> None:
        """Raises UsageError for what needs the members on this machine, or the connection of another process."""
        refused = {"--writable": self.writable, "--index": self.engine, "--workers": self.workers > 1}
        if not is_set(self.collection):
            raise UsageError(
                f"--on serves the members of a set on a cluster, and {self.collection} is none; make one with 'opendpr "
                f"divide {self.collection} -o SET --parts N', or leave --on out"
            )
        if named := [option for option, is_given in refused.items() if is_given]:
            raise UsageError(
                f"--on reads a set from one process and does not go with {' and '.join(named)}; leave it out"
            )

    @property
    def search(self) -> SearchSettings:
        """How the collection is searched."""
        return SearchSettings(engine=self.engine, allow_partial=self.allow_partial)

    @property
    def takes_judgements(self) -> bool:
        """Whether what users say of answers is stored in the collection, which a set has no place for."""
        return self.judgements or (self.writable and not is_set(self.collection))

    @property
    def improving_refusal(self) -> str:
        """Why no model is made of judgements here; empty if one is."""
        if not self.writable:
            return (
                "this service changes no model; serve the collection with --writable, or let whoever keeps it run "
                f"'opendpr improve {self.shown_name}'"
            )
        if self.model or self.engine:
            option = "--model" if self.model else "--index"
            return (
                f"this service was started with {option}, so it would not answer with a model made here; serve the "
                f"collection without it, or let whoever keeps it run 'opendpr improve {self.shown_name}'"
            )
        return ""

    @property
    def shown_name(self) -> str:
        """What the page and the API call the collection."""
        return self.name or self.collection.resolve().name

    def to_json(self) -> str:
        """As text, for `from_json`; tokens as hashes only."""
        return json.dumps({**asdict(self), "collection": str(self.collection)})

    @classmethod
    def from_json(cls, text: str) -> Settings:
        """What `to_json` wrote."""
        values = json.loads(text)
        return cls(
            **{
                **values,
                "collection": Path(values["collection"]),
                "runtime": RuntimeSettings(**values["runtime"]),
                "tokens": tuple(Token(**token) for token in values["tokens"]),
                "hosts": tuple(values["hosts"]),
                "engine": values["engine"] and EngineSettings(**values["engine"]),
            }
        )


def is_loopback(host: str) -> bool:
    """Whether an address can be reached from this machine only."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
