"""Haystack's components over a collection."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import DOCUMENTS
from haystack import Document, ExtractedAnswer, Pipeline
from haystack.core.serialization import component_from_dict, component_to_dict
from haystack.document_stores.types import FilterPolicy
from haystack.errors import FilterError
from haystack.utils import Secret

import opendpr
from haystack_integrations.components.embedders.opendpr import OpenDPRDocumentEmbedder, OpenDPRTextEmbedder
from haystack_integrations.components.readers.opendpr import OpenDPRAnswerer, OpenDPRReader
from haystack_integrations.components.retrievers.opendpr import OpenDPRRetriever
from haystack_integrations.components.retrievers.opendpr.filters import where_of

ROOT = Path(__file__).resolve().parents[3]
TEXTS = {document.id: document.text for document in DOCUMENTS}
PIER, NOTHING = "Who built the pier?", "Who won the chess tournament in Lima?"
EARLY = {"field": "meta.year", "operator": "<", "value": 1920}
PLACES = "haystack_integrations.components"


@pytest.fixture(scope="module")
def retriever(notes: str) -> OpenDPRRetriever:
    return OpenDPRRetriever(notes, top_k=4)


@pytest.fixture(scope="module")
def answerer(retriever: OpenDPRRetriever) -> OpenDPRAnswerer:
    return OpenDPRAnswerer(retriever, read_passages=4)


@pytest.fixture(scope="module")
def reader() -> OpenDPRReader:
    return OpenDPRReader()


COMPONENTS: list[tuple[Any, str, dict[str, Any]]] = [
    (
        OpenDPRRetriever(
            "notes", filters=EARLY, filter_policy=FilterPolicy.MERGE, token=Secret.from_env_var("NOTES_TOKEN")
        ),
        "retrievers.opendpr.retriever.OpenDPRRetriever",
        {
            "collection": "notes",
            "top_k": 10,
            "filters": EARLY,
            "filter_policy": "merge",
            "where": None,
            "retriever": "hybrid",
            "model": None,
            "token": {"type": "env_var", "env_vars": ["NOTES_TOKEN"], "strict": True},
        },
    ),
    (
        OpenDPRTextEmbedder("my-model"),
        "embedders.opendpr.text_embedder.OpenDPRTextEmbedder",
        {"model": "my-model"},
    ),
    (
        OpenDPRDocumentEmbedder(title_field="name"),
        "embedders.opendpr.document_embedder.OpenDPRDocumentEmbedder",
        {"model": "opendpr-minilm", "title_field": "name"},
    ),
    (
        OpenDPRReader(top_k=3, score_threshold=0.5, no_answer=False),
        "readers.opendpr.reader.OpenDPRReader",
        {"model": "opendpr-minilm", "top_k": 3, "score_threshold": 0.5, "no_answer": False},
    ),
    (
        OpenDPRAnswerer(OpenDPRRetriever("notes", where="year > 1900"), top_k=2, thorough=True),
        "readers.opendpr.answerer.OpenDPRAnswerer",
        {
            "retriever": OpenDPRRetriever("notes", where="year > 1900").to_dict(),
            "top_k": 2,
            "read_passages": 20,
            "thorough": True,
        },
    ),
]


@pytest.mark.parametrize(("own", "name", "parameters"), COMPONENTS, ids=[name for _, name, _ in COMPONENTS])
def test_to_dict_and_from_dict(own: Any, name: str, parameters: dict[str, Any]) -> None:
    data = component_to_dict(own, "it")
    assert data == {"type": f"{PLACES}.{name}", "init_parameters": parameters}
    again = component_from_dict(type(own), data, "it")
    assert type(again) is type(own)
    assert again.to_dict() == data


def test_a_token_is_never_saved() -> None:
    with pytest.raises(ValueError, match="token"):
        OpenDPRRetriever("notes", token=Secret.from_token("correct-horse")).to_dict()


def test_a_pipeline_is_saved_and_loaded(notes: str) -> None:
    pipeline = Pipeline()
    pipeline.add_component("retriever", OpenDPRRetriever(notes, top_k=2))
    pipeline.add_component("reader", OpenDPRReader(top_k=1))
    pipeline.connect("retriever.documents", "reader.documents")
    loaded = Pipeline.loads(pipeline.dumps())
    answers = loaded.run({"retriever": {"query": PIER}, "reader": {"query": PIER}})["reader"]["answers"]
    assert [answer.data for answer in answers] == ["Marta Lindqvist", None]


def test_documents_say_where_they_are_from(retriever: OpenDPRRetriever) -> None:
    documents = retriever.run(PIER)["documents"]
    assert documents[0].id == "pier.txt"
    for document in documents:
        place = document.meta
        assert TEXTS[place["document_id"]][place["start"] : place["end"]] == document.content
    assert [document.score for document in documents] == sorted((one.score for one in documents), reverse=True)
    assert {document.meta.get("page") for document in documents} == {None, 1}
    assert len(retriever.run(PIER, top_k=1)["documents"]) == 1


def test_retrievers_and_filters_are_those_of_opendpr(notes: str) -> None:
    for kind in ("hybrid", "dense", "bm25"):
        documents = OpenDPRRetriever(notes, retriever=kind, where="year = 1911").run("Orvik")["documents"]
        with opendpr.open(notes, retriever=kind) as collection:
            hits = collection.search("Orvik", 10, "year = 1911")
        assert [document.id for document in documents] == [hit.passage.document_id for hit in hits]


def compare(field: str, operator: str, value: Any) -> dict[str, Any]:
    return {"field": field, "operator": operator, "value": value}


def join(operator: str, *conditions: Any) -> dict[str, Any]:
    return {"operator": operator, "conditions": list(conditions)}


FILTERS = [
    compare("meta.year", "==", 1911),
    compare("year", "==", 1911),
    compare("meta.year", "!=", 1911),
    compare("meta.year", ">", 1911),
    compare("meta.year", "<=", 1931),
    compare("meta.year", "==", None),
    compare("meta.year", "!=", None),
    compare("meta.by", "==", "it's"),
    compare("meta.title", "in", ["Pier", "Two"]),
    compare("meta.title", "not in", ["Pier", "Two"]),
    compare("meta.title", "in", []),
    compare("meta.year", "not in", [1911]),
    join("AND", compare("meta.year", ">=", 1911), compare("meta.title", "!=", "Ferry")),
    join("OR", compare("meta.year", ">", 1911), compare("meta.title", "==", "Two")),
    join("NOT", compare("meta.year", "==", 1911), compare("meta.title", "==", "Light")),
    join(
        "AND", join("OR", EARLY, compare("meta.title", "==", "Two")), join("NOT", compare("meta.title", "==", "Light"))
    ),
]


@pytest.mark.parametrize("filters", FILTERS, ids=str)
def test_filters_mean_what_haystack_itself_makes_of_them(notes: str, filters: dict[str, Any]) -> None:
    from haystack.utils.filters import document_matches_filter

    expected = {
        document.id
        for document in DOCUMENTS
        if document_matches_filter(
            filters, Document(id=document.id, meta={**document.metadata, "title": document.title})
        )
    }
    found = OpenDPRRetriever(notes, retriever="dense").run("Orvik", filters=filters)["documents"]
    assert {document.id for document in found} == expected


@pytest.mark.parametrize(
    "wrong",
    [
        {"year": 1911},
        compare("content", "==", "x"),
        compare("meta.year", "~", 1),
        compare("meta.year", "in", 1911),
        compare("meta.year", ">", None),
        {"field": "meta.year", "value": 1},
        join("XOR", EARLY),
    ],
    ids=str,
)
def test_what_is_no_filter_is_refused(notes: str, retriever: OpenDPRRetriever, wrong: dict[str, Any]) -> None:
    with pytest.raises(FilterError):
        OpenDPRRetriever(notes, filters=wrong)
    with pytest.raises(FilterError):
        retriever.run("Orvik", filters=wrong)


def test_filters_of_a_run_replace_those_of_the_component_or_are_added(notes: str) -> None:
    late = compare("meta.year", ">", 1911)
    replacing = OpenDPRRetriever(notes, filters=EARLY).run("pier", filters=late)["documents"]
    assert [document.id for document in replacing] == ["pier.txt"]
    merging = OpenDPRRetriever(notes, filters=EARLY, filter_policy=FilterPolicy.MERGE)
    assert merging.run("pier", filters=compare("meta.title", "==", "Pier"))["documents"] == []
    assert where_of(EARLY, "a = 1 or b = 1") == "(a = 1 or b = 1) and (year < 1920)"
    assert where_of(None) is None


def test_a_reader_marks_the_words_of_any_documents(reader: OpenDPRReader, retriever: OpenDPRRetriever) -> None:
    documents = [Document(content="The ferry was late."), Document(content=f"Once. {TEXTS['pier.txt']}"), Document()]
    answers = reader.run(PIER, documents)["answers"]
    best = answers[0]
    assert isinstance(best, ExtractedAnswer)
    assert (best.query, best.data, best.document, best.meta) == (PIER, "Marta Lindqvist", documents[1], {})
    assert best.document_offset and best.document and best.document.content
    assert best.document.content[best.document_offset.start : best.document_offset.end] == best.data
    assert sum(answer.data is None for answer in answers) == 1
    scores = [answer.score for answer in answers]
    assert scores == sorted(scores, reverse=True) and scores[-1] >= 0 and scores[0] <= 1
    assert ExtractedAnswer.from_dict(best.to_dict()) == best

    passages = retriever.run(PIER)["documents"]
    place = reader.run(PIER, passages, top_k=1, no_answer=False)["answers"][0].meta
    assert TEXTS[place["document_id"]][place["start"] : place["end"]] == "Marta Lindqvist"


def test_a_reader_says_that_there_is_no_answer(reader: OpenDPRReader, retriever: OpenDPRRetriever) -> None:
    documents = retriever.run(PIER)["documents"]
    assert [answer.data for answer in reader.run(PIER, documents, score_threshold=0.5)["answers"]] == [
        "Marta Lindqvist"
    ]
    unsure = reader.run(NOTHING, documents[:2], score_threshold=0.9, no_answer=False)["answers"]
    assert unsure == []
    (nothing,) = reader.run(PIER, [])["answers"]
    assert (nothing.data, nothing.score) == (None, 1.0)
    assert reader.run(PIER, [], no_answer=False)["answers"] == []


def test_an_answerer_gives_none_below_the_threshold(answerer: OpenDPRAnswerer) -> None:
    done = answerer.run(PIER)
    (answer,) = done["answers"]
    place = answer.meta
    assert answer.data == "Marta Lindqvist" == TEXTS[place["document_id"]][place["start"] : place["end"]]
    assert answer.document.id == "pier.txt" and 0 < answer.score <= 1
    offset = answer.document_offset
    assert answer.document.content[offset.start : offset.end] == answer.data
    assert len(done["documents"]) == 4
    assert answerer.run(NOTHING)["answers"] == []
    assert answerer.run(PIER, filters=EARLY, top_k=3)["answers"] == []


def test_a_thorough_answerer_reads_all_passages(tmp_path: Path) -> None:
    opendpr.add(tmp_path / "piers", [(str(number), f"{DOCUMENTS[0].text} {number}") for number in range(8)])
    retriever = OpenDPRRetriever(str(tmp_path / "piers"))
    for thorough, most in ((False, 6), (True, 8)):
        record = retriever.ask(PIER, 8, thorough=thorough)
        assert sum("reader" in passage.parts for passage in record.passages) == most
    (answer,) = OpenDPRAnswerer(retriever, thorough=True).run(PIER)["answers"]
    assert answer.data == "Marta Lindqvist"


def test_vectors_are_those_of_opendpr() -> None:
    encoder = opendpr.load_encoder()
    done = OpenDPRTextEmbedder().run(PIER)
    assert done["embedding"] == pytest.approx(encoder.encode_questions(PIER).tolist(), abs=1e-6)
    assert done["meta"] == {"model": "opendpr-minilm"}
    documents = [Document(content=one.text, meta={"title": one.title}) for one in DOCUMENTS] + [
        Document(content="pier")
    ]
    done = OpenDPRDocumentEmbedder().run(documents)
    vectors = encoder.encode_passages([*((one.title, one.text) for one in DOCUMENTS), "pier"])
    for document, own, vector in zip(documents, done["documents"], vectors, strict=True):
        assert own.embedding == pytest.approx(vector.tolist(), abs=1e-6)
        assert (own.id, own.content, document.embedding) == (document.id, document.content, None)
    assert OpenDPRDocumentEmbedder().run([])["documents"] == []


def test_embedders_take_what_is_theirs() -> None:
    with pytest.raises(TypeError, match="OpenDPRDocumentEmbedder"):
        OpenDPRTextEmbedder().run([Document(content="x")])
    with pytest.raises(TypeError, match="OpenDPRTextEmbedder"):
        OpenDPRDocumentEmbedder().run("x")


async def test_every_component_is_asynchronous(
    retriever: OpenDPRRetriever, answerer: OpenDPRAnswerer, reader: OpenDPRReader
) -> None:
    documents = retriever.run(PIER)["documents"]
    assert (await retriever.run_async(PIER, top_k=1))["documents"] == documents[:1]
    assert (await answerer.run_async(PIER))["answers"][0].data == "Marta Lindqvist"
    assert (await reader.run_async(PIER, documents, top_k=1))["answers"][0].data == "Marta Lindqvist"
    text, several = OpenDPRTextEmbedder(), OpenDPRDocumentEmbedder()
    assert await text.run_async(PIER) == text.run(PIER)
    assert (await several.run_async(documents))["documents"] == several.run(documents)["documents"]


@pytest.fixture
def served(notes: str) -> Iterator[str]:
    """The address of a service of the collection."""
    command = [sys.executable, "-m", "opendpr", "serve", notes, "--port", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, encoding="utf-8") as process:
        assert process.stderr
        lines = iter(process.stderr.readline, "")
        yield next(match[0] for line in lines if (match := re.search(r"http://[\d.:]+\d", line)))
        process.terminate()


def test_a_service_gives_what_the_collection_gives(
    served: str, retriever: OpenDPRRetriever, answerer: OpenDPRAnswerer
) -> None:
    remote = OpenDPRRetriever(served, top_k=4)
    here, there = retriever.run(PIER)["documents"], remote.run(PIER)["documents"]
    assert [document.id for document in here] == [document.id for document in there]
    for question in (PIER, NOTHING):
        mine, theirs = answerer.run(question), OpenDPRAnswerer(remote, read_passages=4).run(question)
        assert [answer.data for answer in mine["answers"]] == [answer.data for answer in theirs["answers"]]


def test_what_is_wrong_is_said_by_warm_up(tmp_path: Path, retriever: OpenDPRRetriever) -> None:
    with pytest.raises(opendpr.StateError, match="does not exist"):
        OpenDPRRetriever(str(tmp_path / "none")).warm_up()
    for kind in (OpenDPRTextEmbedder, OpenDPRDocumentEmbedder, OpenDPRReader):
        with pytest.raises(opendpr.StateError, match="nothing"):
            kind("nothing").warm_up()
    with pytest.raises(opendpr.UsageError, match="k must be"):
        retriever.run(PIER, top_k=0)
    with pytest.raises(opendpr.UsageError, match="answers must be"):
        OpenDPRAnswerer(retriever).run(PIER, top_k=0)


def blocks(page: Path, heading: str) -> list[str]:
    """The blocks of Python below a heading of a page."""
    section = page.read_text(encoding="utf-8").partition(f"# {heading}\n\n")[2].split("\n## ")[0]
    return re.findall(r"^```python\n(.*?)^```", section, re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize(
    ("page", "headings"),
    [
        ("integrations/opendpr-haystack/README.md", ["opendpr-haystack"]),
        ("docs/integrations.md", ["Integrations", "Haystack"]),
    ],
)
def test_the_examples_run(page: str, headings: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    for heading in headings:
        (example,) = blocks(ROOT / page, heading)
        exec(example, names)
