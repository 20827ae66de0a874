"""Members of a set behind a wire: what is sent to them and comes back is pickled, as between processes."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

from opendpr.collection.collection_set import CollectionSet
from opendpr.collection.members import Request, Send
from opendpr.collection.remote import RemoteMember
from opendpr.collection.set_manifest import read_manifest
from opendpr.search.opened_member import OpenedMember


def wire(member: OpenedMember) -> Send:
    """What carries requests to an opened member."""

    def send(request: Request) -> Callable[[], Any]:
        sent = pickle.dumps(request)
        return lambda: pickle.loads(pickle.dumps(member.run(pickle.loads(sent))))

    return send


def open_wired(directory: Path) -> CollectionSet:
    """A set, each member of which is behind a wire."""
    manifest = read_manifest(directory)
    members = {
        place: RemoteMember(path, wire(OpenedMember(path, id)))
        for place, (path, id) in enumerate(zip(manifest.directories(directory), manifest.members, strict=True))
    }
    return CollectionSet(directory, manifest, members)
