"""The directory of a round: what state it was begun with, and which one a round may be written into."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from opendpr.collection.opening import is_collection
from opendpr.errors import StateError
from opendpr.improving.parts import Parts
from opendpr.improving.rounds import LOCK_FILE, STATE_FILE, places, read_state
from opendpr.interop import write_questions
from opendpr.model.directory import ROUND_FOLDER, Model
from opendpr.storage.atomic import make_directory, write_json
from opendpr.storage.digests import file_sha256


def round_state(version: list[object], base: Model, parts: Parts) -> dict[str, Any]:
    """What a round is made of: the collection's version, its model, and the judged questions of both parts."""
    return {
        "collection": version,
        "model": [base.fingerprint, file_sha256(base.directory / "config.json")],
        "questions": questions_state(parts),
    }


def questions_state(parts: Parts) -> list[str]:
    """A digest of the judged questions of each part."""
    with TemporaryDirectory(prefix="opendpr-improve-") as folder:
        paths = [Path(folder) / f"{name}.jsonl" for name in parts._fields]
        for path, questions in zip(paths, parts, strict=True):
            write_questions(path, questions, "jsonl")
        return [file_sha256(path) for path in paths]


def free_directory(collection: Path, state: dict[str, Any]) -> Path:
    """The first directory beside a collection that is not there yet, or holds a round of the same state.

    That round goes on where it was interrupted; where it is finished, its result is there to be applied. After more
    judgements, another model or changed documents the state is another one, and the round gets the next directory.

    Raises:
        CorruptionError: the state of a round before is not readable.
    """
    return next(path for path in places(collection) if not path.exists() or read_state(path) == state)


def begin_round(output: Path, state: dict[str, Any], parts: Parts) -> None:
    """Write state and questions of a round, or see that an interrupted one has the same; nothing is made before.

    Raises:
        StateError: the round has another state, or the directory holds something else.
        CorruptionError: the round's state is not readable.
    """
    _refuse_other_content(output)
    before = read_state(output)
    if before is not None and (other := [name for name in state if before.get(name) != state[name]]):
        raise StateError(
            f"{output} was begun with another state of: {', '.join(other)}; give another -o, or remove it to begin "
            "again"
        )
    work = output / ROUND_FOLDER
    make_directory(work)
    write_json(work / STATE_FILE, state)
    for name, questions in parts._asdict().items():
        write_questions(work / f"{name}.jsonl", questions, "jsonl")


def _refuse_other_content(output: Path) -> None:
    """Raises StateError if something is there that is no round."""
    if not output.exists() or (output / ROUND_FOLDER / STATE_FILE).is_file():
        return
    if not output.is_dir():
        what = "is a file"
    elif is_collection(output):
        what = "is a collection"
    elif (output / "config.json").exists():
        what = "holds a model already"
    elif any(
        path.is_file() and not (path.name.startswith(STATE_FILE) or path.name == LOCK_FILE)
        for path in output.rglob("*")
    ):
        what = "is not empty"
    else:
        return
    raise StateError(
        f"{output} {what}, expected a directory that is new or empty, or one of an interrupted round; give another -o"
    )
