"""Pickles of lists and arrays, without what else a pickle can do.

A pickle is a program that may call any function. Python's interpreter of it is not used here: this one knows
lists, tuples, strings, bytes, numbers and numpy's arrays, makes the arrays itself from their bytes, and refuses
by name whatever else a pickle asks for. It yields records while it reads, so that a file of any size takes
little memory. The instructions are those of the module `pickletools` of Python's library; protocols 1 to 5.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, NamedTuple

from opendpr.errors import InputError
from opendpr.interop.dpr_pickle.arrays import ADMITTED, OBJECT_BYTES, Dtype, Name, call, set_state

INSTRUCTION_BYTES = 16
"""What each instruction counts besides: one of a single byte makes an object, or a place in a list."""
KEPT_CHARACTERS = 2
"""Longest string that is remembered after its batch: Python holds such ones, as the byte order, only once."""

MARK = object()
"""The place on the stack where a group begins."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of a pickle may be held in memory."""

    pending_bytes: int = 100_000_000
    """Most bytes between two batches of records; the pickle module writes batches of 1,000."""
    pending_objects: int = 200_000
    """Most objects on the stack, and most that a batch may give a name."""


class World(NamedTuple):
    """What a pickle may name, and what becomes of it; nothing of it is ever imported or called."""

    admits: Callable[[str], str | None]
    """Meaning of `module.name`; None refuses it."""
    call: Callable[[Name, tuple[Any, ...]], Any]
    set_state: Callable[[object, object], None]
    content: str
    """What it is for, for messages."""


ARRAYS = World(ADMITTED.get, call, set_state, "arrays of numbers and plain lists")


class Interpreter:
    """Runs one pickle. `records` yields what is put into the outermost list; `value` is for one without."""

    def __init__(self, path: Path, file: IO[bytes], world: World = ARRAYS, limits: Limits = Limits()) -> None:
        self.path, self.file, self.world, self.limits = path, file, world, limits
        self.at = self.pending = 0
        self.batches = 0
        self.stack: list[Any] = []
        self.memo: dict[int, Any] = {}
        self.next_name = 0
        self.new_names: list[int] = []
        self.instructions = self._constants() | self._constructions()

    def _constants(self) -> dict[bytes, Callable[[], object]]:
        """The instructions that put a value from the file on the stack, and those that do nothing."""
        push, read = self.stack.append, self.read
        return {
            b"\x80": lambda: read(1),  # PROTO
            b"\x95": lambda: read(8),  # FRAME
            b"(": lambda: push(MARK),
            b"0": self.pop,
            b"N": lambda: push(None),
            b"\x88": lambda: push(True),
            b"\x89": lambda: push(False),
            b"I": lambda: push(self.integer()),
            b"L": lambda: push(self.integer()),
            b"J": lambda: push(int.from_bytes(read(4), "little", signed=True)),
            b"K": lambda: push(read(1)[0]),
            b"M": lambda: push(int.from_bytes(read(2), "little")),
            b"\x8a": lambda: push(int.from_bytes(read(read(1)[0]), "little", signed=True)),
            b"G": lambda: push(struct.unpack(">d", read(8))[0]),
            b"X": lambda: push(self.string(4)),
            b"\x8c": lambda: push(self.string(1)),
            b"\x8d": lambda: push(self.string(8)),
            b"U": lambda: push(self.counted(1)),  # a string of Python 2
            b"T": lambda: push(self.counted(4)),
            b"C": lambda: push(self.counted(1)),
            b"B": lambda: push(self.counted(4)),
            b"\x8e": lambda: push(self.counted(8)),
            b"\x96": lambda: push(self.counted(8)),  # BYTEARRAY8
        }

    def _constructions(self) -> dict[bytes, Callable[[], object]]:
        """The instructions that make values of others, and remember them."""
        push, read = self.stack.append, self.read
        empty: dict[bytes, Callable[[], object]] = {b"]": lambda: push([]), b")": lambda: push(())}
        return empty | {
            b"l": lambda: push(self.group()),
            b"t": lambda: push(tuple(self.group())),
            b"\x85": lambda: push(self.pop_many(1)),
            b"\x86": lambda: push(self.pop_many(2)),
            b"\x87": lambda: push(self.pop_many(3)),
            b"p": lambda: self.put(self.integer()),
            b"q": lambda: self.put(read(1)[0]),
            b"r": lambda: self.put(int.from_bytes(read(4), "little")),
            b"\x94": lambda: self.put(self.next_name),
            b"g": lambda: push(self.get(self.integer())),
            b"h": lambda: push(self.get(read(1)[0])),
            b"j": lambda: push(self.get(int.from_bytes(read(4), "little"))),
            b"c": lambda: push(self.name(self.line(), self.line())),
            b"\x93": self.stack_global,
            b"R": self.reduce,
            b"b": self.build,
        }

    def records(self) -> Iterator[Any]:
        """Run to the end."""
        while (code := self.read(1)) != b".":
            if code in (b"a", b"e"):
                target, items = self.items(code)
                if len(self.stack) > 1:
                    target.extend(items)
                else:
                    yield from items
                    self.forget()
            else:
                self.step(code)
            self.check_size()
        if len(self.stack) != 1 or not isinstance(self.stack[0], list):
            kind = type(self.stack[0]).__name__ if self.stack else "nothing"
            raise self.error(f"expected a list of (id, vector), found {kind}")
        yield from self.stack[0]  # what was made as a list at once

    def value(self) -> Any:  # noqa: ANN401
        """Run to the end of a pickle of one value that is no stream of records."""
        while (code := self.read(1)) != b".":
            if code in (b"a", b"e"):
                target, items = self.items(code)
                target.extend(items)
            else:
                self.step(code)
            self.check_size()
        return self.pop()

    def step(self, code: bytes) -> None:
        """Follow one instruction."""
        instruction = self.instructions.get(code)
        if instruction is None:
            name = OPCODES.get(code, f"{code[0]:#04x}")
            raise self.error(f"the instruction {name}, which no file of {self.world.content} needs, is refused")
        instruction()

    def items(self, code: bytes) -> tuple[list[Any], list[Any]]:
        """The list that is to grow, and what by."""
        items = self.group() if code == b"e" else [self.pop()]
        if not self.stack or not isinstance(self.stack[-1], list):
            raise self.error("expected a list to put things into")
        return self.stack[-1], items

    def check_size(self) -> None:
        self.pending += INSTRUCTION_BYTES
        if len(self.stack) > self.limits.pending_objects or self.pending > self.limits.pending_bytes:
            raise self.error(f"it is larger than {self.world.content} are, and would fill the memory")

    def forget(self) -> None:
        """Let go of a batch; what the next ones may refer to is kept."""
        self.batches += 1
        self.pending = 0
        for number in self.new_names:
            value = self.memo[number]
            small = isinstance(value, str | bytes) and (self.batches == 1 or len(value) <= KEPT_CHARACTERS)
            if not small and not isinstance(value, Name | Dtype) and value is not self.stack[0]:
                del self.memo[number]
        self.new_names.clear()

    def error(self, problem: str) -> InputError:
        return InputError(f"{self.path}: byte {self.at:,}: {problem}")

    def read(self, count: int) -> bytes:
        data = self.file.read(count)
        if len(data) < count:
            raise self.error("the file ends within a pickle, or is none")
        self.at += count
        self.pending += count
        return data

    def line(self) -> str:
        data = self.file.readline(1_000)
        self.at += len(data)
        self.pending += len(data)
        if not data.endswith(b"\n"):
            raise self.error("expected a short line of text")
        return data[:-1].decode("utf-8", "backslashreplace")

    def integer(self) -> int | bool:
        text = self.line().removesuffix("L")
        if text in ("00", "01"):
            return text == "01"
        if not re.fullmatch(r"-?\d{1,18}", text, re.ASCII):
            raise self.error(f"expected an integer, found {text[:40]!r}")
        return int(text)

    def counted(self, size: int) -> bytes:
        count = int.from_bytes(self.read(size), "little")
        if count > OBJECT_BYTES:
            raise self.error(f"it asks for a string of {count:,} bytes; at most {OBJECT_BYTES:,} are allowed")
        return self.read(count)

    def string(self, size: int) -> str:
        try:
            return self.counted(size).decode("utf-8")
        except UnicodeDecodeError as error:
            raise self.error(f"a string is not valid UTF-8 ({error.reason})") from None

    def pop(self) -> Any:  # noqa: ANN401
        if not self.stack or self.stack[-1] is MARK:
            raise self.error("it takes more from its stack than there is")
        return self.stack.pop()

    def pop_many(self, count: int) -> tuple[Any, ...]:
        return tuple(self.pop() for _ in range(count))[::-1]

    def group(self) -> list[Any]:
        """What is above the last mark."""
        items = []
        while self.stack and self.stack[-1] is not MARK:
            items.append(self.stack.pop())
        if not self.stack:
            raise self.error("it takes more from its stack than there is")
        self.stack.pop()
        return items[::-1]

    def put(self, number: int) -> None:
        value = self.pop()
        self.stack.append(value)
        if number not in self.memo:
            self.new_names.append(number)
        self.memo[number] = value
        self.next_name = max(self.next_name, number + 1)
        if len(self.memo) > self.limits.pending_objects:
            raise self.error("it gives names to too many things, and would fill the memory")

    def get(self, number: int) -> Any:  # noqa: ANN401
        if number not in self.memo:
            raise self.error("it refers to something of an earlier record, or that it never made")
        return self.memo[number]

    def name(self, module: str, name: str) -> Name:
        meaning = self.world.admits(f"{module}.{name}")
        if meaning is None or "." in name:
            raise self.error(f"it asks for {module}.{name}, which is refused: only {self.world.content} are admitted")
        return Name(meaning)

    def stack_global(self) -> None:
        module, name = self.pop_many(2)
        if not isinstance(module, str) or not isinstance(name, str):
            raise self.error("expected the names of a module and of something in it")
        self.stack.append(self.name(module[:200], name[:200]))

    def reduce(self) -> None:
        function, arguments = self.pop_many(2)
        if not isinstance(function, Name) or not isinstance(arguments, tuple):
            raise self.error("it calls something that is no function")
        try:
            made = self.world.call(function, arguments)
        except ValueError as error:
            raise self.error(str(error)) from None
        if isinstance(made, bytes):
            self.pending += len(made)  # a pickle may ask for the same bytes again and again
        self.stack.append(made)

    def build(self) -> None:
        target, state = self.pop_many(2)
        try:
            self.world.set_state(target, state)
        except ValueError as error:
            raise self.error(str(error)) from None
        self.stack.append(target)


OPCODES = {
    b"i": "INST",
    b"o": "OBJ",
    b"P": "PERSID (a persistent id)",
    b"Q": "BINPERSID (a persistent id)",
    b"\x81": "NEWOBJ",
    b"\x92": "NEWOBJ_EX",
    b"\x82": "EXT1 (a registered extension)",
    b"\x83": "EXT2 (a registered extension)",
    b"\x84": "EXT4 (a registered extension)",
    b"\x97": "NEXT_BUFFER",
    b"S": "STRING",
    b"d": "DICT",
    b"}": "EMPTY_DICT",
    b"V": "UNICODE",
}
"""Instructions that are refused, by the names of `pickletools`."""
