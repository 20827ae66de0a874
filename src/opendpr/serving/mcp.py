"""Tools for a language model, by the official SDK of the Model Context Protocol, over standard input and output."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Annotated

from mcp.server import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.types import ToolAnnotations
from pydantic import Field

import opendpr
from opendpr.choices import DEFAULT_RETRIEVER, MOST_TOOL_PASSAGES, READ_PASSAGES, SEARCH_PASSAGES, RetrieverName
from opendpr.errors import OpendprError
from opendpr.serving.batching import FullError
from opendpr.serving.records import REQUEST_LIMITS, AskRecord, SearchRecord
from opendpr.serving.service import Service, Wanted

Question = Annotated[
    str, Field(min_length=1, max_length=REQUEST_LIMITS["question_characters"], description="In plain words.")
]
Retriever = Annotated[
    RetrieverName,
    Field(description="hybrid suits most questions; bm25 finds exact words and names; dense finds paraphrases."),
]
Where = Annotated[
    str | None,
    Field(
        max_length=REQUEST_LIMITS["where_characters"],
        description="Only documents whose metadata meet this, as: year >= 2019 and source = 'manual'.",
    ),
]
READING_TOOL = ToolAnnotations(read_only_hint=True, open_world_hint=False)


def make_server(service: Service, about: str) -> MCPServer:
    """The tools of one collection; `about` tells the model what is in it."""
    server = MCPServer("opendpr", version=opendpr.__version__, instructions=about)

    @server.tool(annotations=READING_TOOL, structured_output=True)
    async def ask(
        question: Question,
        k: Annotated[int, Field(ge=1, le=MOST_TOOL_PASSAGES, description="Passages to read.")] = READ_PASSAGES,
        answers: Annotated[int, Field(ge=1, le=20, description="Different answers to give.")] = 3,
        retriever: Retriever = DEFAULT_RETRIEVER,
        where: Where = None,
    ) -> AskRecord:
        """Answer a question with verbatim words of the documents.

        Each answer comes with a confidence and the places where it occurs. Quote the words as they are and name
        document_id. If answerable is false, nothing in the passages read answers the question surely: there are no
        answers, and the passage that comes closest is the first one.
        """
        with _errors_shown():
            return without_guesses(await service.ask(Wanted(question, retriever, k, where), answers))

    @server.tool(annotations=READING_TOOL, structured_output=True)
    async def search(
        question: Question,
        k: Annotated[int, Field(ge=1, le=MOST_TOOL_PASSAGES, description="Passages to find.")] = SEARCH_PASSAGES,
        retriever: Retriever = DEFAULT_RETRIEVER,
        where: Where = None,
    ) -> SearchRecord:
        """Find the passages of the documents that fit a question best, best first."""
        with _errors_shown():
            return await service.search(Wanted(question, retriever, k, where))

    return server


def without_guesses(record: AskRecord) -> AskRecord:
    """The record without answers that are not likely enough, which a model might quote; the closest passage first."""
    if record.answerable or not record.answers:
        return record
    closest = record.answers[0].spans[0].passage_id
    return replace(
        record, answers=[], passages=sorted(record.passages, key=lambda passage: passage.passage_id != closest)
    )


@contextmanager
def _errors_shown() -> Iterator[None]:
    """Show the model what is wrong, so that it can ask differently; the SDK hides other errors."""
    try:
        yield
    except (OpendprError, FullError) as error:
        raise ToolError(str(error)) from None


def run(service: Service, about: str) -> None:
    """Serve until standard input ends."""
    make_server(service, about).run("stdio")
