"""What each class gives beyond what LangChain's standard tests ask for."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import DOCUMENTS
from langchain_core.messages import ToolCall
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import RunnablePassthrough

import opendpr
from langchain_opendpr import OpenDPRAnswerer, OpenDPRAnswerTool, OpenDPREmbeddings, OpenDPRRetriever, VerbatimAnswer

ROOT = Path(__file__).resolve().parents[3]
TEXTS = {document.id: document.text for document in DOCUMENTS}
PIER, NOTHING = "Who built the pier?", "Who won the chess tournament in Lima?"


@pytest.fixture(scope="module")
def answerer(notes: Path) -> OpenDPRAnswerer:
    return OpenDPRAnswerer(collection=str(notes), k=4)


def test_documents_say_where_they_are_from(notes: Path) -> None:
    documents = OpenDPRRetriever(collection=str(notes), k=4).invoke(PIER)
    assert documents[0].id == "pier.txt"
    for document in documents:
        place = document.metadata
        assert TEXTS[place["document_id"]][place["start"] : place["end"]] == document.page_content
    assert documents[0].metadata["title"] == "Pier"
    scores = [document.metadata["score"] for document in documents]
    assert scores == sorted(scores, reverse=True)
    assert {document.metadata.get("page") for document in documents} == {None, 1}


def test_retrievers_filters_and_k_are_those_of_opendpr(notes: Path) -> None:
    for kind in ("hybrid", "dense", "bm25"):
        retriever = OpenDPRRetriever(collection=str(notes), retriever=kind, where="year = 1911")
        with opendpr.open(notes, retriever=kind) as collection:
            hits = collection.search("Orvik", 5, "year = 1911")
        assert [document.id for document in retriever.invoke("Orvik")] == [hit.passage.document_id for hit in hits]
    assert [document.id for document in retriever.invoke("Orvik pier", where="year > 1911")] == ["pier.txt"]


async def test_one_after_the_other_at_once_and_in_batches_give_the_same(notes: Path, answerer: OpenDPRAnswerer) -> None:
    retriever = OpenDPRRetriever(collection=str(notes), k=2)
    questions = [PIER, "When does the lighthouse shine?", "Why was the ferry late?"]
    alone = [retriever.invoke(question) for question in questions]
    assert retriever.batch(questions) == alone
    assert await retriever.abatch(questions) == alone
    assert await retriever.ainvoke(PIER, k=1, where="year = 1911") == retriever.invoke(PIER, k=1, where="year = 1911")
    answers = [answerer.invoke(question) for question in questions]
    assert answerer.batch(questions) == answers
    assert await answerer.abatch(questions) == answers


def test_an_answer_is_verbatim_and_none_is_given_where_none_is_sure(answerer: OpenDPRAnswerer) -> None:
    answer = answerer.invoke(PIER)
    assert isinstance(answer, VerbatimAnswer)
    assert answer.text == "Marta Lindqvist" == TEXTS[answer.document_id][answer.start : answer.end]
    assert 0 < answer.confidence <= 1
    assert answer.passage == TEXTS["pier.txt"]
    assert answerer.invoke(NOTHING) is None
    assert answerer.model_copy(update={"where": "year > 2000"}).invoke(PIER) is None


def test_a_thorough_answerer_reads_all_passages(notes: Path, tmp_path: Path) -> None:
    opendpr.add(tmp_path / "piers", [(str(number), f"{DOCUMENTS[0].text} {number}") for number in range(8)])
    read = {}
    for thorough in (False, True):
        record = OpenDPRAnswerer(collection=str(tmp_path / "piers"), thorough=thorough).ask(PIER)
        read[thorough] = sum("reader" in passage.parts for passage in record.passages)
    assert read == {False: 6, True: 8}


def test_a_tool_gives_the_model_words_to_quote_or_the_closest_passage(answerer: OpenDPRAnswerer) -> None:
    tool = OpenDPRAnswerTool(answerer=answerer)
    call = ToolCall(name=tool.name, args={"question": PIER}, id="1", type="tool_call")
    message = tool.invoke(call)
    assert re.match(
        r'"Marta Lindqvist" \(confidence 0\.\d\d; pier\.txt, characters \d+-\d+\)\nPassage: ', message.content
    )
    assert message.artifact == [answerer.invoke(PIER)]
    message = tool.invoke({**call, "args": {"question": NOTHING}})
    assert message.content.startswith("No answer: nothing in the passages read answers the question surely.\nClosest")
    assert message.artifact == []
    nowhere = OpenDPRAnswerTool(answerer=answerer.model_copy(update={"where": "year > 2000"}))
    assert nowhere.invoke({"question": PIER}) == "No answer: nothing in the passages read answers the question surely."


def test_vectors_are_those_of_opendpr() -> None:
    embeddings, encoder = OpenDPREmbeddings(), opendpr.load_encoder()
    assert embeddings.embed_query(PIER) == pytest.approx(encoder.encode_questions(PIER).tolist(), abs=1e-6)
    passages = [document.text for document in DOCUMENTS]
    for own, vector in zip(embeddings.embed_documents(passages), encoder.encode_passages(passages), strict=True):
        assert own == pytest.approx(vector.tolist(), abs=1e-6)
    assert embeddings.embed_documents([]) == []


def test_it_is_a_part_of_a_chain(notes: Path) -> None:
    prompt = ChatPromptTemplate.from_template("{passages}\n{question}")
    retriever = OpenDPRRetriever(collection=str(notes), k=1)
    chain = {"passages": retriever | (lambda found: found[0].page_content), "question": RunnablePassthrough()} | prompt
    assert chain.invoke(PIER).to_messages()[0].content == f"{TEXTS['pier.txt']}\n{PIER}"


@pytest.fixture
def served(notes: Path) -> Iterator[str]:
    """The address of a service of the collection."""
    import subprocess
    import sys

    command = [sys.executable, "-m", "opendpr", "serve", str(notes), "--port", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, encoding="utf-8") as process:
        assert process.stderr
        lines = iter(process.stderr.readline, "")
        yield next(match[0] for line in lines if (match := re.search(r"http://[\d.:]+\d", line)))
        process.terminate()


def test_a_service_gives_what_the_collection_gives(served: str, notes: Path, answerer: OpenDPRAnswerer) -> None:
    here, there = (OpenDPRRetriever(collection=place, k=2).invoke(PIER) for place in (str(notes), served))
    assert [document.id for document in here] == [document.id for document in there]
    remote = OpenDPRAnswerer(collection=served, k=4)
    for question in (PIER, NOTHING):
        mine, theirs = answerer.invoke(question), remote.invoke(question)
        assert (mine and mine.text) == (theirs and theirs.text)


def test_what_is_wrong_is_said_at_once(notes: Path, tmp_path: Path) -> None:
    with pytest.raises(opendpr.StateError, match="does not exist"):
        OpenDPRRetriever(collection=str(tmp_path / "none"))
    with pytest.raises(opendpr.StateError, match="nothing"):
        OpenDPREmbeddings(model="nothing")
    with pytest.raises(opendpr.UsageError, match="expected a value"):
        OpenDPRRetriever(collection=str(notes), where="year >").invoke(PIER)


def test_a_token_is_not_shown() -> None:
    retriever = OpenDPRRetriever(collection="http://127.0.0.1:8000", token="correct-horse-battery")
    assert "correct-horse" not in f"{retriever!r} {retriever.model_dump()}"


def blocks(page: Path, heading: str) -> list[str]:
    """The blocks of Python below a heading of a page."""
    section = page.read_text(encoding="utf-8").partition(f"# {heading}\n\n")[2].split("\n## ")[0]
    return re.findall(r"^```python\n(.*?)^```", section, re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize(
    ("page", "headings"),
    [
        ("integrations/langchain-opendpr/README.md", ["langchain-opendpr"]),
        ("docs/integrations.md", ["Integrations", "LangChain"]),
    ],
)
def test_the_examples_run(page: str, headings: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    for heading in headings:
        (example,) = blocks(ROOT / page, heading)
        exec(example, names)
