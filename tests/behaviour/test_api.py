"""The Python interface: its page runs, and a wrong argument is refused with what was expected."""

from __future__ import annotations

import gc
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import opendpr
from opendpr.model.encoder import BertEncoder

ROOT = Path(__file__).resolve().parents[2]
LETTER = "On 3 May 1911 Ada Lovett wrote the letter to her brother, who was then living in Lisbon."
TOWNS = [f"{start}{end}" for start in ("Al", "Bor", "Cam", "Der", "Ev", "Far", "Gol") for end in ("ton", "by", "ford")]
TRADES = ("baker", "smith", "weaver", "miller", "mason", "tailor", "cooper", "fisher")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with a folder of documents, and a cache of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "letter.txt").write_text(LETTER, encoding="utf-8")
    return tmp_path


@pytest.fixture
def notes(folder: Path, tiny_model: Path) -> Iterator[opendpr.OpenCollection]:
    """A collection of three documents, whose tiny model answers without sense."""
    texts = {"wall": "The wall was built in 1888.", "tarn": "The Tarn runs through Albi.", "caen": "Caen is a town."}
    opendpr.add("notes", [opendpr.Document(id, "", text) for id, text in texts.items()], str(tiny_model))
    with opendpr.open("notes") as notes:
        yield notes


def write_towns(folder: Path) -> None:
    """Towns to be asked about, and questions with and without answers in them."""
    towns, questions = [], []
    for number, town in enumerate(TOWNS):
        mayor, trade, year = town[::-1].title(), TRADES[number % len(TRADES)], str(1700 + number)
        text = f"{town} is a small town. Its first mayor was a {trade} called {mayor}. Its bridge was built in {year}."
        towns.append({"id": town, "title": town, "text": text})
        questions += [
            {"question": f"When was the bridge of {town} built?", "answers": [year]},
            {"question": f"Who was the first mayor of {town}?", "answers": [mayor]},
            {"question": f"Which trade had the first mayor of {town}?", "answers": [trade]},
            {"question": f"Who wrote the opera about {town[::-1]}?", "answers": []},
            {"question": f"How many ships sank near {town}?", "answers": []},
        ]
    for path, records in ((folder / "docs" / "towns.jsonl", towns), (folder / "questions.jsonl", questions)):
        path.write_text("".join(f"{json.dumps(record)}\n" for record in records), encoding="utf-8")


def test_the_blocks_of_the_page_run_in_their_order(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_towns(folder)
    page = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    names: dict[str, Any] = {}
    for block in re.findall(r"^```python\n(.*?)^```", page, re.DOTALL | re.MULTILINE):
        exec(block, names)
    answer = names["answer"]
    assert LETTER[answer.start : answer.end] == answer.text
    assert names["run"].figure("answer@1", "dense") == 1
    assert {path.name for path in folder.iterdir()} >= {"my-encoder", "my-model", "my-fitted-model", "report.html"}
    printed = capsys.readouterr().out
    assert "'nowhere' does not exist; make a collection with opendpr.add('nowhere', 'docs/')" in printed
    assert re.search(r"^EM@20 +100.0", printed, re.MULTILINE)


def test_a_folder_is_kept_in_sync_and_takes_no_other_documents(folder: Path, tiny_model: Path) -> None:
    with opendpr.open("docs", tiny_model) as docs:
        assert len(docs) == 1
        for change in (lambda: docs.add([("1", "text")]), lambda: docs.remove("letter.txt"), docs.encode):
            with pytest.raises(opendpr.UsageError, match=r"opendpr\.add\('NAME', 'docs'\)"):
                change()
    (folder / "docs" / "more.txt").write_text("More.", encoding="utf-8")
    with opendpr.open("docs", tiny_model) as docs:
        assert [summary.id for summary in docs.documents()] == ["letter.txt", "more.txt"]


def test_what_was_added_is_found_at_once(notes: opendpr.OpenCollection) -> None:
    assert notes.search("harbour", retriever="bm25") == []
    notes.add({"id": "orvik", "text": "The harbour of Orvik.", "metadata": {"year": 1901}})
    (hit,) = notes.search("harbour", retriever="bm25", where="year > 1900")
    assert hit.passage.document_id == "orvik"
    assert "orvik" in {hit.passage.document_id for hit in notes.search("harbour", k=10)}


def test_many_questions_get_what_each_gets_alone(notes: opendpr.OpenCollection) -> None:
    questions = ["When was the wall built?", "Where is Caen?"] * 10
    together = notes.ask(questions)
    assert len(together) == 20
    assert [outcome.answers[0].text for outcome in together] == [notes.ask(q).answers[0].text for q in questions]
    assert [len(hits) for hits in notes.search(questions, k=2)] == [2] * 20
    assert notes.ask([]) == notes.search([]) == []


def test_one_encoder_serves_all_retrievers_and_what_is_added(notes: opendpr.OpenCollection) -> None:
    """Counted among all objects that are alive."""
    for retriever in ("bm25", "dense", "hybrid", "dense"):
        assert notes.search("the wall", retriever=retriever)
        assert notes.ask("When was the wall built?", retriever=retriever)
    notes.add([opendpr.Document("mill", "", "The mill is older than the wall.")])
    assert notes.search("the mill", 1, retriever="dense")
    gc.collect()
    encoders = [thing for thing in gc.get_objects() if type(thing) is BertEncoder]
    assert len([encoder for encoder in encoders if encoder.model.reference == encoders[-1].model.reference]) == 1


def test_another_model_takes_over(notes: opendpr.OpenCollection, other_model: Path) -> None:
    before = notes.search("wall", retriever="dense")
    assert notes.encode(other_model) == 3
    assert notes.search("wall", retriever="dense")[0].score != before[0].score


def test_an_empty_collection_can_be_made_and_filled(folder: Path, tiny_model: Path) -> None:
    with opendpr.open("new", tiny_model, create=True) as new:
        with pytest.raises(opendpr.StateError, match="holds no documents"):
            new.ask("Who?")
        new.add("docs", vectors=False)
        with pytest.raises(opendpr.StateError, match="holds no vectors"):
            new.ask("Who?")
        assert new.search("letter", retriever="bm25")
        new.encode(tiny_model)
        assert new.ask("Who?").answers


def test_documents_gone_from_a_folder_are_removed_if_asked(notes: opendpr.OpenCollection, folder: Path) -> None:
    notes.add("docs")
    (folder / "docs" / "letter.txt").rename(folder / "docs" / "note.txt")
    notes.add("docs", sync=True)
    assert "letter.txt" not in notes
    assert "note.txt" in notes
    assert "wall" in notes
    with pytest.raises(opendpr.UsageError, match="sync=True needs a folder"):
        notes.add([("1", "text")], sync=True)


@pytest.mark.parametrize(
    ("sources", "error", "message"),
    [
        ({"id": "1", "body_text": "x"}, opendpr.InputError, r"expected a dict with 'text', found the keys .*body_text"),
        ([("1", "x"), {"text": "x"}], opendpr.InputError, r"source 1: expected a dict with 'id', found the keys"),
        ({"id": "1", "text": 3}, opendpr.InputError, r'expected "text" to be a string'),
        ("The wall was built.", opendpr.InputError, r"is no file or folder; a text needs an id"),
        ("missing.txt", opendpr.InputError, r"missing\.txt"),
        ([("1", "a", "b")], opendpr.UsageError, r"expected a pair \(id, text\)"),
        ([3], TypeError, r"expected paths, .* got int: 3"),
        (None, TypeError, r"expected paths, .* got NoneType"),
    ],
)
def test_what_cannot_be_added_is_refused_with_what_was_expected(
    notes: opendpr.OpenCollection, sources: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        notes.add(sources)
    assert len(notes) == 3


def test_wrong_arguments_are_refused_with_what_was_expected(notes: opendpr.OpenCollection) -> None:
    with pytest.raises(opendpr.UsageError, match="retriever must be one of hybrid, dense, bm25, got 'sparse'"):
        opendpr.open("notes", retriever="sparse")
    with pytest.raises(opendpr.UsageError, match="retriever must be one of"):
        notes.search("wall", retriever="sparse")
    with pytest.raises(opendpr.UsageError, match="k must be a whole number from 1 to 10,000, got 0"):
        notes.search("wall", k=0)
    with pytest.raises(TypeError, match="expected questions as strings, got int: 3"):
        notes.ask(["wall", 3])  # type: ignore[list-item]
    with pytest.raises(TypeError, match="expected questions as strings, got NoneType"):
        notes.ask(None)  # type: ignore[call-overload]
    with pytest.raises(opendpr.UsageError, match="either ids of documents or where="):
        notes.remove()
    with pytest.raises(opendpr.InputError, match="has no document 'x', so nothing was removed"):
        notes.remove(["wall", "x"])
    with pytest.raises(opendpr.StateError, match="no model 'nothing'"):
        opendpr.open("notes", "nothing")


def test_a_closed_collection_says_so(notes: opendpr.OpenCollection) -> None:
    notes.search("wall")
    notes.close()
    notes.close()
    assert repr(notes) == "<opendpr collection 'notes', closed>"
    with pytest.raises(opendpr.UsageError, match="notes was closed; open it again"):
        notes.search("wall")


def test_texts_of_every_form_have_the_vectors_of_their_words(tiny_model: Path) -> None:
    runtime = opendpr.RuntimeSettings(precision="fp32")
    encoder = opendpr.load_encoder(tiny_model, runtime=runtime)
    passage = opendpr.Passage(0, "a", "Tarn", "It runs through Albi.", 0)
    forms = [("Tarn", passage.text), {"title": "Tarn", "content": passage.text}, passage, opendpr.Hit(passage, 1.0)]
    vectors = encoder.encode_passages(forms)
    assert vectors.shape == (4, encoder.dim)
    np.testing.assert_allclose(vectors, np.broadcast_to(vectors[0], vectors.shape), atol=1e-5)
    assert encoder.encode_passages("Tarn").shape == encoder.encode_questions("Tarn?").shape == (encoder.dim,)
    with pytest.raises(opendpr.UsageError, match=r"expected a dict with 'text', found the keys \['words'\]"):
        encoder.encode_passages([{"words": "x"}])
    with pytest.raises(TypeError, match="expected a text"):
        encoder.encode_passages([3])  # type: ignore[list-item]
    with pytest.raises(TypeError, match="expected several passages, got one dict; give a list with it"):
        encoder.encode_passages({"title": "Tarn", "text": passage.text})  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="expected several passages, got one Passage; give a list with it"):
        encoder.encode_passages(passage)  # type: ignore[arg-type]


def test_a_reader_keeps_the_places_of_hits(notes: opendpr.OpenCollection, tiny_model: Path) -> None:
    reader = opendpr.load_reader(tiny_model)
    hits = notes.search("wall")
    assert reader.read("When?", hits).answers[0].document_id in {"wall", "tarn", "caen"}
    with pytest.raises(TypeError, match="got one string; give a list"):
        reader.read("When?", "The wall was built in 1888.")


def test_evaluations_take_files_and_objects_and_are_compared(notes: opendpr.OpenCollection, folder: Path) -> None:
    asked = [opendpr.Question("1", "When was the wall built?", ("1888",), document_ids=("wall",))]
    run = opendpr.evaluate(notes, asked, systems=["bm25", "dense"], k=[1, 2], output="first.jsonl")
    assert run.figure("answer@1", "bm25") == run.figure("document@1", "bm25") == 1
    with pytest.raises(opendpr.UsageError, match=r"2 figures are answer@1 of any system; there are answer@1 of bm25"):
        run.figure("answer@1")
    other = opendpr.evaluate("notes", {"id": "1", "question": "When was the wall built?", "answers": "1888",
                             "document_ids": "wall"}, systems="bm25", k=[1, 2])  # fmt: skip
    assert "first:dense" in other.compare("first.jsonl").table()
    assert other.compare(run).report("both.html") == Path("both.html")
    (folder / "questions.jsonl").write_text('{"id": "1", "question": "When?", "answers": ["1888"]}\n')
    assert opendpr.evaluate("notes", "questions.jsonl", systems="bm25").summary().sets["questions"].questions == 1


def test_an_evaluation_says_what_it_expected(notes: opendpr.OpenCollection) -> None:
    with pytest.raises(opendpr.InputError, match=r"expected a dict with 'question', found the keys \['q'\]"):
        opendpr.evaluate("notes", [{"q": "When?"}])
    with pytest.raises(TypeError, match=r"expected question files, .* got int"):
        opendpr.evaluate("notes", [3])  # type: ignore[list-item]
    with pytest.raises(opendpr.UsageError, match="retriever must be one of"):
        opendpr.evaluate("notes", [{"question": "When?", "answers": ["1888"]}], systems=["sparse"])
    with pytest.raises(opendpr.UsageError, match="either all files or all objects"):
        opendpr.evaluate("notes", ["questions.jsonl", {"question": "When?"}])
    with pytest.raises(opendpr.StateError, match="is not a collection"):
        opendpr.evaluate("nowhere", [{"question": "When?", "answers": ["1888"]}])
