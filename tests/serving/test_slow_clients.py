"""Clients that stop half-way or send head without end, on real sockets; only the sweep's clock is given."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import uvicorn
from uvicorn.server import ServerState

from snapml_jupyter.serving.one_write import MAX_HEAD_BYTES, OneWriteProtocol
from snapml_jupyter.serving.slow_clients import BODY_SECONDS, HEAD_SECONDS, READ_SECONDS, SlowClients

LARGE = 8 * 2**20


async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Answers with the length of the body, or with much."""
    n_bytes, more = 0, True
    while more:
        message = await receive()
        if message["type"] != "http.request":
            return
        n_bytes += len(message["body"])
        more = message.get("more_body", False)
    content = bytes(LARGE) if scope["path"] == "/large" else b"%d" % n_bytes
    headers = [(b"content-length", b"%d" % len(content))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": content})


Connect = Callable[[bytes], Awaitable[tuple[asyncio.StreamReader, asyncio.StreamWriter]]]


def serve(test: Callable[[SlowClients, Connect], Awaitable[None]]) -> None:
    """Run `test(slow_clients, connect)` beside a server; `connect(sent)` opens a connection and sends."""

    async def run() -> None:
        config = uvicorn.Config(application, http=OneWriteProtocol, lifespan="off", log_config=None, ws="none")
        state = ServerState()
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: OneWriteProtocol(config, state, {}), "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        writers = []

        async def connect(sent: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writers.append(writer)
            writer.write(sent)
            await asyncio.sleep(0.05)
            return reader, writer

        await test(SlowClients(state.connections), connect)
        for writer in writers:
            writer.close()
        server.close()
        await asyncio.sleep(0.05)

    asyncio.run(run())


def test_only_who_keeps_the_server_waiting_too_long_is_closed() -> None:
    async def check(slow_clients: SlowClients, connect: Connect) -> None:
        silent, _ = await connect(b"")
        head, _ = await connect(b"GET / HTTP/1.1\r\nho")
        body, _ = await connect(b"POST / HTTP/1.1\r\ncontent-length: 5\r\n\r\nab")
        idle, idle_writer = await connect(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
        late, late_writer = await connect(b"GET / HTTP/1.1\r\n")
        assert (await idle.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200")
        assert slow_clients.sweep(0.0) == 0
        late_writer.write(b"host: x\r\n\r\n")
        await late.readuntil(b"\r\n\r\n0")
        late_writer.write(b"GET")  # the first was answered, a second has begun
        await asyncio.sleep(0.05)
        assert slow_clients.sweep(HEAD_SECONDS - 1) == 0
        assert slow_clients.sweep(HEAD_SECONDS + 1) == 2
        assert (await silent.read()).startswith(b"HTTP/1.1 408 ")
        assert (await head.read()).startswith(b"HTTP/1.1 408 ")
        assert slow_clients.sweep(2 * HEAD_SECONDS + 1) == 1
        assert (await late.read()).count(b"HTTP/1.1 408 ") == 1
        assert slow_clients.sweep(BODY_SECONDS + 1) == 1
        assert (await body.read()).startswith(b"HTTP/1.1 408 ")
        assert slow_clients.sweep(10 * BODY_SECONDS) == 0
        idle_writer.write(b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
        assert b"HTTP/1.1 200" in await idle.read(), "a connection that is merely idle is left alone"

    serve(check)


def test_an_answer_that_nobody_reads_is_given_up() -> None:
    async def check(slow_clients: SlowClients, connect: Connect) -> None:
        sent = b"GET /large HTTP/1.1\r\nhost: x\r\n\r\n" * 2
        await connect(sent)
        assert slow_clients.sweep(0.0) == 0
        assert slow_clients.sweep(READ_SECONDS + 1) == 1
        await asyncio.sleep(0.05)
        assert slow_clients.sweep(2 * READ_SECONDS + 3) == 0

    serve(check)


def test_a_head_without_end_is_cut_off() -> None:
    async def check(_: SlowClients, connect: Connect) -> None:
        for start in (b"GET / HTTP/1.1\r\nx: ", b"GET /"):
            reader, _ = await connect(start + b"y" * (MAX_HEAD_BYTES + 10))
            assert (await reader.read()).startswith(b"HTTP/1.1 431 ")
        # After the answer to a request that was refused early, or in the trailer of a body.
        reader, writer = await connect(b"POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n0\r\nx: ")
        writer.write(b"y" * (MAX_HEAD_BYTES + 10))
        assert await reader.read() == b""

    serve(check)


def test_a_long_body_and_a_long_but_bounded_head_are_taken() -> None:
    async def check(_: SlowClients, connect: Connect) -> None:
        length = 5 * MAX_HEAD_BYTES
        head = b"POST / HTTP/1.1\r\nx: %b\r\nconnection: close\r\ncontent-length: %d\r\n\r\n"
        reader, writer = await connect(head % (b"y" * 8000, length))
        writer.write(bytes(length))
        assert (await reader.read()).endswith(b"\r\n\r\n%d" % length)

    serve(check)
