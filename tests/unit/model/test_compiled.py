"""A compiled network is taken from the cache if it is whole, and compiled again if it is not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from opendpr.model.compiled import compiled_path, keep_compiled, read_compiled
from opendpr.model.directory import Model
from opendpr.model.encoder import BertEncoder
from opendpr.model.runtime import RuntimeSettings

FP32 = RuntimeSettings("openvino", "fp32")


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "opendpr" / "networks"


def vector(directory: Path) -> np.ndarray:
    return BertEncoder(Model(directory, reference="tiny"), FP32).encode_questions(["who built the pier?"])


def test_what_is_kept_answers_as_what_was_compiled(cache: Path, tiny_model: Path) -> None:
    first = vector(tiny_model)
    (kept,) = cache.iterdir()
    written = kept.stat().st_ino
    np.testing.assert_array_equal(vector(tiny_model), first)
    assert kept.stat().st_ino == written


@pytest.mark.parametrize("damage", ["truncated", "flipped", "empty", "foreign"])
def test_a_damaged_file_is_written_again_and_changes_no_answer(cache: Path, tiny_model: Path, damage: str) -> None:
    first = vector(tiny_model)
    (kept,) = cache.iterdir()
    content = bytearray(kept.read_bytes())
    match damage:
        case "truncated":
            kept.write_bytes(content[: len(content) // 2])
        case "flipped":
            content[len(content) // 2] ^= 1
            kept.write_bytes(content)
        case "empty":
            kept.write_bytes(b"")
        case "foreign":
            keep_compiled(kept, b"whole, but no network")
    np.testing.assert_array_equal(vector(tiny_model), first)
    assert read_compiled(kept) is not None
    assert kept.stat().st_size > len(content) // 2, "a compiled network differs by some bytes each time"


def test_other_weights_are_another_network(tmp_path: Path) -> None:
    weights = tmp_path / "model.safetensors"
    weights.write_bytes(b"one")
    before = compiled_path(weights, ("fp32",))
    assert compiled_path(weights, ("fp32",)) == before
    assert compiled_path(weights, ("bf16",)) != before
    weights.write_bytes(b"other")
    assert compiled_path(weights, ("fp32",)) != before


def test_no_more_than_a_few_are_kept_and_a_full_disk_keeps_none(cache: Path) -> None:
    for number in range(4):
        keep_compiled(cache / f"{number}.network", b"content", networks=2)
    assert len(list(cache.iterdir())) == 2
    keep_compiled(Path("/proc/nowhere/x.network"), b"content")


def test_models_in_directories_are_not_kept(cache: Path, tiny_model: Path) -> None:
    BertEncoder(Model(tiny_model), FP32).encode_questions(["who?"])
    assert not cache.exists()
