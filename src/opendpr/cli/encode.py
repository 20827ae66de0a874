"""`opendpr encode`: another model for a collection."""

from __future__ import annotations

from typing import Annotated

from typer import Option

from opendpr.cli.options import (
    AsJson,
    CollectionArgument,
    DeviceOption,
    Devices,
    PrecisionOption,
    Precisions,
    RuntimeOption,
    Runtimes,
    WaitOption,
)
from opendpr.cli.output import print_json, progress, say


def encode(
    collection: CollectionArgument,
    model: Annotated[
        str, Option("--model", "-m", help="Name of a model package, or a model directory.", show_default=False)
    ],
    keep_old: Annotated[bool, Option("--keep-old", help="Keep the old vectors, to switch back cheaply.")] = False,
    precision: PrecisionOption = Precisions.auto,
    runtime: RuntimeOption = Runtimes.auto,
    device: DeviceOption = Devices.auto,
    wait: WaitOption = 0,
    as_json: AsJson = False,
) -> None:
    """Encode all passages of COLLECTION with another model, then use that one.

    The old vectors answer until the new ones are complete. After an interruption the same command goes on.

    \b
    Example:
      opendpr encode notes --model ./my-model
    """
    from opendpr.collection import open_collection, open_writer
    from opendpr.encoder import BertEncoder
    from opendpr.ingest import encode as give_vectors
    from opendpr.runtime import RuntimeSettings
    from opendpr.runtime.model import find_model

    open_collection(collection).close()  # a wrong directory should not become a collection
    encoder = BertEncoder(find_model(model), RuntimeSettings(runtime.value, precision.value, device.value))
    with open_writer(collection, wait_seconds=wait) as writer, progress("encoding", "passages") as show:
        encoded = give_vectors(writer, encoder, on_progress=show, keep_old=keep_old)
    if as_json:
        print_json({"model": encoder.model.reference, "fingerprint": encoder.model.fingerprint, "encoded": encoded})
    else:
        say(f"{collection} is encoded by {encoder.model.reference} now; {encoded:,} passages encoded")
