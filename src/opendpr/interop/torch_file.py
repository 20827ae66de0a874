"""Files of `torch.save`, read without torch and without executing the pickle in them: DPR's checkpoints, older weights.

Both containers are known: the zip file of torch 1.6 and later, and the chain of pickles before it, which DPR's released
checkpoints have. What a pickle names besides tensors and plain values, such as omegaconf's records of a training's
parameters, becomes an `Inert` object: its name and its content, never a call.
"""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import prod
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from opendpr.errors import InputError
from opendpr.interop.dpr_pickle.arrays import Name
from opendpr.interop.dpr_pickle.interpreter import Interpreter, World

DTYPES = {
    "FloatStorage": "<f4", "HalfStorage": "<f2", "DoubleStorage": "<f8", "BFloat16Storage": "<u2",
    "LongStorage": "<i8", "IntStorage": "<i4", "ShortStorage": "<i2", "CharStorage": "<i1", "ByteStorage": "<u1",
    "BoolStorage": "?",
}  # fmt: skip
"""Numbers of the storages that tensors lie in."""
LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
"""What the first pickle of the older container holds."""
PLAIN_TYPES = (
    "collections.OrderedDict", "collections.defaultdict", "typing.Any", "dpr.utils.model_utils.CheckpointState",
    *(f"{module}.{name}" for module in ("builtins", "__builtin__") for name in ("dict", "list", "str", "int", "bool")),
)  # fmt: skip
ADMITTED_CONTENT = "tensors and plain values"


class Storage(NamedTuple):
    """Numbers of a file, not read yet."""

    key: str
    dtype: str
    size: int


class Tensor(NamedTuple):
    """A view into a storage."""

    storage: Storage
    offset: int
    shape: tuple[int, ...]
    stride: tuple[int, ...]


@dataclass
class Inert:
    """An object that a pickle describes: what it is called and what it holds."""

    name: str
    arguments: tuple[Any, ...]
    state: Any = field(default=None)


class TorchFile:
    """A file of `torch.save`.

    Raises:
        InputError: it is not such a file, it is damaged, or asks for anything but tensors and plain values.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._places: dict[str, int] = {}
        self._zip = zipfile.is_zipfile(path)
        self.value: Any = self._read_zip() if self._zip else self._read_legacy()
        """What was saved, with `Tensor` for tensors."""

    def array(self, tensor: Tensor) -> NDArray[Any]:
        """The numbers of a tensor; bfloat16 becomes fp32."""
        storage, size = tensor.storage, np.dtype(tensor.storage.dtype).itemsize
        place = self._places.get(storage.key)
        if place is None:
            raise InputError(f"{self.path} lacks the numbers of storage {storage.key}; it is cut off, get it again")
        last = tensor.offset + sum((n - 1) * step for n, step in zip(tensor.shape, tensor.stride, strict=True)) + 1
        if max(last if prod(tensor.shape) else 0, prod(tensor.shape)) > storage.size or tensor.offset < 0:
            raise InputError(
                f"{self.path}: a tensor of shape {tensor.shape} does not fit into its storage; "
                "the file is damaged, get it again"
            )
        if place + storage.size * size > self.path.stat().st_size:
            raise InputError(f"{self.path} ends within storage {storage.key}; it is cut off, get it again")
        with self.path.open("rb") as file:
            file.seek(place)
            data = file.read(storage.size * size)
        numbers = np.frombuffer(data, dtype=storage.dtype)
        if storage.dtype == "<u2":
            numbers = (numbers.astype(np.uint32) << 16).view(np.float32)
        steps = tuple(step * numbers.itemsize for step in tensor.stride)
        view = np.lib.stride_tricks.as_strided(numbers[tensor.offset :], tensor.shape, steps, writeable=False)
        return np.array(view)

    def arrays(self, values: Mapping[str, object], prefix: str = "") -> dict[str, NDArray[Any]]:
        """The tensors under names that begin with a prefix, without it."""
        return {
            name.removeprefix(prefix): self.array(value)
            for name, value in values.items()
            if isinstance(value, Tensor) and name.startswith(prefix)
        }

    def _read_zip(self) -> Any:  # noqa: ANN401
        with zipfile.ZipFile(self.path) as archive:
            names = archive.namelist()
            root = next((name.removesuffix("data.pkl") for name in names if name.endswith("/data.pkl")), None)
            if root is None:
                raise InputError(f"{self.path} is a zip file without data.pkl; it is no file of torch.save")
            if f"{root}byteorder" in names:
                with archive.open(f"{root}byteorder") as file:
                    if file.read(len(b"little")) != b"little":
                        raise InputError(f"{self.path} was written on a big-endian machine; save it again on another")
            for info in archive.infolist():
                if info.filename.startswith(f"{root}data/") and info.compress_type == zipfile.ZIP_STORED:
                    self._places[info.filename.removeprefix(f"{root}data/")] = self._content_start(info)
            with archive.open(f"{root}data.pkl") as file:
                return self._interpreter(file).value()

    def _content_start(self, info: zipfile.ZipInfo) -> int:
        """Where a member's bytes begin: after a header whose last two lengths differ from the directory's."""
        with self.path.open("rb") as file:
            file.seek(info.header_offset + 26)
            lengths = np.frombuffer(file.read(4), "<u2")
        return info.header_offset + 30 + int(lengths.sum())

    def _read_legacy(self) -> Any:  # noqa: ANN401
        with self.path.open("rb") as file:
            magic = self._interpreter(file).value()
            if magic != LEGACY_MAGIC:
                raise InputError(
                    f"{self.path} is no file of torch.save (it begins with another pickle); give a checkpoint of DPR"
                )
            for _ in ("protocol", "machine"):
                self._interpreter(file).value()
            main = self._interpreter(file)
            value, storages = main.value(), main.storages
            for key in self._interpreter(file).value():
                count = int.from_bytes(file.read(8), "little")
                storage = storages.get(key)
                if storage is None or storage.size != count:
                    raise InputError(f"{self.path}: storage {key} has {count} numbers, expected {storage}")
                self._places[key] = file.tell()
                file.seek(count * np.dtype(storage.dtype).itemsize, 1)
        return value

    def _interpreter(self, file: IO[bytes]) -> _Values:
        return _Values(self.path, file)


class _Values:
    """The interpreter of pickles with what plain values and tensors need besides: dicts, objects, references."""

    def __init__(self, path: Path, file: IO[bytes]) -> None:
        self.storages: dict[str, Storage] = {}
        self._run = Interpreter(path, file, WORLD)
        push = self._run.stack.append
        self._run.instructions |= {
            b"}": lambda: push({}),
            b"d": lambda: push(self._pairs({}, self._run.group())),
            b"s": lambda: self._update(list(self._run.pop_many(2))),
            b"u": lambda: self._update(self._run.group()),
            b"\x81": self._run.reduce,
            b"Q": self._reference,
        }

    def value(self) -> Any:  # noqa: ANN401
        return self._run.value()

    def _update(self, items: list[Any]) -> None:
        target = self._run.pop()
        if not isinstance(target, dict):
            raise self._run.error("expected a dict to put things into")
        self._run.stack.append(self._pairs(target, items))

    def _pairs(self, target: dict[Any, Any], items: list[Any]) -> dict[Any, Any]:
        if not all(isinstance(key, str | int | float | bool | None) for key in items[::2]):
            raise self._run.error("a key of a dict is no plain value; refused")
        target.update(zip(items[::2], items[1::2], strict=True))
        return target

    def _reference(self) -> None:
        match self._run.pop():
            case ("storage", Name(meaning=str() as kind), str() as key, str(), int() as count, *_) if kind in DTYPES:
                self.storages[key] = Storage(key, DTYPES[kind], count)
                self._run.stack.append(self.storages[key])
            case other:
                raise self._run.error(f"it refers to {str(other)[:80]}, which is no storage of numbers; refused")


def _admits(name: str) -> str | None:
    module, _, last = name.rpartition(".")
    if module in ("torch", "torch.storage") and last in DTYPES:
        return last
    if name in ("torch._utils._rebuild_tensor_v2", "torch._utils._rebuild_parameter"):
        return last
    return name if name in PLAIN_TYPES or name.startswith("omegaconf.") else None


def _call(function: Name, arguments: tuple[Any, ...]) -> object:
    match function.meaning, arguments:
        case "_rebuild_tensor_v2", (Storage() as storage, int() as offset, tuple() as shape, tuple() as stride, *_):
            if all(isinstance(n, int) and n >= 0 for n in (*shape, *stride)) and len(shape) == len(stride):
                return Tensor(storage, offset, shape, stride)
        case "_rebuild_parameter", (Tensor() as tensor, *_):
            return tensor
        case "collections.OrderedDict" | "collections.defaultdict" | "builtins.dict", _:
            return {}
        case name, _ if name not in DTYPES and not name.startswith("_"):
            return Inert(name, arguments)
    raise ValueError(f"it calls {function.meaning} with other arguments than torch gives; refused")


def _set_state(target: object, state: object) -> None:
    if isinstance(target, Inert):
        target.state = state
    elif not isinstance(target, dict):  # the state of an OrderedDict is about the modules: nothing that weights need
        raise ValueError("it sets the state of something that has none; refused")


WORLD = World(_admits, _call, _set_state, ADMITTED_CONTENT)


def plain_value(value: object) -> object:
    """A value without omegaconf's wrapping: its dicts and lists keep their content, its nodes their value."""
    unwrap: Callable[[object], object] = plain_value
    match value:
        case Inert(state={"_content": content}):
            return unwrap(content)
        case Inert(state={"_val": content}):
            return content
        case dict():
            return {key: unwrap(content) for key, content in value.items()}
        case list():
            return [unwrap(content) for content in value]
    return value
