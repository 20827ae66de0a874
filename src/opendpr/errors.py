"""Every error opendpr raises on purpose, and the exit code the command line gives it.

    OpendprError          1  failed for a reason the message names
    ├── UsageError        2  an argument or a combination of arguments that cannot work
    ├── InputError        3  input data that cannot be read or does not make sense
    ├── StateError        4  a collection or model that is missing or does not fit
    ├── CorruptionError   5  stored bytes that are not the bytes that were written
    ├── ResourceError     6  no more disk or memory
    └── BusyError         7  another process holds what this one needs

A message says what was found, what was expected and what to do about it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

INTERRUPTED_EXIT_CODE = 130
"""Of a command that Ctrl-C ended, as shells count it."""
INTERRUPTED_MESSAGE = "interrupted; what was done is kept"
TRAINING_PACKAGES = ("torch", "tensorboard", "psutil")
"""Packages of the extra `train` that training imports."""


class OpendprError(Exception):
    """Something failed for a reason the message names."""

    exit_code = 1


class UsageError(OpendprError):
    """An argument, or a combination of arguments, cannot work."""

    exit_code = 2


class InputError(OpendprError):
    """Input data cannot be read or does not make sense."""

    exit_code = 3


class StateError(OpendprError):
    """A collection or a model is missing or does not fit the other."""

    exit_code = 4


class CorruptionError(OpendprError):
    """Stored bytes are not the bytes that were written."""

    exit_code = 5


class ResourceError(OpendprError):
    """The disk or the memory is full."""

    exit_code = 6


class BusyError(OpendprError):
    """Another process holds what this one needs; trying again later can work."""

    exit_code = 7


@contextmanager
def needs_training_packages(what: str) -> Iterator[None]:
    """Says what to install where a package is missing that training needs.

    Raises:
        OpendprError: the package is missing; `what` needs it.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        if error.name not in TRAINING_PACKAGES:
            raise
        raise OpendprError(f"{what} needs {error.name}; pip install 'opendpr[train]'") from None
