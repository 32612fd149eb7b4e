"""An HTTP server on loopback that answers as a test tells it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

from services.lab.ports import loopback

Respond = Callable[[str, bytes], Awaitable[bytes]]  # request line and body -> the bytes of the response


@asynccontextmanager
async def http_stub(respond: Respond) -> AsyncIterator[str]:
    """The server's endpoint."""
    writers: list[asyncio.StreamWriter] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        with suppress(asyncio.IncompleteReadError, ConnectionResetError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                length = int(head.lower().partition("content-length: ")[2].partition("\r\n")[0] or 0)
                response = await respond(head.partition("\r\n")[0], await reader.readexactly(length))
                writer.write(response)
                if not response or b"Connection: close" in response:
                    writer.close()
                    return

    server = await asyncio.start_server(serve, loopback, 0)
    try:
        yield f"http://{loopback}:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for writer in writers:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()


def ok(body: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
