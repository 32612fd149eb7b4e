"""How a connection ends whose request is refused before it has arrived.

Closed at once, with bytes of the request unread, TCP resets it, and the refusal is lost to a client that still sends.
So the reply ends this side of the connection, and what arrives is dropped until the client closes its own: RFC 9112
(9.6). Both time and bytes are bounded.
"""

import asyncio
from asyncio import AbstractEventLoop, Transport

from shared.limits import drained_bytes_max, drained_s_max


def end_after_reply(loop: AbstractEventLoop, transport: Transport, protocol: asyncio.Protocol) -> None:
    """To be called when the reply is written; `protocol` still hears of the connection's end."""
    transport.write_eof()
    transport.set_protocol(_Drain(loop, transport, protocol))


class _Drain(asyncio.Protocol):
    def __init__(self, loop: AbstractEventLoop, transport: Transport, protocol: asyncio.Protocol) -> None:
        self._transport = transport
        self._protocol = protocol
        self._left_bytes = drained_bytes_max
        self._timer = loop.call_later(drained_s_max, transport.close)

    def data_received(self, data: bytes) -> None:
        self._left_bytes -= len(data)
        if self._left_bytes < 0:
            self._transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self._timer.cancel()
        self._protocol.connection_lost(exc)
