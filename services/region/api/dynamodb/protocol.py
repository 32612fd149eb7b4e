"""The short way of the DynamoDB endpoint: `POST /` is answered by uvicorn's protocol class itself.

A subclass of uvicorn's `HttpToolsProtocol` (its documented `http=` option). Requests for `/` by POST never become an
ASGI scope or a task: head and body are read here, bounded, and the reply is written to the transport as soon as the
operation has it, which for a point read is at once. Everything else goes to FastAPI as usual.
"""

import asyncio
import zlib
from asyncio import AbstractEventLoop, TimerHandle
from collections import deque
from typing import Any, ClassVar

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from services.region.api.dynamodb.endpoint import Endpoint, Reply
from shared.limits import request_body_bytes_max

_continue = b"HTTP/1.1 100 Continue\r\n\r\n"
_json_1_0 = b"application/x-amz-json-1.0"
_json = b"application/json"
_close = b"connection: close\r\n"
_cross_origin = b"access-control-allow-origin: *\r\naccess-control-expose-headers: x-amzn-requestid,x-amz-crc32\r\n"
_head_format = b"%b%bcontent-type: %b\r\ncontent-length: %d\r\nx-amzn-requestid: %b\r\nx-amz-crc32: %d\r\n%b\r\n"
_status_lines = {
    200: b"HTTP/1.1 200 OK\r\n",
    400: b"HTTP/1.1 400 Bad Request\r\n",
    404: b"HTTP/1.1 404 Not Found\r\n",
    413: b"HTTP/1.1 413 Request Entity Too Large\r\n",
    500: b"HTTP/1.1 500 Internal Server Error\r\n",
    503: b"HTTP/1.1 503 Service Unavailable\r\n",
}


class Exchange:
    """One request on the short way, from its head to its reply."""

    __slots__ = ("body", "body_bytes", "content_type", "has_origin", "keep_alive", "target")

    def __init__(self) -> None:
        self.target = b""
        self.content_type = b""
        self.has_origin = False
        self.keep_alive = True
        self.body: list[bytes] = []
        self.body_bytes = 0


class DynamoDBProtocol(HttpToolsProtocol):
    """Made per connection by uvicorn; `endpoint` is set by `protocol_for`."""

    endpoint: ClassVar[Endpoint]

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._reading: Exchange | None = None  # its body is arriving
        self._answering: Exchange | None = None  # its reply is awaited
        self._pipelined: deque[Exchange] = deque()
        self._idle_timer: TimerHandle | None = None
        self._active_s = 0.0
        self._is_overrun = False
        self._is_stopping = False

    # uvicorn's callbacks

    def on_message_begin(self) -> None:
        self.url = b""
        self.headers = []
        self.expect_100_continue = False
        self._exchange = Exchange()

    def on_header(self, name: bytes, value: bytes) -> None:
        name = name.lower()
        self.headers.append((name, value))
        if name == b"x-amz-target":
            self._exchange.target = value
        elif name == b"content-type":
            self._exchange.content_type = value
        elif name == b"origin":
            self._exchange.has_origin = True
        elif name == b"expect" and value.lower() == b"100-continue":
            self.expect_100_continue = True

    def on_headers_complete(self) -> None:
        if (self.url == b"/" or self.url.startswith(b"/?")) and self.parser.get_method() == b"POST":
            self._begin_exchange()
            return
        url, headers, expects = self.url, self.headers, self.expect_100_continue
        super().on_message_begin()
        self.url, self.headers, self.expect_100_continue = url, headers, expects
        self.scope["headers"] = headers
        if self._answering is not None:
            # A pipelined request for another route: served after a reconnect, so that replies stay in order.
            self._is_stopping = True
            self.flow.pause_reading()
            return
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        exchange = self._reading
        if exchange is None:
            if not self._is_stopping:
                super().on_body(body)
            return
        exchange.body_bytes += len(body)
        if exchange.body_bytes > request_body_bytes_max:
            self._refuse_overrun(exchange)
        else:
            exchange.body.append(body)

    def on_message_complete(self) -> None:
        exchange, self._reading = self._reading, None
        if exchange is None:
            if not self._is_overrun and not self._is_stopping:
                super().on_message_complete()
        elif self._answering is not None or self._is_in_cycle():
            self.flow.pause_reading()
            self._pipelined.append(exchange)
        else:
            self._answer(exchange)

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self._pipelined and not self.pipeline:
            self._unset_keepalive_if_required()
            self._answer(self._pipelined.popleft())

    def connection_lost(self, exc: Exception | None) -> None:
        if self._idle_timer is not None:
            self._idle_timer.cancel()
        self._pipelined.clear()
        super().connection_lost(exc)

    def shutdown(self) -> None:
        if self._answering is not None:
            self._is_stopping = True
        else:
            super().shutdown()

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._answering is None and not self._is_overrun:
            self.flow.resume_reading()

    # The exchange

    def _begin_exchange(self) -> None:
        exchange = self._reading = self._exchange
        exchange.keep_alive = self.parser.should_keep_alive()
        if self.expect_100_continue and self._answering is None:
            self.transport.write(_continue)

    def _answer(self, exchange: Exchange) -> None:
        self._answering = exchange
        content_type = exchange.content_type
        if content_type != _json_1_0 and content_type.partition(b";")[0].strip() not in (_json_1_0, _json):
            self._reply(self.endpoint.unknown_content_type)
            return
        body = exchange.body[0] if len(exchange.body) == 1 else b"".join(exchange.body)
        exchange.body = []
        self.endpoint.answer(exchange.target, body, self._reply)

    def _reply(self, reply: Reply) -> None:
        exchange, self._answering = self._answering, None
        if exchange is None or self.transport.is_closing():
            return
        keep_alive = exchange.keep_alive and not self._is_stopping and not self._is_overrun
        self.transport.write(self._head(exchange, reply, keep_alive=keep_alive) + reply.body)
        self.server_state.total_requests += 1
        if not keep_alive:
            self.transport.close()
            return
        self._active_s = self.loop.time()
        if self._idle_timer is None:
            self._idle_timer = self.loop.call_later(self.timeout_keep_alive, self._close_when_idle)
        if self.flow.write_paused:
            self.flow.pause_reading()
        elif self._pipelined:
            self._answer(self._pipelined.popleft())
        elif self.flow.read_paused:
            self.flow.resume_reading()

    def _head(self, exchange: Exchange, reply: Reply, *, keep_alive: bool) -> bytes:
        extra = _cross_origin if exchange.has_origin else b""
        if not keep_alive:
            extra += _close
        return _head_format % (
            _status_lines[reply.status],
            self.endpoint.common_headers(self.server_state.default_headers),
            _json if exchange.content_type.startswith(_json) else _json_1_0,
            len(reply.body),
            self.endpoint.next_request_id(),
            zlib.crc32(reply.body),
            extra,
        )

    def _refuse_overrun(self, exchange: Exchange) -> None:
        """Answers as soon as the body has passed its bound and reads no further."""
        self._reading = None
        self._is_overrun = True
        exchange.body = []
        self.flow.pause_reading()
        self._answering = exchange
        self._reply(self.endpoint.too_large)

    def _close_when_idle(self) -> None:
        self._idle_timer = None
        if self.transport.is_closing():
            return
        left_s = self._active_s + self.timeout_keep_alive - self.loop.time()
        busy = self._answering is not None or self._reading is not None
        if left_s > 0 or busy:
            self._idle_timer = self.loop.call_later(max(left_s, 1.0), self._close_when_idle)
        elif not self._is_in_cycle():
            self.transport.close()

    def _is_in_cycle(self) -> bool:
        """Whether FastAPI still owes a reply on this connection."""
        cycle: RequestResponseCycle | None = self.cycle
        return cycle is not None and not cycle.response_complete


def protocol_for(endpoint: Endpoint) -> type[asyncio.Protocol]:
    """The protocol class that uvicorn makes its connections with."""
    return type("BoundDynamoDBProtocol", (DynamoDBProtocol,), {"endpoint": endpoint})
