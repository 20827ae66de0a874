"""Making a collection's model better by what was said of its answers: `opendpr.improve`."""

from __future__ import annotations

import os
from pathlib import Path

from opendpr.api.opened import OpenCollection
from opendpr.improving.round import Improvement
from opendpr.improving.round import improve as run_round
from opendpr.improving.settings import ImproveSettings
from opendpr.improving.switching import switch
from opendpr.iteration import OnStage
from opendpr.model.runtime import RuntimeSettings


def improve(
    collection: str | os.PathLike[str] | OpenCollection,
    *,
    output: str | os.PathLike[str] | None = None,
    apply: bool = False,
    settings: ImproveSettings = ImproveSettings(),
    on_progress: OnStage = lambda what, done, total: None,
) -> Improvement:
    """Make a model of what was said of a collection's answers, and judge it by questions kept apart.

    Interrupted, the same call goes on from there.

    Args:
        collection: a path; or an opened one, whose runtime is used, and which has to be opened again after a switch
        output: directory of the model; None is a new one beside the collection, or that of a round of the same state
        apply: let the collection answer with the new model if that is shown to be better
        settings: from how many questions on something is learned, and how

    Returns:
        The model, what became of its parts, and in `decision` whether to switch, with all figures.

    Raises:
        InputError: fewer than 30 judged questions can be learned from.
        StateError: there is no such collection, or `output` is a file, or holds anything but a round of the same state.
        CorruptionError: the state of an interrupted round is not readable.
        BusyError: another process writes the collection that is to switch.
    """
    runtime = collection.runtime if isinstance(collection, OpenCollection) else RuntimeSettings()
    directory = Path(collection)
    target = Path(output) if output is not None else None
    made = run_round(directory, target, settings=settings, runtime=runtime, on_progress=on_progress)
    if apply and made.decision.switch:
        switch(directory, made.model, runtime=runtime)
    return made
