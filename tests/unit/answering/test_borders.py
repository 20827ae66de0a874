"""No answer is lost where a passage ends: the reader sees words beyond its borders."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from opendpr.answering.borders import HEADER_PASSAGES, with_borders
from opendpr.collection import Collection, open_collection
from opendpr.maintenance.add import AddSettings, add
from opendpr.model.directory import Model
from opendpr.model.reader import BertReader
from opendpr.text.splitting import Splitter, first_words, last_words
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
    asked: list[str] = []
    found, model = hits(stored), with_words(tiny_model, 30)
    stored._connection.set_exec_trace(lambda cursor, statement, bindings: asked.append(statement) or True)
    with_borders(stored, [found] * 3, model)
    assert len([statement for statement in asked if "FROM passages" in statement]) == 1


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


def test_words_are_counted_from_either_end() -> None:
    assert first_words(" a b c", 2) == " a b"
    assert last_words("a b c ", 2) == "b c "
    assert first_words("a", 2) == last_words("a", 2) == "a"
    assert first_words("日本語", 2) == "日本"
