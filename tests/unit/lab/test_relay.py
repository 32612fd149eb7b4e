"""Relays: transparent while whole, silent while cut, and fresh after healing."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from typing import NamedTuple

import pytest

from services.lab.links import Link, Links
from services.lab.ports import loopback
from services.lab.relay import Relay
from shared.errors import OperatorError
from tests.unit.stream_server import stream_server

silence_s = 0.1
patience_s = 5.0


class Streams(NamedTuple):
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def echo(self, data: bytes) -> bytes:
        self.writer.write(data)
        async with asyncio.timeout(patience_s):
            return await self.reader.readexactly(len(data))

    async def close(self) -> None:
        self.writer.close()
        with suppress(OSError):
            await self.writer.wait_closed()

    async def is_silent(self) -> bool:
        try:
            async with asyncio.timeout(silence_s):
                await self.reader.read(1)
        except TimeoutError:
            return True
        return False

    async def is_closed(self) -> bool:
        async with asyncio.timeout(patience_s):
            try:
                return await self.reader.read(1) == b""
            except ConnectionResetError:
                return True


Connect = Callable[[int], Awaitable[Streams]]


class Source(NamedTuple):
    """An echo server that remembers what it heard."""

    port: int
    heard: bytearray
    connections: list[Streams]


@pytest.fixture
async def source() -> AsyncIterator[Source]:
    heard = bytearray()
    connections: list[Streams] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(Streams(reader, writer))
        while data := await reader.read(65_536):
            heard.extend(data)
            writer.write(data)
            await writer.drain()

    async with stream_server(serve) as port:
        yield Source(port, heard, connections)


@pytest.fixture
async def relay(source: Source) -> AsyncIterator[Relay]:
    relay = Relay(source.port)
    yield relay
    relay.close()


@pytest.fixture
async def links() -> AsyncIterator[Links]:
    links = Links(["a", "b"])
    yield links
    links.close()


@pytest.fixture
async def connect() -> AsyncIterator[Connect]:
    opened: list[Streams] = []

    async def connect(port: int) -> Streams:
        opened.append(Streams(*await asyncio.open_connection(loopback, port)))
        return opened[-1]

    yield connect
    for streams in opened:
        await streams.close()


async def test_bytes_pass_in_both_directions(relay: Relay, connect: Connect) -> None:
    client = await connect(await relay.listen())
    assert await client.echo(b"hello") == b"hello"
    assert await client.echo(b"again") == b"again"


async def test_what_a_client_sends_at_once_is_not_lost(relay: Relay, connect: Connect) -> None:
    """It may arrive before the way to the source is open."""
    port = await relay.listen()
    for number in range(50):
        client = await connect(port)
        assert await client.echo(b"%d" % number) == b"%d" % number


async def test_a_slow_reader_holds_the_source_back_and_loses_nothing(relay: Relay, connect: Connect) -> None:
    client = await connect(await relay.listen())
    data = bytes(range(256)) * 40_000
    client.writer.write(data)
    async with asyncio.timeout(patience_s):
        assert await client.reader.readexactly(len(data)) == data


async def test_a_close_passes_in_both_directions(relay: Relay, source: Source, connect: Connect) -> None:
    port = await relay.listen()
    client = await connect(port)
    await client.echo(b"x")
    source.connections[0].writer.close()
    assert await client.is_closed()
    client = await connect(port)
    await client.echo(b"x")
    client.writer.close()
    async with asyncio.timeout(patience_s):
        await source.connections[1].writer.wait_closed()


async def test_a_source_that_is_not_there_ends_the_connection(connect: Connect) -> None:
    relay = Relay(1)
    client = await connect(await relay.listen())
    assert await client.is_closed()
    relay.close()


async def test_a_cut_silences_open_connections_without_closing_them(
    relay: Relay, source: Source, connect: Connect
) -> None:
    client = await connect(await relay.listen())
    await client.echo(b"before")
    relay.cut()
    client.writer.write(b"lost")
    source.connections[0].writer.write(b"lost too")
    assert await client.is_silent()
    assert bytes(source.heard) == b"before"


async def test_a_cut_accepts_new_connections_and_keeps_them_silent(
    relay: Relay, source: Source, connect: Connect
) -> None:
    port = await relay.listen()
    relay.cut()
    client = await connect(port)
    client.writer.write(b"anybody there?")
    assert await client.is_silent()
    assert not source.connections


async def test_the_end_of_one_side_is_not_told_to_the_other_during_a_cut(
    relay: Relay, source: Source, connect: Connect
) -> None:
    client = await connect(await relay.listen())
    await client.echo(b"x")
    relay.cut()
    source.connections[0].writer.close()
    assert await client.is_silent()


async def test_healing_closes_what_was_silent_and_lets_new_connections_through(relay: Relay, connect: Connect) -> None:
    port = await relay.listen()
    old = await connect(port)
    await old.echo(b"x")
    relay.cut()
    new = await connect(port)
    relay.heal()
    assert await old.is_closed()
    assert await new.is_closed()
    fresh = await connect(port)
    assert await fresh.echo(b"back") == b"back"


async def test_healing_what_is_not_cut_disturbs_nobody(relay: Relay, connect: Connect) -> None:
    client = await connect(await relay.listen())
    await client.echo(b"x")
    relay.heal()
    assert await client.echo(b"y") == b"y"


async def test_a_link_is_cut_in_its_direction_only(links: Links, source: Source, connect: Connect) -> None:
    to_b = await connect(await links.open(Link("a", "b"), port=source.port))
    to_a = await connect(await links.open(Link("b", "a"), port=source.port))
    await to_b.echo(b"x")
    await to_a.echo(b"x")
    links.cut(Link("a", "b"))
    to_b.writer.write(b"lost")
    assert await to_a.echo(b"y") == b"y"
    assert await to_b.is_silent()
    assert links.cuts == {Link("a", "b"): None}
    assert links.heal_all() == [Link("a", "b")]
    assert await to_b.is_closed()


async def test_a_cut_with_a_term_heals_by_itself(links: Links, source: Source, connect: Connect) -> None:
    client = await connect(await links.open(Link("a", "b"), port=source.port))
    await client.echo(b"x")
    links.cut(Link("a", "b"), for_s=0.02)
    assert await client.is_closed()
    assert links.cuts == {}


async def test_a_second_cut_replaces_the_term_of_the_first(links: Links, source: Source, connect: Connect) -> None:
    client = await connect(await links.open(Link("a", "b"), port=source.port))
    await client.echo(b"x")
    links.cut(Link("a", "b"), for_s=0.01)
    links.cut(Link("a", "b"))
    assert await client.is_silent()
    assert links.cuts == {Link("a", "b"): None}


@pytest.mark.parametrize("link", [Link("a", "a"), Link("a", "c"), Link("c", "a")])
async def test_a_link_that_is_not_there_can_not_be_cut(link: Link) -> None:
    with pytest.raises(OperatorError, match="there is no link"):
        Links(["a", "b"]).cut(link)
