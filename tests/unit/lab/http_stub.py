"""An HTTP server on loopback that answers as a test tells it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from services.lab.ports import loopback
from tests.unit.stream_server import stream_server

Respond = Callable[[str, bytes], Awaitable[bytes]]  # request line and body -> the bytes of the response


@asynccontextmanager
async def http_stub(respond: Respond) -> AsyncIterator[str]:
    """The server's endpoint."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            length = int(head.lower().partition("content-length: ")[2].partition("\r\n")[0] or 0)
            writer.write(await respond(head.partition("\r\n")[0], await reader.readexactly(length)))

    async with stream_server(serve) as port:
        yield f"http://{loopback}:{port}"


def ok(body: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
