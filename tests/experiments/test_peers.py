"""Other systems do what the experiments ask of them; those that are not installed are left out."""

from __future__ import annotations

import math
import shutil
from pathlib import Path

import pytest
from experiments.common.models import starting_model
from experiments.common.tiny import write_tiny_model, write_tiny_sentence_transformer

from opendpr.choices import ModelForm
from opendpr.model.directory import DEFAULT_MODEL, find_model
from opendpr.model.foreign import export_model
from opendpr.training.sources import Pair
from opendpr.types import ExamplePassage, Passage

pytestmark = pytest.mark.filterwarnings("default")  # those of other systems' packages are not ours
PASSAGES = [
    Passage(1, "a", "Norham", "The lighthouse of Norham was built in 1888.", 0),
    Passage(2, "b", "Alby", "The library of Alby burned.", 0),
]
QUESTION = "When was the lighthouse of Norham built?"


def test_a_step_of_sentence_transformers_has_a_loss_and_counts_tokens(tmp_path: Path) -> None:
    pytest.importorskip("sentence_transformers")
    from experiments.peers.sentence_transformers import CachedTraining

    source = write_tiny_sentence_transformer(tmp_path, str(write_tiny_model(tmp_path / "model")))
    config = starting_model(tmp_path / "imported", source).require_encoder()
    training = CachedTraining(source, config, attention="sdpa", mini_batch=1)
    built, burned = (ExamplePassage(passage.title, passage.text) for passage in PASSAGES)
    pairs = [Pair("when was it built ?", built, [burned]), Pair("what burned ?", burned, [built])]
    loss, tokens = training.step(pairs)
    assert math.isfinite(loss)
    assert tokens > len(pairs)


def test_bm25s_finds_the_passage_with_the_words() -> None:
    pytest.importorskip("bm25s")
    from experiments.peers.bm25s import Bm25s

    assert Bm25s(PASSAGES).search(["what burned"], 1, k1=0.9, b=0.4) == [[1]]


def test_haystack_answers() -> None:
    pytest.importorskip("haystack")
    from experiments.peers.haystack import HaystackWords

    HaystackWords([passage.text for passage in PASSAGES]).search("what burned")


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The shipped reader in the form of transformers."""
    return exported(DEFAULT_MODEL, tmp_path_factory.mktemp("reader"), "hf-qa")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file for each passage, and no hub."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HAYSTACK_TELEMETRY_ENABLED", "False")
    (folder := tmp_path / "texts").mkdir()
    for passage in PASSAGES:
        (folder / f"{passage.document_id}.txt").write_text(passage.text, encoding="utf-8")
    return folder


def exported(model: str, directory: Path, form: ModelForm) -> str:
    """A model in the form of another system."""
    export_model(find_model(model), directory / form, form)
    return str(directory / form)


def test_haystack_answers_from_a_folder_and_then_from_what_it_kept(folder: Path, tmp_path: Path, reader: str) -> None:
    pytest.importorskip("haystack_integrations.components.readers.transformers")
    from experiments.peers.haystack_answer import answer, open_store

    assert "1888" in answer(open_store(folder, tmp_path / "kept"), reader, QUESTION)
    shutil.rmtree(folder)
    assert "1888" in answer(open_store(folder, tmp_path / "kept"), reader, QUESTION)


@pytest.mark.parametrize("vectors", [False, True])
def test_txtai_answers_from_a_folder_and_then_from_what_it_kept(
    vectors: bool, folder: Path, tmp_path: Path, reader: str
) -> None:
    pytest.importorskip("txtai")
    from experiments.peers.txtai_answer import answer, open_index

    tiny = str(write_tiny_model(tmp_path / "model"))
    encoder = exported(tiny, tmp_path, "sentence-transformers") if vectors else ""
    assert "1888" in answer(open_index(folder, tmp_path / "kept", encoder), reader, QUESTION)
    shutil.rmtree(folder)
    assert "1888" in answer(open_index(folder, tmp_path / "kept", encoder), reader, QUESTION)
