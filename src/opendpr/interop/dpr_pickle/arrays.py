"""numpy's arrays as pickles describe them, made from their bytes without calling what a pickle names."""

from __future__ import annotations

import re
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from opendpr.wording import counted

OBJECT_BYTES = 16_000_000
"""Longest string or bytes: a vector of four million numbers."""
ADMITTED = {
    **dict.fromkeys(("numpy.core.multiarray._reconstruct", "numpy._core.multiarray._reconstruct"), "array"),
    **dict.fromkeys(("numpy.core.numeric._frombuffer", "numpy._core.numeric._frombuffer"), "frombuffer"),
    **dict.fromkeys(("numpy.core.multiarray.scalar", "numpy._core.multiarray.scalar"), "scalar"),
    "numpy.ndarray": "ndarray",
    "numpy.dtype": "dtype",
    "_codecs.encode": "encode",
}
"""Everything that a pickle may name, and what it means; nothing of it is ever imported or called."""
NUMBERS = re.compile(r"[fiu][1248]")


class Name:
    """One of `ADMITTED`."""

    def __init__(self, meaning: str) -> None:
        self.meaning = meaning


class Dtype:
    """Type of an array's numbers: a letter and the bytes of one, and their order."""

    def __init__(self, code: str) -> None:
        self.code = code
        self.order = "<"


class Array:
    """An array, empty until it is given its state."""

    def __init__(self, values: NDArray[Any] | None = None) -> None:
        self.values = values


def call(function: Name, arguments: tuple[Any, ...]) -> Array | Dtype | bytes | float:
    """What one of `ADMITTED` makes of its arguments.

    Raises:
        ValueError: the arguments are not those that numpy gives.
    """
    match function.meaning, arguments:
        case "array", (Name(meaning="ndarray"), (0,), b"b" | "b"):
            return Array()
        case "dtype", (str() | bytes() as code, 0 | 1, 0 | 1):
            return _dtype(code if isinstance(code, str) else code.decode("latin-1"))
        case "encode", (str() as text, "latin1" | "latin-1" | b"latin1"):
            return _latin1(text)
        case "scalar", (Dtype() as dtype, bytes() as data):
            number: float = _array(data, dtype, (), "C").item()
            return number
        case "frombuffer", (bytes() as data, Dtype() as dtype, tuple() as shape, "C" | "F" as order, *rest) if rest in (
            [],
            [None],
        ):
            return Array(_array(data, dtype, shape, order))
    raise ValueError(f"it calls {function.meaning} with other arguments than numpy gives; refused")


def set_state(target: object, state: object) -> None:
    """Complete a type with its byte order, or an array with its numbers.

    Raises:
        ValueError: the state is not one that numpy gives.
    """
    match target, state:
        case Dtype(), (3 | 4, "<" | ">" | "|" | "=" | b"<" | b">" | b"|" | b"=" as order, None, None, None, *_):
            target.order = order.decode() if isinstance(order, bytes) else order
        case Array(values=None), (int(), tuple() as shape, Dtype() as dtype, 0 | 1 as fortran, bytes() as data):
            target.values = _array(data, dtype, shape, "F" if fortran else "C")
        case Array(), _:
            raise ValueError("an array's content is not the bytes of numbers; refused")
        case _:
            raise ValueError("it sets the state of something that is no array; refused")


def _latin1(text: str) -> bytes:
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        raise ValueError("bytes hold a character above 255") from None


def _dtype(code: str) -> Dtype:
    if not NUMBERS.fullmatch(code):
        what = "objects" if code.startswith("O") else f"{code[:40]!r}"
        raise ValueError(f"arrays of {what} are refused; only arrays of numbers are admitted")
    return Dtype(code)


def _array(data: bytes, dtype: Dtype, shape: tuple[Any, ...], order: Any) -> NDArray[Any]:  # noqa: ANN401
    if dtype.code == "f1":
        raise ValueError("there are no floating point numbers of one byte")
    kind = np.dtype(f"{dtype.order}{dtype.code}")
    whole = all(isinstance(size, int) and 0 <= size <= OBJECT_BYTES for size in shape) and len(shape) <= 8
    if not whole or prod(shape) * kind.itemsize != len(data):
        raise ValueError(
            f"an array says its shape is {shape!r:.60} and has {counted(len(data), 'byte')}; they do not fit"
        )
    return np.frombuffer(data, dtype=kind).reshape(shape, order=order)
