"""The socket that the service listens at."""

from __future__ import annotations

import asyncio
import socket

from opendpr.serving.uvicorn import _listen


def test_an_answer_does_not_wait_for_the_acknowledgement_of_its_headers() -> None:
    async def option() -> int:
        found = asyncio.get_running_loop().create_future()

        class Protocol(asyncio.Protocol):
            def connection_made(self, transport: asyncio.BaseTransport) -> None:
                connection = transport.get_extra_info("socket")
                found.set_result(connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
                transport.close()

        bound = _listen("127.0.0.1", 0)
        server = await asyncio.get_running_loop().create_server(Protocol, sock=bound)
        async with server:
            _, writer = await asyncio.open_connection(*bound.getsockname())
            option = await found
            writer.close()
        return int(option)

    assert asyncio.run(option()) == 1
