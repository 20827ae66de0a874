"""`opendpr optimize`: rebuild the search caches."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import Option

from opendpr.choices import IndexName
from opendpr.cli.located import located
from opendpr.cli.options import AsJson, CollectionArgument, MemoryOption, ModelOption, RecallOption, WaitOption
from opendpr.cli.output import print_json, say
from opendpr.cli.progress import stages
from opendpr.wording import counted

if TYPE_CHECKING:
    from opendpr.search.built import BuiltIndex


def optimize(
    collection: CollectionArgument,
    index: Annotated[
        IndexName, Option("--index", help="How vectors are searched; auto: as they are, or as 'opendpr plan' would.")
    ] = "auto",
    recall: RecallOption = 0.95,
    model: ModelOption = None,
    memory: MemoryOption = None,
    wait: WaitOption = 0,
    as_json: AsJson = False,
) -> None:
    """Rebuild the search caches of COLLECTION, after many changes.

    BM25 weighs words by how rare they are, and goes on counting documents that were replaced or removed until
    then. It never shows them.

    Up to 50,000 vectors are searched exactly. Of more, an index is built that compares few of them (ivf): the
    search goes as far as it takes to find the share of the best passages given by --recall, which is measured
    with questions made of passages by the collection's model; --model says where that is now.
    Passages added later are searched exactly until the next 'opendpr optimize'. Searches go on meanwhile; after
    an interruption the same command goes on.

    \b
    Examples:
      opendpr optimize notes
      opendpr optimize wikipedia --recall 0.98
    """
    from opendpr.collection import open_collection, open_writer
    from opendpr.maintenance.optimize import optimize as rebuild
    from opendpr.model.directory import find_model
    from opendpr.search.settings import BuildSettings

    asking = find_model(model) if model else None
    directory = located(collection, model, silent=as_json)
    open_collection(directory).close()  # a wrong directory should not become a collection
    with open_writer(directory, wait_seconds=wait) as writer, stages("passages", silent=as_json) as show:
        build = BuildSettings(recall=recall)
        done = [
            (
                collection if part is writer else part.directory,
                rebuild(part, index=index, memory_bytes=memory, model=asking, on_progress=show, build=build),
                part.count_passages(),
            )
            for part in writer.parts
        ]
    for part, built, passages in done:
        if as_json:
            print_json({"collection": str(part), "passages": passages, "dense": built.as_json() if built else None})
        else:
            _say(part, built, passages, recall)


def _say(collection: Path, built: BuiltIndex | None, passages: int, recall: float) -> None:
    """Say what was rebuilt of a collection, or of a member of a set."""
    say(f"{collection}: BM25 counts {counted(passages, 'passage')}, and none that was removed")
    if built:
        reached = built.measured.recall
        recalls = ", ".join(f"recall@{depth} {value:.3f}" for depth, value in reached.items())
        say(f"{collection}: {built.rows:,} vectors are searched by {built.factory}, {recalls}")
        if built.rows < passages:
            say(
                f"{counted(passages - built.rows, 'passage')}, from the first without a vector on, are searched "
                "one by one; "
                f"'opendpr encode {collection}', then 'opendpr optimize {collection}' takes them in"
            )
        if min(reached.values()) < recall:
            say(f"no effort reaches the recall of {recall:g} asked for; this is the best there is")
