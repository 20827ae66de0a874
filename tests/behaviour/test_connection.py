"""`opendpr.connect`: a path and a service are asked in the same words, and answer with the same records."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

import opendpr
from opendpr.serving.service import Service, Wanted
from opendpr.serving.settings import Settings
from served import RIVERS, Served

EXACT = opendpr.RuntimeSettings("openvino", "fp32")
PIER = "Who built the pier of Orvik?"
GIVEN = "year >= 1901 or id in ('sub/é #?.txt', 'two.pdf')"
"""The documents of the collection, without what other tests put into it."""


@pytest.fixture(scope="module")
def local(served: Served) -> Iterator[opendpr.Connection]:
    connection = opendpr.connect(served.collection, runtime=EXACT)
    yield connection
    connection.close()


@pytest.fixture(scope="module")
def remote(served: Served) -> Iterator[opendpr.Connection]:
    connection = opendpr.connect(served.url)
    yield connection
    connection.close()


def without_figures(value: Any) -> Any:
    """A record without its scores, which the batches of a service change in the last bits."""
    if isinstance(value, dict):
        return {name: without_figures(member) for name, member in value.items()}
    if isinstance(value, list):
        return [without_figures(member) for member in value]
    return None if isinstance(value, float) else value


@pytest.mark.parametrize("retriever", ["hybrid", "dense", "bm25"])
def test_a_path_and_a_service_give_the_same_records(
    local: opendpr.Connection, remote: opendpr.Connection, retriever: Any
) -> None:
    searched = [place.search(PIER, 3, retriever=retriever, where=GIVEN) for place in (local, remote)]
    assert "sub/é #?.txt" in {passage.document_id for passage in searched[0].passages}
    asked = [
        place.ask(PIER, 6, answers=2, retriever=retriever, where=GIVEN, thorough=True) for place in (local, remote)
    ]
    assert len(asked[0].answers) == 2
    for here, there in (searched, asked):
        assert without_figures(asdict(here)) == without_figures(asdict(there))


@pytest.mark.parametrize("place", ["local", "remote"])
def test_several_threads_ask_at_once(place: str, request: pytest.FixtureRequest) -> None:
    connection = request.getfixturevalue(place)
    questions = [f"Which river runs through {town}?" for town in RIVERS.values()] * 5
    alone = {question: connection.search(question, 2).passages[0].document_id for question in questions}
    with ThreadPoolExecutor(8) as threads:
        together = threads.map(lambda question: connection.search(question, 2).passages[0].document_id, questions)
        assert list(together) == [alone[question] for question in questions]


def test_a_folder_is_indexed(tmp_path: Path, tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = tmp_path / "papers"
    folder.mkdir()
    (folder / "pier.txt").write_text("The pier was built by Marta Lindqvist.")
    connection = opendpr.connect(folder, tiny_model)
    assert [passage.document_id for passage in connection.search("pier").passages] == ["pier.txt"]
    connection.close()
    connection.close()


def test_what_does_not_fit_is_refused(rivers: Path, tiny_model: Path, tmp_path: Path) -> None:
    with pytest.raises(opendpr.UsageError, match="a token is for a service"):
        opendpr.connect(rivers, token="secret")
    with pytest.raises(opendpr.UsageError, match="answers with its own model"):
        opendpr.connect("http://127.0.0.1:8000", tiny_model)
    with pytest.raises(opendpr.UsageError, match="expected an address as http"):
        opendpr.connect("http://")
    with pytest.raises(opendpr.StateError, match="does not exist"):
        opendpr.connect(tmp_path / "none")
    with pytest.raises(opendpr.StateError, match="does not answer"):
        opendpr.connect("http://127.0.0.1:9").search("pier")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"k": 0}, "k must be"),
        ({"retriever": "none"}, "must be"),
        ({"where": "year >"}, "expected a value"),
        ({"k": "2"}, "k must be"),
        ({"question": None}, "the question must be a string, got None"),
        ({"question": b"pier"}, "the question must be a string"),
        ({"question": " "}, "question is empty"),
    ],
)
def test_both_refuse_the_same_questions(
    local: opendpr.Connection, remote: opendpr.Connection, arguments: Any, message: str
) -> None:
    for place in (local, remote):
        for verb in (place.search, place.ask):
            with pytest.raises(opendpr.UsageError, match=message):
                verb(**{"question": "pier"} | arguments)


@pytest.mark.parametrize("answers", [-1, 0, "2", True, None])
def test_both_refuse_what_is_no_number_of_answers(
    local: opendpr.Connection, remote: opendpr.Connection, answers: Any
) -> None:
    for place in (local, remote):
        with pytest.raises(opendpr.UsageError, match="answers must be a whole number from 1"):
            place.ask("pier", answers=answers)


@pytest.mark.parametrize("kind", ["path", "service"])
def test_what_was_closed_takes_no_question(kind: str, rivers: Path, served: Served) -> None:
    with opendpr.connect(rivers if kind == "path" else served.url) as connection:
        assert connection.search("pier", 1).passages
    connection.close()
    for verb in (connection.search, connection.ask):
        with pytest.raises(opendpr.UsageError, match="was closed; connect again"):
            verb("pier")


def test_the_scheme_of_an_address_may_be_in_capitals(served: Served) -> None:
    with opendpr.connect(served.url.replace("http", "HTTP")) as connection:
        assert connection.search("pier", 1).passages


@pytest.mark.parametrize("address", ["http://127.0.0.1:80a0", "http://127.0.0.1:99999", "http://[::1"])
def test_an_address_that_is_none_is_refused_at_once(address: str) -> None:
    with pytest.raises(opendpr.UsageError, match=f"expected an address as .*{re.escape(address)}"):
        opendpr.connect(address)


@pytest.mark.parametrize("token", ["geheimer\nbrief", "пароль-из-слов"])
def test_a_token_that_no_header_carries_is_refused_without_being_shown(token: str) -> None:
    with pytest.raises(opendpr.UsageError, match="expected printable ASCII") as caught:
        opendpr.connect("http://127.0.0.1:9", token=token)
    assert token not in str(caught.value) and caught.value.__cause__ is None


def test_a_token_may_end_with_the_line_end_of_its_file(served: Served) -> None:
    with opendpr.connect(served.url, token="a-token-of-a-file\n") as connection:
        assert connection.search("pier", 1).passages


def test_a_collection_without_vectors_is_refused_with_what_makes_them(tmp_path: Path, tiny_model: Path) -> None:
    opendpr.add(tmp_path / "words", [("a", "The pier is long.")], vectors=False)
    for model in (None, tiny_model):
        with pytest.raises(opendpr.StateError, match=r"'opendpr encode .*words'") as caught:
            opendpr.connect(tmp_path / "words", model)
        assert "--retriever" not in str(caught.value)


def test_a_thorough_answer_has_all_passages_read(tiny_model: Path, tmp_path: Path) -> None:
    model = shutil.copytree(tiny_model, tmp_path / "sure")
    config = json.loads((model / "config.json").read_text())
    (model / "config.json").write_text(json.dumps(config | {"confidence": {"hybrid": {"bias": 5, "threshold": 0.5}}}))
    opendpr.add(
        tmp_path / "piers", [(f"{number}", f"Pier number {number} is long.") for number in range(8)], str(model)
    )
    local, service = opendpr.connect(tmp_path / "piers"), Service(Settings(tmp_path / "piers"))

    async def both() -> list[Any]:
        wanted = Wanted(PIER, k=8)
        return [*await asyncio.gather(service.ask(wanted, 1), service.ask(wanted._replace(thorough=True), 1))]

    quick, full = asyncio.run(both())
    for record, read in ((quick, 6), (full, 8), (local.ask(PIER, 8), 6), (local.ask(PIER, 8, thorough=True), 8)):
        assert record.answerable
        assert sum("reader" in passage.parts for passage in record.passages) == read
    service.close()
