"""A TCP server on loopback for one test, which leaves no connection behind."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def stream_server(serve: Serve) -> AsyncIterator[int]:
    """Its port. A connection is `serve`'s until that returns, breaks off with its client, or the test is over."""
    arrived: asyncio.Queue[asyncio.StreamWriter] = asyncio.Queue()
    serving: list[asyncio.Task[None]] = []

    async def serve_and_close(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError):
                await serve(reader, writer)
        finally:
            writer.close()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        arrived.put_nowait(writer)  # at once: a task that has not begun when the test ends closes nothing
        serving.append(asyncio.create_task(serve_and_close(reader, writer)))

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    address: tuple[str, int] = server.sockets[0].getsockname()
    try:
        yield address[1]
    finally:
        writers: list[asyncio.StreamWriter] = []
        with socket.create_connection(address) as last:  # they are accepted in order: with it, all are known
            name = last.getsockname()
            while not writers or writers[-1].get_extra_info("peername") != name:
                writers.append(await arrived.get())
        server.close()
        for writer in writers:
            writer.transport.abort()
        for task in serving:
            task.cancel()
        await asyncio.gather(*serving, *(writer.wait_closed() for writer in writers), return_exceptions=True)
