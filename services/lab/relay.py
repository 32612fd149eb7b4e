"""A TCP relay in front of one source region, for one target's replicator: the place where a link can be cut.

A cut swallows packets, as a broken network does: nobody is told, open connections fall silent, new ones are accepted
and stay silent. Healing closes what fell silent and lets new connections through.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import cast

from services.lab.ports import loopback

backlog = 128


class Relay:
    """One listening port on loopback that stands for one port of a source."""

    def __init__(self, upstream_port: int) -> None:
        self.upstream_port = upstream_port
        self.is_cut = False
        self._server: asyncio.Server | None = None
        self._sides: set[_Side] = set()
        self._connecting: set[asyncio.Task[None]] = set()

    async def listen(self) -> int:
        """Begins to accept; returns the port."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Accepted(self), loopback, 0, backlog=backlog)
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    def cut(self) -> None:
        self.is_cut = True
        for side in self._sides:
            side.read_on()

    def heal(self) -> None:
        if self.is_cut:
            self.is_cut = False
            self._drop_connections()

    def close(self) -> None:
        if self._server is not None:
            self._server.close()
        for task in self._connecting:
            task.cancel()
        self._drop_connections()

    def opened(self, side: "_Side") -> None:
        self._sides.add(side)

    def lost(self, side: "_Side") -> None:
        self._sides.discard(side)

    def connect(self, accepted: "_Side") -> None:
        """Opens the way to the source in the background; a source that isn't there loses the connection."""
        task = asyncio.create_task(self._connect(accepted))
        self._connecting.add(task)
        task.add_done_callback(self._connecting.discard)

    async def _connect(self, accepted: "_Side") -> None:
        loop = asyncio.get_running_loop()
        try:
            await loop.create_connection(lambda: _Side(self, peer=accepted), loopback, self.upstream_port)
        except OSError:
            accepted.close()

    def _drop_connections(self) -> None:
        for side in list(self._sides):
            side.abort()


class _Side(asyncio.Protocol):
    """One of the two connections of a relayed one; what arrives here leaves through the peer."""

    def __init__(self, relay: Relay, peer: "_Side | None" = None) -> None:
        self._relay = relay
        self._peer = peer
        self._transport: asyncio.Transport | None = None
        self._early: list[bytes] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's do not derive from it
        self._relay.opened(self)
        if self._peer is not None:
            self._peer.join(self)

    def data_received(self, data: bytes) -> None:
        if self._relay.is_cut:
            return
        if self._peer is None:
            self._early.append(data)  # uvloop may deliver what it read before it was told to hold
        else:
            self._peer.write(data)

    def pause_writing(self) -> None:
        if self._peer is not None and not self._relay.is_cut:
            self._peer.hold()

    def resume_writing(self) -> None:
        if self._peer is not None:
            self._peer.read_on()

    def connection_lost(self, _error: Exception | None) -> None:
        self._relay.lost(self)
        # During a cut the other end learns nothing of it; healing drops that end too.
        if self._peer is not None and not self._relay.is_cut:
            self._peer.close()

    def join(self, peer: "_Side") -> None:
        self._peer = peer
        if self._transport is None or self._transport.is_closing():
            peer.close()
        else:
            peer.write(b"".join(self._early))
            self._early.clear()
            self.read_on()

    def write(self, data: bytes) -> None:
        self._if_open(lambda transport: transport.write(data))

    def hold(self) -> None:
        self._if_open(lambda transport: transport.pause_reading())

    def read_on(self) -> None:
        self._if_open(lambda transport: transport.resume_reading())

    def close(self) -> None:
        self._if_open(lambda transport: transport.close())

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def _if_open(self, act: Callable[[asyncio.Transport], None]) -> None:
        if self._transport is not None and not self._transport.is_closing():
            with suppress(RuntimeError):  # uvloop refuses to resume what isn't paused
                act(self._transport)


class _Accepted(_Side):
    """The side of the replicator: nothing is read before the source's side is open, unless the link is cut."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        if not self._relay.is_cut:
            self.hold()
            self._relay.connect(self)
