"""Members of a set, wherever they are: functions go to them, results come back.

What is read or searched is a function of a member's collection, of its words or of its vectors. In this process it is
called; of a member on another machine it is sent there with its arguments, so that texts and vectors stay where they
are, and all members work at the same time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

from opendpr.collection.rows import Version

Subject = TypeVar("Subject")
AnySubject = TypeVar("AnySubject", covariant=True)
Result = TypeVar("Result")


class Member(Protocol[AnySubject]):
    """What a function is run on: a collection, its words or its vectors, here or elsewhere."""

    def begin(self, run: Callable[..., Result], /, *args: object, **options: object) -> Callable[[], Result]:
        """Begin `run(subject, *args, **options)`; calling what is returned gives the result, or raises what it raises.

        Args:
            run: a function of a module or class, by whose name it is found elsewhere
        """
        ...


class Here(Generic[Subject]):
    """A `Member` of this process: it begins when the result is called for.

    Args:
        subject: the first argument of each function
    """

    def __init__(self, subject: Subject) -> None:
        self.subject = subject

    def begin(self, run: Callable[..., Result], /, *args: object, **options: object) -> Callable[[], Result]:
        return partial(run, self.subject, *args, **options)


class Request(NamedTuple):
    """A function that is sent to a member."""

    subject: str
    """`collection`, `words` or `vectors`."""
    version: Version | None
    """The state that is searched; None takes the newest."""
    run: Callable[..., Any]
    args: tuple[object, ...]
    options: dict[str, object]


Send = Callable[[Request], Callable[[], Any]]
"""Sends a request to a member; calling what is returned gives the result, or raises BusyError if nobody answers."""


class There(Generic[Subject]):
    """A `Member` elsewhere."""

    def __init__(self, send: Send, subject: str, version: Version | None = None) -> None:
        self._send, self._subject, self._version = send, subject, version

    def begin(self, run: Callable[..., Result], /, *args: object, **options: object) -> Callable[[], Result]:
        return self._send(Request(self._subject, self._version, run, args, options))


def of_each(
    members: Iterable[Member[AnySubject]], run: Callable[..., Result], /, *args: object, **options: object
) -> list[Result]:
    """What a function returns of each member, in their order; those elsewhere work at the same time."""
    begun = [member.begin(run, *args, **options) for member in members]
    return [result() for result in begun]
