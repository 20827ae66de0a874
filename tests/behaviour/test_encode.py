"""`opendpr encode`: another model for a collection, while the old one serves."""

from __future__ import annotations

import json
import random
import shutil
import time
from dataclasses import replace

import numpy as np
import pytest
from conftest import SECONDS, contents, write_documents

from opendpr.collection import open_collection, open_writer
from opendpr.collection.lookup import count_without_vector
from opendpr.errors import StateError
from opendpr.maintenance.add import add_documents
from opendpr.maintenance.encode import CHUNK_PASSAGES, encode
from opendpr.model.directory import find_model
from opendpr.model.encoder import BertEncoder
from opendpr.model.runtime import RuntimeSettings
from opendpr.search.live import LiveSnapshot
from opendpr.search.retrievers import DenseRetriever
from opendpr.text.splitting import Splitter
from opendpr.types import Document
from refusals import refused

QUESTION = "lo1 ri2 sum3"


@pytest.fixture
def encoders(tiny_model, other_model):
    return [
        BertEncoder(find_model(str(model)), RuntimeSettings(precision="fp32")) for model in (tiny_model, other_model)
    ]


def test_without_a_model_the_collections_own_is_taken_again_where_it_has_changed(
    run, tmp_path, tiny_model, other_model
):
    notes, docs, model = tmp_path / "notes", write_documents(tmp_path / "docs", 2, 20), tmp_path / "model"
    shutil.copytree(tiny_model, model)
    assert run("add", notes, docs, "-m", model).returncode == 0
    before = contents(notes)
    shutil.rmtree(model)
    shutil.copytree(other_model, model)
    for command in (["search", notes, QUESTION], ["add", notes, docs]):
        refused(run(*command), 4, f"encoded by {model}", "another version now", f"'opendpr encode {notes}'")
    assert contents(notes) == before
    result = run("encode", notes)
    assert result.returncode == 0, result.stderr
    assert "2 passages encoded" in result.stderr
    assert run("search", notes, QUESTION).returncode == 0


def test_a_model_that_was_moved_is_found_again_once_it_is_named(run, tmp_path, tiny_model):
    notes, docs, model = tmp_path / "notes", write_documents(tmp_path / "docs", 2, 20), tmp_path / "model"
    shutil.copytree(tiny_model, model)
    assert run("add", notes, docs, "-m", model).returncode == 0
    before = contents(notes)
    model.rename(tmp_path / "moved")
    refused(run("search", notes, QUESTION), 4, f"there is no model at {model}")
    result = run("encode", notes, "--model", tmp_path / "moved")
    assert "0 passages encoded" in result.stderr
    assert contents(notes) == before
    assert json.loads(run("info", notes, "--json").stdout)["encoder"]["model"] == str(tmp_path / "moved")
    assert run("search", notes, QUESTION, "-r", "dense").returncode == 0


def counts_of(directory):
    """Vectors by model name."""
    with open_collection(directory) as collection:
        return {
            row.model.rsplit("/")[-1]: collection.select(f"SELECT count(*) FROM vectors_{row.encoder}")[0][0]
            for row in collection.encoders()
        }


def test_an_encode_that_is_killed_goes_on_and_the_old_vectors_serve_until_it_is_complete(
    run, start, tmp_path, tiny_model, other_model
):
    notes, docs = tmp_path / "notes", write_documents(tmp_path / "docs", 60)
    assert run("add", notes, docs, "-m", tiny_model, "--words", "10").returncode == 0
    expected = run("search", notes, QUESTION, "--retriever", "dense", "--json").stdout
    process = start("encode", notes, "-m", other_model)
    while counts_of(notes).get("other", 0) == 0:
        assert process.poll() is None
        time.sleep(0.01)
    process.kill()
    process.communicate(timeout=SECONDS)
    encoded = counts_of(notes)["other"]
    assert 0 < encoded < counts_of(notes)["tiny"]
    assert run("search", notes, QUESTION, "--retriever", "dense", "--json").stdout == expected
    assert run("verify", notes).returncode == 0
    result = run("encode", notes, "-m", other_model, "--json")
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout)["encoded"] == 60 * 85 - encoded
    assert counts_of(notes) == {"other": 60 * 85}
    assert run("verify", notes).returncode == 0
    refused(run("search", notes, QUESTION, "-m", tiny_model), 4, "was encoded by", "other")
    assert run("add", tmp_path / "again", docs, "-m", other_model, "--words", "10").returncode == 0
    expected = run("search", tmp_path / "again", QUESTION, "--retriever", "dense", "--json").stdout
    assert run("search", notes, QUESTION, "--retriever", "dense", "--json").stdout == expected


def test_switching_back_to_kept_vectors_encodes_only_what_is_new(run, tmp_path, tiny_model, other_model):
    notes, docs = tmp_path / "notes", write_documents(tmp_path / "docs", 5, 30)
    assert run("add", notes, docs, "-m", tiny_model).returncode == 0
    before = contents(notes)
    assert run("encode", notes, "-m", other_model, "--keep-old").returncode == 0
    assert counts_of(notes) == {"tiny": 5, "other": 5}
    (docs / "new.txt").write_text("one more")
    (docs / "000.txt").write_text("changed")
    assert run("add", notes, docs).returncode == 0
    assert counts_of(notes) == {"tiny": 4, "other": 6}
    assert json.loads(run("encode", notes, "-m", tiny_model, "--keep-old", "--json").stdout)["encoded"] == 2
    assert counts_of(notes) == {"tiny": 6, "other": 6}
    after = contents(notes)
    assert all(after[key] == before[key] for key in before if key[0] != "000.txt")
    assert json.loads(run("encode", notes, "-m", tiny_model, "--json").stdout)["encoded"] == 0
    assert counts_of(notes) == {"tiny": 6}


def documents(n=12):
    return [Document(f"d{number}", "", f"document{number} lo{number} ri{number}") for number in range(n)]


PASSAGES = 1_300
"""Two and a half chunks."""


def stop(done, total):
    raise KeyboardInterrupt


def served(collection, encoder):
    [hits] = DenseRetriever(LiveSnapshot(collection), encoder).retrieve([QUESTION], 1_000)
    return {hit.passage.text for hit in hits}


def test_what_is_added_in_the_middle_of_an_encode_is_served_before_and_after(tmp_path, encoders):
    old, new = encoders
    with open_writer(tmp_path / "notes", Splitter(words=5)) as writer:
        add_documents(writer, documents(), old)
        with pytest.raises(KeyboardInterrupt):
            encode(writer, new, on_progress=stop, chunk_passages=4)
        changed = [replace(documents()[0], text="changed"), Document("late", "", "came late")]
        add_documents(writer, changed, old)
        now = {document.text for document in [*changed, *documents()[1:]]}
        assert served(writer, old) == now
        assert encode(writer, new).passages == len(now) - 4 + (documents()[0].text not in now)
        assert served(writer, new) == now
        assert not len(writer.hidden())


def test_a_document_that_waits_is_served_old_until_the_switch_and_new_after_it(tmp_path, encoders):
    old, new = encoders
    changed = replace(documents()[0], text="changed once and for all")
    with open_writer(tmp_path / "notes", Splitter(words=5)) as writer:
        add_documents(writer, documents(3), old)
        writer.put_documents([changed])
        with pytest.raises(KeyboardInterrupt):
            at_the_end = lambda done, total: stop(done, total) if done == total else None  # noqa: E731
            encode(writer, new, on_progress=at_the_end, chunk_passages=1)
        assert count_without_vector(writer, 2) == 0
        assert served(writer, old) == {document.text for document in documents(3)}
        assert encode(writer, new).passages == 0
        assert served(writer, new) == {changed.text, *(document.text for document in documents(3)[1:])}
        assert writer.document("d0") == changed


def test_a_search_that_was_begun_with_the_old_model_never_mixes_the_two(tmp_path, encoders):
    old, new = encoders
    with open_writer(tmp_path / "notes") as writer, open_collection(tmp_path / "notes") as collection:
        add_documents(writer, documents(3), old)
        live = LiveSnapshot(collection)
        encode(writer, new)
        with pytest.raises(StateError, match="was given another model meanwhile"):
            DenseRetriever(live, old).retrieve([QUESTION], 3)


def test_dropping_old_vectors_gives_their_room_back(tmp_path, encoders):
    old, new = encoders
    with open_writer(tmp_path / "notes", Splitter(words=3)) as writer:
        add_documents(writer, [Document("long", "", "word " * 3_000)], old)
        encode(writer, new)
        assert writer.select("PRAGMA freelist_count") == [(0,)]


def test_a_model_on_its_way_to_an_empty_collection_can_be_used_by_add(tmp_path, encoders):
    old, _ = encoders
    with open_writer(tmp_path / "notes") as writer:
        writer.begin_encoder(old.model.fingerprint, old.dim, model=old.model.reference, runtime="none")
        assert add_documents(writer, documents(2), old).encoded == 2


def test_a_search_says_that_passages_are_not_encoded_yet(run, tmp_path, tiny_model):
    with open_writer(tmp_path / "notes") as writer:
        model = find_model(str(tiny_model))
        writer.use_encoder(model.fingerprint, 32, model=model.reference, runtime="")
        writer.put_documents([Document("a", "", "The mill stands by the river.")])
    for retriever, warned in (("dense", True), ("hybrid", True), ("bm25", False)):
        done = run("search", tmp_path / "notes", "mill", "-r", retriever)
        assert done.returncode == 0
        assert ("passages without a vector, which bm25 alone finds: 1;" in done.stderr) is warned


def test_an_interrupted_encode_gives_the_vectors_of_an_uninterrupted_one_bit_for_bit(tmp_path, encoders):
    encoder = encoders[0]
    generator = random.Random(0)
    lengths = [generator.randint(1, 30) for _ in range(PASSAGES)]  # so that padding differs between batches
    texts = [Document(f"d{n:05}", "", " ".join(["river"] * length) + f" {n}") for n, length in enumerate(lengths)]
    removed = [f"d{n:05}" for n in range(100, 1_200, 7)]  # numbers with gaps
    results = []
    for name, stops in (("once", 0), ("three times", 2)):
        with open_writer(tmp_path / name, Splitter(unit="whole")) as writer:
            add_documents(writer, texts, None)
            writer.remove_documents(removed)
        for _ in range(stops):
            with open_writer(tmp_path / name) as writer, pytest.raises(KeyboardInterrupt):
                encode(writer, encoder, on_progress=stop_in_the_middle)
        with open_writer(tmp_path / name) as writer:
            encoded = encode(writer, encoder).passages
        assert (encoded < PASSAGES - len(removed)) == (stops > 0)
        results.append(contents(tmp_path / name))
    assert results[0] == results[1]


def stop_in_the_middle(done, total):
    """Stops once a chunk is stored and the next one is begun, or the last one is stored."""
    if done > CHUNK_PASSAGES or done == total:
        raise KeyboardInterrupt


def test_chunks_of_passages_without_a_vector_are_cut_by_number(tmp_path):
    with open_writer(tmp_path / "notes", Splitter(unit="whole")) as writer:
        writer.put_documents([Document(str(n), "", f"text {n}") for n in range(1, 24)])
        writer.remove_documents(["3", "8", "9", "10", "11", "12"])
        writer.begin_encoder("f" * 64, 2, model="by hand", runtime="none")
        row = writer.encoders()[0]
        chunks = [[passage.number for passage in chunk] for chunk in writer.without_vector(row.encoder, 4)]
        assert chunks == [[1, 2, 4], [5, 6, 7], [13, 14, 15, 16], [17, 18, 19, 20], [21, 22, 23]]
        for numbers in writer.without_vector(row.encoder, 4):
            writer.put_vectors(row, numbers, np.ones((len(numbers), 2), np.float32))
            break
        assert [[passage.number for passage in chunk] for chunk in writer.without_vector(row.encoder, 4)] == chunks[1:]


def test_a_number_of_workers_needs_a_cluster(run, tmp_path, tiny_model):
    notes, docs = tmp_path / "notes", write_documents(tmp_path / "docs", 2, 20)
    assert run("add", notes, docs, "-m", tiny_model).returncode == 0
    refused(run("encode", notes, "--workers", "2"), 2, "give its address too, with --on")
