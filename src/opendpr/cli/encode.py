"""`opendpr encode`: another model for a collection."""

from __future__ import annotations

from typing import Annotated

from typer import Option

from opendpr.cli.located import located_to_write
from opendpr.cli.options import (
    AsJson,
    CollectionToChange,
    DeviceOption,
    ModelOption,
    OnOption,
    PrecisionOption,
    RuntimeOption,
    WaitOption,
    WorkersOption,
)
from opendpr.cli.output import print_json, say
from opendpr.cli.progress import progress
from opendpr.cluster.place import encoders
from opendpr.wording import counted


def encode(
    collection: CollectionToChange,
    model: ModelOption = None,
    keep_old: Annotated[bool, Option("--keep-old", help="Keep the old vectors, to switch back cheaply.")] = False,
    precision: PrecisionOption = "auto",
    runtime: RuntimeOption = "auto",
    device: DeviceOption = "auto",
    on: OnOption = None,
    workers: WorkersOption = None,
    wait: WaitOption = 0,
    as_json: AsJson = False,
) -> None:
    """Encode all passages of COLLECTION with a model, then use that one.

    Without --model it is the collection's, whose installed version may be newer, or the one that comes with
    opendpr. The old vectors answer until the new ones are complete. After an interruption the same command goes on.

    \b
    Examples:
      opendpr encode notes
      opendpr encode notes --model ./my-model
      opendpr encode wiki --on ray://head:10001 --workers 16
    """
    from opendpr.collection import open_collection, open_writer
    from opendpr.maintenance.encode import encode as give_vectors
    from opendpr.maintenance.encode import model_in_use
    from opendpr.model.directory import DEFAULT_MODEL, find_model
    from opendpr.model.runtime import RuntimeSettings

    open_collection(located_to_write(collection, "use another model")).close()  # a wrong one should not become one
    chosen = find_model(model or model_in_use(collection) or DEFAULT_MODEL)
    settings = RuntimeSettings(runtime, precision, device)
    with encoders(on, workers, report=say) as load, open_writer(collection, wait_seconds=wait) as writer:
        encoder = load(chosen, settings)
        with progress("encoding", "passages", silent=as_json) as show:
            encoded, _ = give_vectors(writer, encoder, on_progress=show, keep_old=keep_old)
    if as_json:
        print_json({"model": encoder.model.reference, "fingerprint": encoder.model.fingerprint, "encoded": encoded})
    else:
        say(f"{collection} is encoded by {encoder.model.reference} now; {counted(encoded, 'passage')} encoded")
