"""Dense passage retrieval for open-domain question answering: from documents to verbatim answers.

import opendpr

opendpr.add("notes", ["docs/"])
with opendpr.open("notes") as notes:
    answer = notes.ask("Who wrote the letter?").best
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from opendpr.errors import (
    BusyError,
    CorruptionError,
    InputError,
    OpendprError,
    ResourceError,
    StateError,
    UsageError,
)
from opendpr.errors import needs_training_packages as _needs_training_packages

if TYPE_CHECKING:
    from opendpr.api.connection import Connection, connect
    from opendpr.api.evaluation import Evaluation, evaluate
    from opendpr.api.improving import improve
    from opendpr.api.models import LoadedEncoder, LoadedReader, load_encoder, load_reader
    from opendpr.api.opened import OpenCollection
    from opendpr.api.opening import add, open
    from opendpr.api.training import train_encoder
    from opendpr.collection.filters import condition
    from opendpr.fitting.answering import fit_answering
    from opendpr.fitting.settings import AnsweringSettings
    from opendpr.model.runtime import RuntimeSettings
    from opendpr.search.settings import EngineSettings
    from opendpr.training.miner import MiningSettings
    from opendpr.training.mining import mine
    from opendpr.training.reader import train_reader
    from opendpr.training.settings import EncoderSettings, ReaderSettings
    from opendpr.types import (
        Answer,
        Document,
        ExamplePassage,
        Hit,
        Outcome,
        Passage,
        Question,
        Span,
        TrainingExample,
    )

__version__ = "0.1.0"

__all__ = [
    "Answer",
    "AnsweringSettings",
    "BusyError",
    "Connection",
    "CorruptionError",
    "Document",
    "EncoderSettings",
    "EngineSettings",
    "Evaluation",
    "ExamplePassage",
    "Hit",
    "ImproveSettings",
    "Improvement",
    "InputError",
    "Judgement",
    "LoadedEncoder",
    "LoadedReader",
    "MiningSettings",
    "OpenCollection",
    "OpendprError",
    "Outcome",
    "Passage",
    "Question",
    "ReaderSettings",
    "ResourceError",
    "RuntimeSettings",
    "Span",
    "StateError",
    "TrainingExample",
    "UsageError",
    "add",
    "condition",
    "connect",
    "evaluate",
    "fit_answering",
    "improve",
    "load_encoder",
    "load_reader",
    "mine",
    "open",
    "train_encoder",
    "train_reader",
]

_PLACES = {
    "api.connection": ("Connection", "connect"),
    "api.evaluation": ("Evaluation", "evaluate"),
    "api.improving": ("improve",),
    "api.models": ("LoadedEncoder", "LoadedReader", "load_encoder", "load_reader"),
    "api.opened": ("OpenCollection",),
    "api.opening": ("add", "open"),
    "api.training": ("train_encoder",),
    "collection.filters": ("condition",),
    "collection.judgements": ("Judgement",),
    "fitting.answering": ("fit_answering",),
    "fitting.settings": ("AnsweringSettings",),
    "improving.round": ("Improvement",),
    "improving.settings": ("ImproveSettings",),
    "model.runtime": ("RuntimeSettings",),
    "search.settings": ("EngineSettings",),
    "training.miner": ("MiningSettings",),
    "training.mining": ("mine",),
    "training.reader": ("train_reader",),
    "training.settings": ("EncoderSettings", "ReaderSettings"),
    "types": (
        *("Answer", "Document", "ExamplePassage", "Hit", "Outcome", "Passage", "Question", "Span", "TrainingExample"),
    ),
}
"""Where the names are that are loaded when they are first used: the command line's help needs none of them."""
_PLACE_OF = {name: place for place, names in _PLACES.items() for name in names}


def __getattr__(name: str) -> object:
    """A name that is loaded when it is first used."""
    if name not in _PLACE_OF:
        raise AttributeError(f"module 'opendpr' has no attribute {name!r}")
    with _needs_training_packages(f"opendpr.{name}"):
        module = importlib.import_module(f"opendpr.{_PLACE_OF[name]}")
    value = globals()[name] = getattr(module, name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
