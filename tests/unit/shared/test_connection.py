"""Connections between regions, with other sides that misbehave."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from shared import connection
from shared.connection import Answer, Endpoint, NoAnswerError
from tests.unit.stream_server import Serve, stream_server

reply = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"


@asynccontextmanager
async def serving(handle: Serve) -> AsyncIterator[Endpoint]:
    """A server that hands every connection to `handle`, and an endpoint that speaks to it."""
    async with stream_server(handle) as port:
        endpoint = Endpoint(f"http://127.0.0.1:{port}", headers={"X-Caller": "me"})
        try:
            yield endpoint
        finally:
            await endpoint.close()


async def read_request(reader: asyncio.StreamReader) -> tuple[str, bytes]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    length = [int(line.split(":")[1]) for line in head.splitlines() if line.lower().startswith("content-length")]
    return head, await reader.readexactly(length[0]) if length else b""


async def test_requests_share_a_connection_one_after_the_other() -> None:
    """A handshake a request would double the time of a change across an ocean."""
    connections = 0
    heads = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        for _ in range(2):
            head, body = await read_request(reader)
            heads.append((head, body))
            writer.write(reply)

    async with serving(handle) as endpoint:
        assert await endpoint.post("/a", b"body", headers={"Content-Type": "text/plain"}, silence_s=5) == Answer(
            200, b"hello"
        )
        assert await endpoint.get("/b?c=d", silence_s=5) == Answer(200, b"hello")
    assert connections == 1
    assert heads[0][0].startswith("POST /a HTTP/1.1\r\nHost: 127.0.0.1:")
    assert {"X-Caller: me", "Content-Type: text/plain", "Content-Length: 4"} <= set(heads[0][0].split("\r\n"))
    assert heads[0][1] == b"body"
    assert heads[1][0].startswith("GET /b?c=d HTTP/1.1\r\n")


async def test_requests_at_once_have_connections_of_their_own() -> None:
    """A long poll must not hold up an acknowledgement."""
    released = asyncio.Event()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            head, _ = await read_request(reader)
            if "/slow" in head:
                await released.wait()
            writer.write(reply)

    async with serving(handle) as endpoint:
        slow = asyncio.create_task(endpoint.get("/slow", silence_s=5))
        await asyncio.sleep(0)
        await endpoint.get("/quick", silence_s=5)
        assert not slow.done()
        released.set()
        await slow


async def test_a_connection_that_the_other_side_closed_is_not_used_again() -> None:
    """Servers close idle connections; the next request must not pay for it."""
    connections = []
    closed = asyncio.Event()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(writer)
        await read_request(reader)
        writer.write(reply)
        await writer.drain()
        if len(connections) == 1:
            writer.close()
            await writer.wait_closed()
            closed.set()

    async with serving(handle) as endpoint:
        await endpoint.get("/", silence_s=5)
        await closed.wait()
        assert await endpoint.get("/", silence_s=5) == Answer(200, b"hello")
    assert len(connections) == 2


async def test_a_connection_that_the_other_side_will_close_is_not_used_again() -> None:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")

    async with serving(handle) as endpoint:
        for _ in range(2):
            assert await endpoint.get("/", silence_s=5) == Answer(200, b"")


async def test_a_body_in_chunks_is_put_together() -> None:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b"HTTP/1.1 409 Conflict\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
        writer.write(b"2\r\nde\r\n0\r\n\r\n")

    async with serving(handle) as endpoint:
        assert await endpoint.get("/", silence_s=5) == Answer(409, b"abcde")


async def test_silence_ends_a_request_and_its_connection() -> None:
    """Behind a cut that swallows packets the connection stands for hours."""

    async def handle(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async with serving(handle) as endpoint:
        with pytest.raises(NoAnswerError, match=r"no answer within 0\.05 s"):
            await endpoint.get("/", silence_s=0.05)


async def test_an_answer_that_keeps_coming_is_not_silence() -> None:
    """A snapshot page over a slow line takes longer than any single wait."""
    step = asyncio.Event()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n")
        for _ in range(8):
            writer.write(b"x")
            await writer.drain()
            step.clear()
            asyncio.get_running_loop().call_later(0.05, step.set)
            await step.wait()

    async with serving(handle) as endpoint:
        assert (await endpoint.get("/", silence_s=0.25)).body == b"x" * 8


@pytest.mark.parametrize(
    "sent", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhalf", b"SSH-2.0-OpenSSH_9.2\r\n\r\n", b"\x00" * 64]
)
async def test_anything_but_a_whole_answer_is_none(sent: bytes) -> None:
    """The other side died in the middle, or another program has its port."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(sent)

    async with serving(handle) as endpoint:
        with pytest.raises(NoAnswerError):
            await endpoint.get("/", silence_s=5)


async def test_an_answer_without_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever arrives is bounded."""
    monkeypatch.setattr(connection, "answer_bytes_max", 1000)

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            writer.write(b"64\r\n" + b"x" * 100 + b"\r\n")
            await writer.drain()

    async with serving(handle) as endpoint:
        with pytest.raises(NoAnswerError):
            await endpoint.get("/", silence_s=5)


async def test_nobody_listening_is_told_at_once() -> None:
    endpoint = Endpoint("http://127.0.0.1:1", headers={})
    with pytest.raises(NoAnswerError, match=r"127\.0\.0\.1:1"):
        async with asyncio.timeout(5):
            await endpoint.get("/", silence_s=30)
    await endpoint.close()


async def test_errors_call_the_other_side_by_its_name_if_it_has_one() -> None:
    """Its address may be a relay's, which tells nobody which region is away."""
    endpoint = Endpoint("http://127.0.0.1:1", name="us-east-1")
    with pytest.raises(NoAnswerError, match=r"^us-east-1 can't be reached: Connection refused$"):
        await endpoint.get("/", silence_s=30)
    await endpoint.close()


async def test_a_side_that_speaks_no_tls_is_told_in_the_words_of_tls() -> None:
    """Its errors have numbers that mean something else to the system."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    async with serving(handle) as plain:
        endpoint = Endpoint(plain.name.replace("http:", "https:"), name="us-east-1")
        with pytest.raises(NoAnswerError, match=r"^us-east-1 can't be reached: \[SSL"):
            await endpoint.get("/", silence_s=30)
        await endpoint.close()


async def test_a_connection_that_breaks_is_told_in_plain_words() -> None:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.close()

    async with serving(handle) as endpoint:
        with pytest.raises(NoAnswerError, match=r" broke off the connection$"):
            await endpoint.get("/", silence_s=30)


async def test_closing_ends_requests_under_way_and_later_ones() -> None:
    """A link that is ended must not wait for its long poll."""
    arrived = asyncio.Event()

    async def handle(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        arrived.set()
        await reader.read()

    async with serving(handle) as endpoint:
        waiting = asyncio.create_task(endpoint.get("/", silence_s=30))
        await arrived.wait()
        await endpoint.close()
        for request in (waiting, endpoint.get("/", silence_s=30)):
            with pytest.raises(NoAnswerError):
                await request
