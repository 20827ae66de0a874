"""LangChain's standard tests of retrievers, embeddings and tools."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from langchain_tests.integration_tests import (
    EmbeddingsIntegrationTests,
    RetrieversIntegrationTests,
    ToolsIntegrationTests,
)
from langchain_tests.unit_tests import EmbeddingsUnitTests, ToolsUnitTests

from langchain_opendpr import OpenDPRAnswerer, OpenDPRAnswerTool, OpenDPREmbeddings, OpenDPRRetriever


class OverNotes:
    """Gives the standard tests a collection."""

    @pytest.fixture(autouse=True)
    def _notes(self, notes: Path) -> None:
        self.notes = str(notes)


class TestRetriever(OverNotes, RetrieversIntegrationTests):
    @property
    def retriever_constructor(self) -> type[OpenDPRRetriever]:
        return OpenDPRRetriever

    @property
    def retriever_constructor_params(self) -> dict[str, Any]:
        return {"collection": self.notes}

    @property
    def retriever_query_example(self) -> str:
        return "Who built the pier?"


class TestEmbeddings(EmbeddingsIntegrationTests):
    @property
    def embeddings_class(self) -> type[OpenDPREmbeddings]:
        return OpenDPREmbeddings


class TestEmbeddingsUnit(EmbeddingsUnitTests):
    @property
    def embeddings_class(self) -> type[OpenDPREmbeddings]:
        return OpenDPREmbeddings


class OverAnswerer(OverNotes):
    """Gives the standard tests a tool."""

    @property
    def tool_constructor(self) -> type[OpenDPRAnswerTool]:
        return OpenDPRAnswerTool

    @property
    def tool_constructor_params(self) -> dict[str, Any]:
        return {"answerer": OpenDPRAnswerer(collection=self.notes)}

    @property
    def tool_invoke_params_example(self) -> dict[str, Any]:
        return {"question": "Who built the pier?"}


class TestTool(OverAnswerer, ToolsIntegrationTests):
    pass


class TestToolUnit(OverAnswerer, ToolsUnitTests):
    pass
