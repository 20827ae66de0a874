"""Data sets of ir_datasets by their ids: fields of its documents, queries and judgements, and what is refused."""

from __future__ import annotations

import sys
from itertools import count
from pathlib import Path

import pytest

from opendpr.errors import InputError, OpendprError
from opendpr.interop import Judgement, read_passages, read_qrels, read_questions
from opendpr.types import Document, Question

ir_datasets = pytest.importorskip("ir_datasets")
NUMBERS = count()


class Fixed:
    """A part of a data set that is in memory, as the package's own formats are on disk."""

    def __init__(self, kind: str, *records: object) -> None:
        setattr(self, f"{kind}_handler", lambda: self)
        setattr(self, f"{kind}_iter", lambda: iter(records))


def registered(*parts: object) -> Path:
    """The id of a data set of these parts."""
    name = f"local/{next(NUMBERS)}"
    ir_datasets.registry.register(name, ir_datasets.datasets.base.Dataset(*parts))
    return Path(f"irds:{name}")


def test_a_local_data_set_is_read_as_files_are(tmp_path):
    (tmp_path / "docs.tsv").write_text("d1\tAlbi is on the Tarn.\n")
    (tmp_path / "queries.tsv").write_text("q1\tWhere is Albi?\nq2\tWho?\n")
    (tmp_path / "qrels").write_text("q1 0 d1 1\nq1 0 d2 0\n")
    dataset = ir_datasets.create_dataset(
        **{name: str(tmp_path / file) for name, file in (("docs_tsv", "docs.tsv"), ("queries_tsv", "queries.tsv"))},
        qrels_trec=str(tmp_path / "qrels"),
    )
    name = f"local/{next(NUMBERS)}"
    ir_datasets.registry.register(name, dataset)
    path = Path(f"irds:{name}")
    assert list(read_passages(path)) == [Document("d1", "", "Albi is on the Tarn.")]
    assert list(read_questions(path)) == [
        Question("q1", "Where is Albi?", document_ids=("d1",)),
        Question("q2", "Who?"),
    ]
    assert list(read_qrels(path)) == [Judgement("q1", "d1", 1), Judgement("q1", "d2", 0)]


def test_answers_come_from_queries_and_from_judgements():
    from ir_datasets.datasets.dpr_w100 import DprW100Doc, DprW100Query
    from ir_datasets.datasets.natural_questions import NqQrel

    path = registered(
        Fixed("docs", DprW100Doc("1", "Albi is on the Tarn.", "Albi")),
        Fixed("queries", DprW100Query("q1", "which river", ("Tarn", "")), DprW100Query("q2", "who", ())),
        Fixed("qrels", NqQrel("q1", "1", 1, ["the Tarn", "Tarn"], "NONE"), NqQrel("q2", "1", 0, ["no"], "NONE")),
    )
    assert list(read_passages(path)) == [Document("1", "Albi", "Albi is on the Tarn.")]
    assert list(read_questions(path)) == [
        Question("q1", "which river", ("Tarn", "the Tarn"), document_ids=("1",)),
        Question("q2", "who"),
    ]


def test_titles_and_texts_have_the_names_that_data_sets_give_them():
    from ir_datasets.datasets.beir import BeirDoc
    from ir_datasets.datasets.natural_questions import NqPassageDoc
    from ir_datasets.formats import TrecQuery

    path = registered(
        Fixed(
            "docs",
            BeirDoc("a", "On the Tarn.", "Albi", {}),
            NqPassageDoc("0-1", "On the Lot.", "<p>", 0, 1, 0, 1, "Cahors", "https://x", None),
        ),
        Fixed("queries", TrecQuery("301", "rivers", "Which rivers?", "Any river.")),
    )
    assert list(read_passages(path)) == [
        Document("a", "Albi", "On the Tarn."),
        Document("0-1", "Cahors", "On the Lot."),
    ]
    assert list(read_questions(path)) == [Question("301", "rivers")]


def test_what_a_data_set_does_not_have_is_refused_by_name():
    path = registered(Fixed("queries"))
    with pytest.raises(InputError, match=r"irds:local/\d+ has no docs, only queries"):
        list(read_passages(path))
    with pytest.raises(InputError, match="knows no data set 'no/such'"):
        list(read_questions(Path("irds:no/such")))


def test_a_data_set_that_cannot_be_fetched_is_refused():
    def refuse():
        raise ConnectionError("no route to host")

    unreachable = Fixed("queries")
    unreachable.queries_iter = refuse
    with pytest.raises(InputError, match="cannot be fetched: no route to host"):
        list(read_questions(registered(unreachable)))


def test_without_the_package_the_error_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "ir_datasets", None)
    with pytest.raises(OpendprError, match=r"irds:beir/nq needs ir_datasets; pip install 'opendpr\[irds\]'"):
        list(read_questions(Path("irds:beir/nq")))
