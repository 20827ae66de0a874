"""`opendpr mcp`, asked by the client of the official SDK."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from conftest import command

from served import PIER

pytest.importorskip("mcp")


def test_a_language_model_asks_and_searches(rivers: Path, serve_environment: dict[str, str]) -> None:
    from mcp import ClientSession, StdioServerParameters
    from mcp.client.stdio import stdio_client

    program, *arguments = command("mcp", rivers)
    parameters = StdioServerParameters(command=program, args=arguments, env=serve_environment)

    async def talk() -> tuple[Any, ...]:
        async with stdio_client(parameters) as (read, write), ClientSession(read, write) as session:
            started = await session.initialize()
            tools = await session.list_tools()
            asked = await session.call_tool("ask", {"question": "Who built the pier of Orvik?", "answers": 1})
            reply = await session.call_tool("search", {"question": "pier of Orvik", "k": 1, "retriever": "bm25"})
            wrong = await session.call_tool("search", {"question": "pier", "where": "year >"})
            return started, tools, asked, reply, wrong

    started, tools, asked, reply, wrong = asyncio.run(talk())
    assert "rivers" in started.instructions
    assert {tool.name: tool.annotations.read_only_hint for tool in tools.tools} == {"ask": True, "search": True}
    (answer,) = asked.structured_content["answers"]
    assert 0 <= answer["confidence"] <= 1
    (passage,) = reply.structured_content["passages"]
    assert passage["text"] == PIER
    assert wrong.is_error
    assert "filter" in wrong.content[0].text
