"""Embeddings that DPR released: one pickle a shard, a list of (passage id, vector).

A pickle is a program that may call any function. Python's interpreter of it is not used here: the one below
knows lists, tuples, strings, bytes, numbers and numpy's arrays, makes the arrays itself from their bytes, and
refuses by name whatever else a pickle asks for. It yields records while it reads, so that a shard of any size
takes little memory. Pickles are never written.

The instructions are those of the module `pickletools` of Python's library; protocols 1 to 5.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Iterator
from math import prod
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from opendpr.errors import InputError
from opendpr.formats.files import READ_ERRORS, open_binary, reason

OBJECT_BYTES = 16_000_000
"""Longest string or bytes: a vector of four million numbers."""
PENDING_BYTES = 64_000_000
"""Most bytes between two batches of records; the pickle module writes batches of 1,000."""
PENDING_OBJECTS = 200_000
"""Most objects on the stack, and most that a batch may give a name."""
KEPT_CHARACTERS = 2
"""Longest string that is remembered after its batch: Python holds such ones, as the byte order, only once."""

ADMITTED = {
    **dict.fromkeys(("numpy.core.multiarray._reconstruct", "numpy._core.multiarray._reconstruct"), "array"),
    **dict.fromkeys(("numpy.core.numeric._frombuffer", "numpy._core.numeric._frombuffer"), "frombuffer"),
    **dict.fromkeys(("numpy.core.multiarray.scalar", "numpy._core.multiarray.scalar"), "scalar"),
    "numpy.ndarray": "ndarray",
    "numpy.dtype": "dtype",
    "_codecs.encode": "encode",
}
"""Everything that a pickle may name, and what it stands for; nothing of it is ever imported or called."""
NUMBERS = re.compile(r"[fiu][1248]")


def read_embeddings(path: Path) -> Iterator[tuple[str, NDArray[np.floating[Any]]]]:
    """Yield the id and vector (d,) of each record of a shard.

    Raises:
        InputError: the file cannot be read, is no list of (id, vector), or asks for anything but numbers, strings
            and arrays of numbers; the message names it.
    """
    try:
        with open_binary(path) as file:
            for number, record in enumerate(_Interpreter(path, file).records(), start=1):
                yield _embedding(record, f"{path}: record {number:,}")
    except READ_ERRORS as error:
        raise InputError(f"{path} cannot be read: {reason(error)}") from None


def _embedding(record: object, place: str) -> tuple[str, NDArray[np.floating[Any]]]:
    if not isinstance(record, tuple | list) or len(record) != 2:
        raise InputError(f"{place}: expected (id, vector), found {type(record).__name__}")
    id, vector = record
    if isinstance(vector, _Array):
        vector = vector.values
    elif isinstance(vector, list | tuple) and vector and all(isinstance(value, float) for value in vector):
        vector = np.array(vector, dtype=np.float32)
    if isinstance(id, bytes):
        id = id.decode("utf-8", "replace")
    if not isinstance(id, str | int) or isinstance(id, bool) or id == "" or not str(id).isprintable():
        raise InputError(f"{place}: expected the id to be a string or an integer, found {type(id).__name__}")
    if not isinstance(vector, np.ndarray) or vector.ndim != 1 or vector.dtype.kind != "f" or not len(vector):
        shape = f"array of {vector.dtype} {vector.shape}" if isinstance(vector, np.ndarray) else type(vector).__name__
        raise InputError(f"{place} ({id}): expected a vector of floating point numbers, found {shape}")
    return str(id), vector


class _Name:
    """One of `ADMITTED`."""

    def __init__(self, meaning: str) -> None:
        self.meaning = meaning


class _Dtype:
    """Type of an array's numbers: a letter and the bytes of one, and their order."""

    def __init__(self, code: str) -> None:
        self.code = code
        self.order = "<"


class _Array:
    """An array, empty until it is given its state."""

    def __init__(self, values: NDArray[Any] | None = None) -> None:
        self.values = values


MARK = object()
"""The place on the stack where a group begins."""


class _Interpreter:
    """Runs one pickle. `records` yields what is put into the outermost list."""

    def __init__(self, path: Path, file: IO[bytes]) -> None:
        self.path, self.file = path, file
        self.at = self.batch_at = 0
        self.batches = 0
        self.stack: list[Any] = []
        self.memo: dict[int, Any] = {}
        self.next_name = 0
        self.new_names: list[int] = []
        self.instructions = self._instructions()

    def _instructions(self) -> dict[bytes, Callable[[], object]]:
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
            b"]": lambda: push([]),
            b")": lambda: push(()),
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
                items = self.group() if code == b"e" else [self.pop()]
                if not self.stack or not isinstance(self.stack[-1], list):
                    raise self.error("expected a list to put things into")
                if len(self.stack) > 1:
                    self.stack[-1].extend(items)
                else:
                    yield from items
                    self.forget()
            elif instruction := self.instructions.get(code):
                instruction()
            else:
                raise self.error(f"the instruction {self.opcode(code)}, which no list of vectors needs, is refused")
            if len(self.stack) > PENDING_OBJECTS or self.at - self.batch_at > PENDING_BYTES:
                raise self.error("it is no list of small records, and would fill the memory")
        if len(self.stack) != 1 or not isinstance(self.stack[0], list):
            found = type(self.stack[0]).__name__ if self.stack else "nothing"
            raise self.error(f"expected a list of (id, vector), found {found}")
        yield from self.stack[0]  # what was made as a list at once

    def forget(self) -> None:
        """Let go of a batch; what the next ones may refer to is kept."""
        self.batches += 1
        self.batch_at = self.at
        for number in self.new_names:
            value = self.memo[number]
            small = isinstance(value, str | bytes) and (self.batches == 1 or len(value) <= KEPT_CHARACTERS)
            if not small and not isinstance(value, _Name | _Dtype) and value is not self.stack[0]:
                del self.memo[number]
        self.new_names.clear()

    def error(self, problem: str) -> InputError:
        return InputError(f"{self.path}: byte {self.at:,}: {problem}")

    def opcode(self, code: bytes) -> str:
        """The name of an instruction, for a message."""
        return OPCODES.get(code, f"{code[0]:#04x}")

    def read(self, count: int) -> bytes:
        data = self.file.read(count)
        if len(data) < count:
            raise self.error("the file ends within a pickle, or is none")
        self.at += count
        return data

    def line(self) -> str:
        data = self.file.readline(1_000)
        self.at += len(data)
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
        """What stands above the last mark."""
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
        if len(self.memo) > PENDING_OBJECTS:
            raise self.error("it gives names to too many things, and would fill the memory")

    def get(self, number: int) -> Any:  # noqa: ANN401
        if number not in self.memo:
            raise self.error("it refers to something of an earlier record, or that it never made")
        return self.memo[number]

    def name(self, module: str, name: str) -> _Name:
        meaning = ADMITTED.get(f"{module}.{name}")
        if meaning is None or "." in name:
            raise self.error(
                f"it asks for {module}.{name}, which is refused: only arrays of numbers and plain lists are admitted"
            )
        return _Name(meaning)

    def stack_global(self) -> None:
        module, name = self.pop_many(2)
        if not isinstance(module, str) or not isinstance(name, str):
            raise self.error("expected the names of a module and of something in it")
        self.stack.append(self.name(module[:200], name[:200]))

    def reduce(self) -> None:
        function, arguments = self.pop_many(2)
        if not isinstance(function, _Name) or not isinstance(arguments, tuple):
            raise self.error("it calls something that is no function")
        found: _Array | _Dtype | bytes | float | None = None
        match function.meaning, arguments:
            case "array", (_Name(meaning="ndarray"), (0,), b"b" | "b"):
                found = _Array()
            case "dtype", (str() | bytes() as code, 0 | 1, 0 | 1):
                found = self.dtype(code if isinstance(code, str) else code.decode("latin-1"))
            case "encode", (str() as text, "latin1" | "latin-1" | b"latin1"):
                found = self.latin1(text)
            case "scalar", (_Dtype() as dtype, bytes() as data):
                found = self.array(data, dtype, (), "C").item()
            case "frombuffer", (bytes() as data, _Dtype() as dtype, tuple() as shape, "C" | "F" as order, *rest) if (
                rest in ([], [None])
            ):
                found = _Array(self.array(data, dtype, shape, order))
        if found is None:
            raise self.error(f"it calls {function.meaning} with other arguments than numpy gives; refused")
        self.stack.append(found)

    def build(self) -> None:
        target, state = self.pop_many(2)
        match target, state:
            case _Dtype(), (3 | 4, "<" | ">" | "|" | "=" | b"<" | b">" | b"|" | b"=" as order, None, None, None, *_):
                target.order = order.decode() if isinstance(order, bytes) else order
            case _Array(values=None), (int(), tuple() as shape, _Dtype() as dtype, 0 | 1 as fortran, bytes() as data):
                target.values = self.array(data, dtype, shape, "F" if fortran else "C")
            case _Array(), _:
                raise self.error("an array's content is not the bytes of numbers; refused")
            case _:
                raise self.error("it sets the state of something that is no array; refused")
        self.stack.append(target)

    def latin1(self, text: str) -> bytes:
        try:
            return text.encode("latin-1")
        except UnicodeEncodeError:
            raise self.error("bytes hold a character above 255") from None

    def dtype(self, code: str) -> _Dtype:
        if not NUMBERS.fullmatch(code):
            what = "objects" if code.startswith("O") else f"{code[:40]!r}"
            raise self.error(f"arrays of {what} are refused; only arrays of numbers are admitted")
        return _Dtype(code)

    def array(self, data: bytes, dtype: _Dtype, shape: tuple[Any, ...], order: Any) -> NDArray[Any]:  # noqa: ANN401
        if dtype.code == "f1":
            raise self.error("there are no floating point numbers of one byte")
        kind = np.dtype(f"{dtype.order}{dtype.code}")
        whole = all(isinstance(size, int) and 0 <= size <= OBJECT_BYTES for size in shape) and len(shape) <= 8
        if not whole or prod(shape) * kind.itemsize != len(data):
            raise self.error(f"an array says its shape is {shape!r:.60} and has {len(data):,} bytes; they do not fit")
        return np.frombuffer(data, dtype=kind).reshape(shape, order=order)


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
