"""`opendpr info`: what a collection holds and how it was made."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from typer import Option

from opendpr.cli.located import located
from opendpr.cli.options import AsJson, CollectionArgument
from opendpr.cli.output import next_step, print_json, put
from opendpr.cli.skipped import put_unread
from opendpr.wording import counted, readable_size

RECALL_QUESTION_WORDS = {"pieces": "each a few words of a passage", "vectors": "each the vector of a passage"}


def info(
    collection: CollectionArgument,
    index: Annotated[
        str | None,
        Option("--index", metavar="URL", help="Show what this engine has of it, too.", show_default=False),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show what COLLECTION holds and how it was made.

    \b
    Examples:
      opendpr info notes --json
      opendpr info wiki --index postgresql://search@db.example.org/opendpr
    """
    from opendpr.collection import open_collection
    from opendpr.collection.database import DATABASE
    from opendpr.collection.files import unread_files
    from opendpr.collection.opening import CACHE_DIRECTORIES
    from opendpr.collection.set_manifest import is_set
    from opendpr.maintenance.folder_caches import bytes_below
    from opendpr.search.bm25 import unseen_passages
    from opendpr.search.dense import dense_summary, unused_dense
    from opendpr.search.engine_index import engine_summary

    directory = located(collection, vectors=False, silent=as_json)
    with open_collection(directory) as opened:
        row, version = opened.encoder(), opened.version()
        record: dict[str, Any] = {
            "collection": str(collection),
            "directory": str(directory),
            "collection_id": opened.id,
            "format": int(opened.settings["format"]),
            "version": version.version,
            **opened.counts(),
            "not_in_bm25": unseen_passages(opened),
            "dense": dense_summary(opened.parts[0]),
            "unused_dense": unused_dense(opened.parts[0]),
            "engine": engine_summary(opened, index) if index else None,
            "splitter": opened.splitter.__dict__,
            "encoder": row._asdict() if row else None,
            "unread": [{"path": entry.file.path, "reason": entry.reason} for entry in unread_files(opened)],
            "bytes": sum((part.directory / DATABASE).stat().st_size for part in opened.parts),
            "cache_bytes": {
                name: sum(bytes_below(part.directory / name) for part in opened.parts) for name in CACHE_DIRECTORIES
            },
            "members": [
                {"directory": str(part.directory), **part.counts(), "dense": dense_summary(part)}
                for part in (opened.parts if is_set(directory) else ())
            ],
        }
    if as_json:
        print_json(record)
    else:
        _put(collection, record)


def _put(collection: Path, record: dict[str, Any]) -> None:
    """Print what a collection holds, in words."""
    encoder, splitter = record["encoder"], record["splitter"]
    put(f"{collection}: {counted(record['documents'], 'document')}, {counted(record['passages'], 'passage')}")
    if record["directory"] != str(collection):
        put(f"cached in {record['directory']}, in sync with {collection}; 'opendpr cache' lists and clears")
    if encoder:
        put(
            f"encoder: {encoder['model']}, {encoder['dim']} wide, fingerprint {encoder['fingerprint'][:12]}, made by "
            f"{encoder['runtime']}"
        )
    if record["to_encode"]:
        step = next_step(collection, encoder["model"] if encoder else None)
        put(f"without vector: {counted(record['to_encode'], 'passage')}; {step}")
    if record["not_in_bm25"]:
        put(f"not found by BM25 until the next 'opendpr add': {counted(record['not_in_bm25'], 'passage')}")
    for member in record["members"]:
        what = f"{counted(member['documents'], 'document')}, {counted(member['passages'], 'passage')}"
        put(f"{member['directory']}: {what}")
        if member["dense"]:
            _put_dense(member["dense"])
    if record["dense"] and not record["members"]:
        _put_dense(record["dense"])
    if record["engine"]:
        _put_engine(record["engine"])
    if record["unused_dense"]:
        put(record["unused_dense"])
    put_unread(record["unread"])
    put(f"passages: {splitter['words']} {splitter['unit']}, overlap {splitter['overlap']}, last {splitter['last']}")
    put(f"format {record['format']}, version {record['version']}, {readable_size(record['bytes'])}")
    caches = [f"{name} {readable_size(size)}" for name, size in record["cache_bytes"].items() if size]
    if caches:
        put(f"caches beside it: {', '.join(caches)}")


def _put_dense(dense: dict[str, Any]) -> None:
    """The approximate index of the vectors."""
    recall = ", ".join(f"recall@{depth} {value:.3f}" for depth, value in dense["recall"].items())
    put(
        f"vectors are searched by {dense['factory']} in {counted(dense['lists'], 'list')}, "
        f"{counted(dense['factor'], 'candidate')} each: "
        f"{recall} ({counted(dense['questions'], 'question')}, {RECALL_QUESTION_WORDS[dense['asked']]})"
    )
    if min(dense["recall"].values()) < dense["target"]:
        put(f"no effort reaches the recall of {dense['target']:g} that 'opendpr optimize' was asked for")
    if dense["newer"]:
        put(f"searched one by one until the next 'opendpr optimize': {counted(dense['newer'], 'newer vector')}")


def _put_engine(engine: dict[str, Any]) -> None:
    """What an engine has."""
    how = "searched approximately" if engine["approximate"] else "each vector is compared"
    recall = ", ".join(f"recall@{depth} {value:.3f}" for depth, value in (engine["recall"] or {}).items())
    put(f"{engine['engine']} has version {engine['version']}, {how}{f': {recall}' if recall else ''}")
    if engine["behind"] or engine["outdated"]:
        put(
            f"until the next 'opendpr push': {counted(engine['behind'], 'newer vector')} scanned, "
            f"{counted(engine['outdated'], 'passage')} of the engine passed over"
        )
