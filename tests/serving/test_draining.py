"""A server that stops answers what has connected, what is being sent, and one request more of every kept connection."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import pytest
import uvicorn
import uvloop

from snapml_jupyter.serving.one_write import OneWriteProtocol
from snapml_jupyter.serving.server import WorkerServer

REQUEST = b"POST /x HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\n\r\nhi"
Stop = Callable[[], Coroutine[Any, Any, None]]


async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Says what it was sent."""
    body = (await receive())["body"]
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(body))]})
    await send({"type": "http.response.body", "body": body})


def serve(test: Callable[[tuple[str, int], Stop], Awaitable[None]]) -> None:
    """Run `test(address, stop)` beside a server in the same event loop; `await stop()` ends it."""

    async def run() -> None:
        config = uvicorn.Config(application, http=OneWriteProtocol, ws="none", lifespan="off", log_config=None)
        said: list[bool] = []
        server = WorkerServer(config, lambda: said.append(True))
        listener = socket.create_server(("127.0.0.1", 0))
        config.load()
        server.lifespan = config.lifespan_class(config)
        await server.startup([listener])
        assert said == [True]

        await asyncio.wait_for(test(listener.getsockname(), lambda: server.shutdown([listener])), 20)

    uvloop.run(run())


async def answer(reader: asyncio.StreamReader) -> bytes:
    """One answer: head and the two bytes of the body."""
    return await reader.readuntil(b"\r\n\r\n") + await reader.readexactly(2)


def test_connections_that_nobody_has_accepted_are_answered() -> None:
    async def check(address: tuple[str, int], stop: Stop) -> None:
        waiting = [socket.create_connection(address) for _ in range(20)]  # the event loop has no turn in between
        for connection in waiting:
            connection.sendall(REQUEST)
        await stop()
        for connection in waiting:
            reader, writer = await asyncio.open_connection(sock=connection)
            said = await answer(reader)
            assert said.startswith(b"HTTP/1.1 200")
            assert b"connection: close" in said
            writer.close()
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(address)

    serve(check)


@pytest.mark.parametrize("n_before", [0, 1], ids=["a fresh connection", "a kept connection"])
def test_a_request_sent_after_the_stop_is_the_connections_last(n_before: int) -> None:
    async def check(address: tuple[str, int], stop: Stop) -> None:
        reader, writer = await asyncio.open_connection(*address)
        for _ in range(n_before):
            writer.write(REQUEST)
            assert b"connection: close" not in await answer(reader)
        await asyncio.sleep(0.05)
        stopping = asyncio.create_task(stop())
        await asyncio.sleep(0.05)
        writer.write(REQUEST)
        said = await answer(reader)
        assert said.startswith(b"HTTP/1.1 200")
        assert b"connection: close" in said
        assert await reader.read() == b""
        writer.close()
        await stopping

    serve(check)


def test_a_connection_that_sends_nothing_is_closed() -> None:
    async def check(address: tuple[str, int], stop: Stop) -> None:
        reader, writer = await asyncio.open_connection(*address)
        await asyncio.sleep(0.05)
        await asyncio.wait_for(stop(), 5)
        assert await reader.read() == b""
        writer.close()

    serve(check)
