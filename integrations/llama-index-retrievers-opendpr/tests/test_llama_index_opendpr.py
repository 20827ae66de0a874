"""LlamaIndex's classes over a collection."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import DOCUMENTS
from llama_index.core.base.base_query_engine import BaseQueryEngine
from llama_index.core.base.base_retriever import BaseRetriever
from llama_index.core.base.embeddings.base import BaseEmbedding
from llama_index.core.ingestion import IngestionPipeline
from llama_index.core.schema import MetadataMode, QueryBundle, TextNode
from llama_index.core.tools import QueryEngineTool
from llama_index.core.vector_stores import FilterCondition, FilterOperator, MetadataFilter, MetadataFilters

import opendpr
from llama_index.embeddings.opendpr import OpenDPREmbedding
from llama_index.retrievers.opendpr import OpenDPRQueryEngine, OpenDPRRetriever
from llama_index.retrievers.opendpr.filters import where_of

ROOT = Path(__file__).resolve().parents[3]
TEXTS = {document.id: document.text for document in DOCUMENTS}
PIER, NOTHING = "Who built the pier?", "Who won the chess tournament in Lima?"


@pytest.mark.parametrize(
    ("own", "base"),
    [(OpenDPRRetriever, BaseRetriever), (OpenDPREmbedding, BaseEmbedding), (OpenDPRQueryEngine, BaseQueryEngine)],
)
def test_each_class_has_its_base_class(own: type, base: type) -> None:
    assert base.__name__ in [parent.__name__ for parent in own.__mro__]


@pytest.fixture(scope="module")
def retriever(notes: str) -> OpenDPRRetriever:
    return OpenDPRRetriever(notes, similarity_top_k=4)


@pytest.fixture(scope="module")
def engine(retriever: OpenDPRRetriever) -> OpenDPRQueryEngine:
    return OpenDPRQueryEngine(retriever, k=4)


def test_nodes_say_where_they_are_from(retriever: OpenDPRRetriever) -> None:
    nodes = retriever.retrieve(PIER)
    assert nodes[0].node_id == "pier.txt" == nodes[0].node.ref_doc_id
    for node in nodes:
        place = node.metadata
        assert TEXTS[place["document_id"]][place["start"] : place["end"]] == node.text
    scores = [node.score for node in nodes]
    assert scores == sorted(scores, key=lambda score: -(score or 0))
    assert {node.metadata.get("page") for node in nodes} == {None, 1}
    assert nodes[0].get_content(MetadataMode.LLM) == f"title: Pier\n\n{TEXTS['pier.txt']}"


def test_retrievers_and_filters_are_those_of_opendpr(notes: str) -> None:
    for kind in ("hybrid", "dense", "bm25"):
        nodes = OpenDPRRetriever(notes, retriever=kind, where="year = 1911").retrieve("Orvik")
        with opendpr.open(notes, retriever=kind) as collection:
            hits = collection.search("Orvik", 5, "year = 1911")
        assert [node.node_id for node in nodes] == [hit.passage.document_id for hit in hits]


def filters(*parts: Any, condition: FilterCondition = FilterCondition.AND) -> MetadataFilters:
    return MetadataFilters(filters=list(parts), condition=condition)


def compare(key: str, operator: str, value: Any) -> MetadataFilter:
    return MetadataFilter(key=key, value=value, operator=FilterOperator(operator))


@pytest.mark.parametrize(
    ("chosen", "ids"),
    [
        (filters(compare("year", "==", 1911)), {"light.txt", "ferry.txt"}),
        (filters(compare("year", "!=", 1911)), {"pier.txt"}),
        (filters(compare("year", ">", 1911)), {"pier.txt"}),
        (filters(compare("year", "<=", 1931), compare("title", "==", "Light")), {"light.txt"}),
        (filters(compare("title", "in", ["Pier", "Two"])), {"pier.txt", "two.pdf"}),
        (filters(compare("title", "nin", ["Pier", "Two"])), {"light.txt", "ferry.txt"}),
        (filters(compare("title", "in", [])), set()),
        (filters(compare("title", "nin", [])), set(TEXTS)),
        (filters(compare("year", "is_empty", None)), {"two.pdf"}),
        (filters(compare("by", "==", "it's")), {"ferry.txt"}),
        (filters(compare("document_id", "==", "two.pdf")), {"two.pdf"}),
        (
            filters(compare("year", ">", 1911), compare("title", "==", "Two"), condition=FilterCondition.OR),
            {"pier.txt", "two.pdf"},
        ),
        (filters(compare("year", "==", 1911), condition=FilterCondition.NOT), {"pier.txt", "two.pdf"}),
        (filters(filters(compare("year", "<", 1920)), compare("title", "!=", "Ferry")), {"light.txt"}),
        (filters(), set(TEXTS)),
    ],
)
def test_filters_of_llama_index_mean_the_same_here(notes: str, chosen: MetadataFilters, ids: set[str]) -> None:
    retrieved = OpenDPRRetriever(notes, filters=chosen, retriever="dense", similarity_top_k=4).retrieve("Orvik")
    assert {node.node_id for node in retrieved} == ids


def test_a_filter_and_one_of_opendpr_must_both_be_met() -> None:
    assert where_of(filters(compare("year", "==", 1)), "a = 1 or b = 1") == "(a = 1 or b = 1) and ((year = 1))"
    assert where_of(None, "a = 1") == "(a = 1)"
    assert where_of(None) is None


@pytest.mark.parametrize(
    "wrong", [compare("tags", "any", ["x"]), compare("tags", "contains", "x"), compare("x", "in", "x")]
)
def test_a_filter_that_cannot_be_searched_by_is_refused(notes: str, wrong: MetadataFilter) -> None:
    with pytest.raises(opendpr.UsageError, match=r"cannot be searched by|takes a list"):
        OpenDPRRetriever(notes, filters=filters(wrong))


def test_an_answer_is_verbatim_with_its_confidence_and_place(engine: OpenDPRQueryEngine) -> None:
    response = engine.query(PIER)
    place = response.metadata
    assert str(response) == "Marta Lindqvist" == TEXTS[place["document_id"]][place["start"] : place["end"]]
    assert place["answerable"] and 0 < place["confidence"] <= 1
    assert response.source_nodes[0].node_id == "pier.txt"
    assert len(response.source_nodes) == 4


def test_no_answer_is_given_where_none_is_sure(engine: OpenDPRQueryEngine, notes: str) -> None:
    response = engine.query(NOTHING)
    assert str(response) == "Empty Response"
    assert response.metadata == {"answerable": False}
    assert len(response.source_nodes) == 4
    nothing = OpenDPRRetriever(notes, where="year > 2000")
    response = OpenDPRQueryEngine(nothing, empty_response="Nothing is said of it.").query(PIER)
    assert (str(response), response.source_nodes) == ("Nothing is said of it.", [])


async def test_it_is_asynchronous(engine: OpenDPRQueryEngine, retriever: OpenDPRRetriever) -> None:
    assert [node.node_id for node in await retriever.aretrieve(PIER)] == [
        node.node_id for node in retriever.retrieve(PIER)
    ]
    assert str(await engine.aquery(PIER)) == "Marta Lindqvist"
    embedding = OpenDPREmbedding()
    assert await embedding.aget_query_embedding(PIER) == embedding.get_query_embedding(PIER)
    assert await embedding.aget_text_embedding_batch(list(TEXTS.values())) == embedding.get_text_embedding_batch(
        list(TEXTS.values())
    )
    assert await embedding.aget_text_embedding("pier") == embedding.get_text_embedding("pier")


def test_an_engine_is_a_tool_and_gives_the_passages_of_its_retriever(engine: OpenDPRQueryEngine) -> None:
    tool = QueryEngineTool.from_defaults(engine, name="notes", description="Notes of Orvik.")
    assert tool(PIER).content == "Marta Lindqvist"
    assert engine.retrieve(QueryBundle(PIER))[0].node_id == "pier.txt"


def test_a_thorough_engine_reads_all_passages(tmp_path: Path) -> None:
    opendpr.add(tmp_path / "piers", [(str(number), f"{DOCUMENTS[0].text} {number}") for number in range(8)])
    retriever = OpenDPRRetriever(str(tmp_path / "piers"))
    for thorough, most in ((False, 6), (True, 8)):
        record = retriever.ask(PIER, 8, thorough=thorough)
        assert sum("reader" in passage.parts for passage in record.passages) == most
    assert str(OpenDPRQueryEngine(retriever, thorough=True).query(PIER)) == "Marta Lindqvist"


def test_vectors_are_those_of_opendpr_and_go_into_a_pipeline() -> None:
    embedding, encoder = OpenDPREmbedding(embed_batch_size=2), opendpr.load_encoder()
    assert embedding.get_query_embedding(PIER) == pytest.approx(encoder.encode_questions(PIER).tolist(), abs=1e-6)
    texts = list(TEXTS.values())
    nodes = IngestionPipeline(transformations=[embedding]).run(nodes=[TextNode(text=text) for text in texts])
    for node, vector in zip(nodes, encoder.encode_passages(texts), strict=True):
        assert node.embedding == pytest.approx(vector.tolist(), abs=1e-3)
    assert embedding.to_dict()["model_name"] == "opendpr-minilm"
    assert embedding.class_name() == "OpenDPREmbedding"


@pytest.fixture
def served(notes: str) -> Iterator[str]:
    """The address of a service of the collection."""
    command = [sys.executable, "-m", "opendpr", "serve", notes, "--port", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, encoding="utf-8") as process:
        assert process.stderr
        lines = iter(process.stderr.readline, "")
        yield next(match[0] for line in lines if (match := re.search(r"http://[\d.:]+\d", line)))
        process.terminate()


def test_a_service_gives_what_the_collection_gives(served: str, engine: OpenDPRQueryEngine) -> None:
    remote = OpenDPRRetriever(served, similarity_top_k=4)
    assert [node.node_id for node in remote.retrieve(PIER)] == [
        node.node_id for node in engine.retrieve(QueryBundle(PIER))
    ]
    for question in (PIER, NOTHING):
        assert str(OpenDPRQueryEngine(remote, k=4).query(question)) == str(engine.query(question))


def test_what_is_wrong_is_said_at_once(notes: str, tmp_path: Path) -> None:
    with pytest.raises(opendpr.StateError, match="does not exist"):
        OpenDPRRetriever(str(tmp_path / "none"))
    with pytest.raises(opendpr.StateError, match="nothing"):
        OpenDPREmbedding("nothing")
    with pytest.raises(opendpr.UsageError, match="expected a value"):
        OpenDPRRetriever(notes, where="year >").retrieve(PIER)


def blocks(page: Path, heading: str) -> list[str]:
    """The blocks of Python below a heading of a page."""
    section = page.read_text(encoding="utf-8").partition(f"# {heading}\n\n")[2].split("\n## ")[0]
    return re.findall(r"^```python\n(.*?)^```", section, re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize(
    ("page", "headings"),
    [
        ("integrations/llama-index-retrievers-opendpr/README.md", ["llama-index-retrievers-opendpr"]),
        ("docs/integrations.md", ["Integrations", "LlamaIndex"]),
    ],
)
def test_the_examples_run(page: str, headings: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    for heading in headings:
        (example,) = blocks(ROOT / page, heading)
        exec(example, names)
