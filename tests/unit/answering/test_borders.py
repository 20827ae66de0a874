"""No answer is lost where a passage ends: the reader sees words beyond its borders."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from opendpr.answering.borders import with_borders
from opendpr.answering.table_names import HEADER_PASSAGES
from opendpr.collection import Collection, open_collection
from opendpr.maintenance.add import AddSettings, add
from opendpr.model.directory import Model
from opendpr.model.reader import BertReader
from opendpr.text.splitting import Splitter, first_words, last_words
from opendpr.text.table_rows import column_names
from opendpr.types import Document, Hit

WORDS = [f"w{number}" for number in range(250)]
TEXT = " ".join(WORDS)


@pytest.fixture
def stored(tmp_path: Path) -> Collection:
    documents = [Document("a", "", TEXT), Document("b", "", TEXT), Document("c", "", "short")]
    add(tmp_path / "c", documents, AddSettings(vectors=False))
    return open_collection(tmp_path / "c")


def hits(collection: Collection) -> list[Hit]:
    return [Hit(passage, 0.0) for passage in collection.passages_after(0)]


def count_readings(collection: Collection, lists: list[list[Hit]], model: Model) -> int:
    """How often passages are read while hits get what is beyond their borders."""
    asked: list[str] = []
    collection._connection.set_exec_trace(lambda cursor, statement, bindings: asked.append(statement) or True)
    with_borders(collection, lists, model)
    collection._connection.set_exec_trace(None)
    return len([statement for statement in asked if "FROM passages" in statement])


def with_words(model: Path, words: int) -> Model:
    opened = Model(model)
    assert opened.reader is not None
    opened.reader = replace(opened.reader, border_words=words)
    return opened


def test_a_hit_has_the_words_on_either_side_of_its_passage_in_its_document(
    stored: Collection, tiny_model: Path
) -> None:
    (found,) = with_borders(stored, [hits(stored)], with_words(tiny_model, 2))
    around = [(hit.before.split(), hit.after.split()) for hit in found]
    one_document = [([], ["w100", "w101"]), (["w98", "w99"], ["w200", "w201"]), (["w198", "w199"], [])]
    assert around == [*one_document, *one_document, ([], [])]
    for hit in found:
        text = stored.document(hit.passage.document_id).text
        start = hit.passage.start - len(hit.before)
        seen = hit.before + hit.passage.text + hit.after
        assert text[start : start + len(seen)] == seen


def test_without_border_words_the_reader_sees_the_passage_alone(stored: Collection, tiny_model: Path) -> None:
    (found,) = with_borders(stored, [hits(stored)], with_words(tiny_model, 0))
    assert found == hits(stored)


def test_all_neighbours_are_looked_up_together(stored: Collection, tiny_model: Path) -> None:
    found, model = hits(stored), with_words(tiny_model, 30)
    assert count_readings(stored, [found] * 3, model) == 1


def test_passages_that_overlap_give_only_what_is_new(tmp_path: Path, tiny_model: Path) -> None:
    add(tmp_path / "c", [Document("a", "", TEXT)], AddSettings(vectors=False, splitter=Splitter(overlap=10)))
    with open_collection(tmp_path / "c") as collection:
        (found,) = with_borders(collection, [hits(collection)], with_words(tiny_model, 3))
        assert found[1].passage.text.split()[0] == "w90"
        assert found[1].before.split() == ["w87", "w88", "w89"]
        assert found[0].after.split() == ["w100", "w101", "w102"]


def test_a_span_starts_inside_its_passage_and_may_end_beyond(stored: Collection, tiny_model: Path) -> None:
    reader = BertReader(with_words(tiny_model, 30))
    lists = with_borders(stored, [hits(stored)[:3]], reader.model)
    spans = reader.read(["Which word?"], lists)[0]
    assert spans
    for span in spans:
        passage = span.hit.passage
        assert passage.start <= span.start < passage.start + len(passage.text)
        assert TEXT[span.start : span.end] == span.text


def test_only_the_first_row_of_a_table_names_its_columns(tmp_path: Path, tiny_model: Path) -> None:
    rows = [f"town{row}\tland{row}\tmayor{row}" for row in range(34 * (HEADER_PASSAGES + 2))]
    add(tmp_path / "c", [Document("a", "", "\n".join(["City\tCountry\tMayor", *rows]))], AddSettings(vectors=False))
    with open_collection(tmp_path / "c") as collection:
        (bordered,) = with_borders(collection, [hits(collection)], with_words(tiny_model, 30))
    names = [hit.column_names for hit in bordered]
    assert set(names[1 : HEADER_PASSAGES - 8]) == {("City", "Country", "Mayor")}
    assert set(names[HEADER_PASSAGES + 1 :]) == {()}, "a row in the middle of the table was taken for its header"


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Collection:
    """Three documents: a table that is longer than what is looked through, a short one behind a text, and a text."""
    rows = [f"town{row}\tland{row}\tmayor{row}" for row in range(34 * (HEADER_PASSAGES + 20))]
    short = [TEXT, "", "Pier\tTime\tFare", *(f"pier{row}\t{row % 24}:15\t{row}" for row in range(300))]
    documents = [
        Document("a", "", "\n".join(["City\tCountry\tMayor", *rows])),
        Document("b", "", "\n".join(short)),
        Document("c", "", TEXT),
    ]
    directory = tmp_path_factory.mktemp("tables") / "c"
    add(directory, documents, AddSettings(vectors=False))
    return open_collection(directory)


def test_the_header_of_a_table_is_looked_for_once_for_all_hits_in_it(table: Collection, tiny_model: Path) -> None:
    found, model = hits(table), with_words(tiny_model, 30)
    assert count_readings(table, [found[:20]], model) == 1, "all that is above is among the hits"
    near, far = found[5:25], found[40:60]
    assert count_readings(table, [near], model) == 2
    assert count_readings(table, [far], model) == 4
    assert count_readings(table, [far[::2], far[1::2]] * 3, model) == 4, "questions share it too"
    assert min(count_readings(table, [[hit]], model) for hit in far) == 4


def test_hits_have_the_same_names_of_columns_together_as_each_alone(table: Collection, tiny_model: Path) -> None:
    found, model = hits(table), with_words(tiny_model, 30)
    (together,) = with_borders(table, [found], model)
    alone = [with_borders(table, [[hit]], model)[0][0] for hit in found]
    assert together == alone
    for hit in alone:
        above = table.document(hit.passage.document_id).text[: hit.passage.start - len(hit.before)]
        assert hit.column_names in ((), column_names(above))
    names = {document: {hit.column_names for hit in alone if hit.passage.document_id == document} for document in "abc"}
    assert names == {"a": {("City", "Country", "Mayor"), ()}, "b": {("Pier", "Time", "Fare"), ()}, "c": {()}}


def test_words_are_counted_from_either_end() -> None:
    assert first_words(" a b c", 2) == " a b"
    assert last_words("a b c ", 2) == "b c "
    assert first_words("a", 2) == last_words("a", 2) == "a"
    assert first_words("日本語", 2) == "日本"
