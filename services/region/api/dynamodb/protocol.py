"""The short way of the DynamoDB endpoint: `POST /` is answered by uvicorn's protocol class itself.

A subclass of uvicorn's `HttpToolsProtocol` (its documented `http=` option). Requests for `/` by POST never become an
ASGI scope or a task: head and body are read here, bounded, and the reply is handed to the outbox as soon as the
operation has it, which for a point read is at once. Everything else goes to FastAPI as usual.
"""

import asyncio
import zlib
from asyncio import AbstractEventLoop, TimerHandle, Transport
from collections import deque
from typing import Any, ClassVar

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from services.region.api.dynamodb.codings import accepted_coding, compressed_reply_bytes_min, encoded
from services.region.api.dynamodb.draining import end_after_reply
from services.region.api.dynamodb.endpoint import Endpoint
from shared.limits import request_body_bytes_max

_continue = b"HTTP/1.1 100 Continue\r\n\r\n"
_json_1_0 = b"application/x-amz-json-1.0"
_json = b"application/json"
_keep = b"connection: keep-alive\r\n"
_close = b"connection: close\r\n"
_no_fields: dict[bytes, bytes] = {}
_content_encoding = b"content-encoding: %b\r\n"
_compressed_at_once_bytes_max = 64 * 1024  # a millisecond; more is compressed beside the event loop
_cross_origin = b"access-control-allow-origin: *\r\naccess-control-expose-headers: x-amzn-requestid,x-amz-crc32\r\n"
_reply_format = (
    b"%b%b%bcontent-type: %b\r\ncontent-length: %d\r\nx-amzn-requestid: %b%012d\r\nx-amz-crc32: %d\r\n%b\r\n%b"
)
_status_lines = {
    200: b"HTTP/1.1 200 OK\r\n",
    400: b"HTTP/1.1 400 Bad Request\r\n",
    404: b"HTTP/1.1 404 Not Found\r\n",
    413: b"HTTP/1.1 413 Request Entity Too Large\r\n",
    500: b"HTTP/1.1 500 Internal Server Error\r\n",
    503: b"HTTP/1.1 503 Service Unavailable\r\n",
}


class Outbox:
    """Replies of one turn of the event loop, written together at its end.

    Every write wakes the reader at its other end. With the writes after all the turn's answers instead of between
    them, GetItem for 64 connections came to 0.75 of a bare reply instead of 0.51.
    """

    def __init__(self) -> None:
        self._replies: list[tuple[Transport, bytes]] = []

    def put(self, loop: AbstractEventLoop, transport: Transport, reply: bytes) -> None:
        if not self._replies:
            loop.call_soon(self.flush)
        self._replies.append((transport, reply))

    def flush(self) -> None:
        replies, self._replies = self._replies, []
        for transport, reply in replies:
            transport.write(reply)


class Exchange:
    """One request on the short way, from its head to its reply.

    Head and body are let go when the operation begins: what waiting requests keep is what pushes everybody else's
    objects out of the processor's caches.
    """

    __slots__ = ("accepts", "body", "body_bytes", "fields", "is_cross_origin", "keep_alive", "query", "reply_type")

    def __init__(self, fields: dict[bytes, bytes], query: bytes, *, keep_alive: bool) -> None:
        self.fields = fields
        self.query = query
        self.keep_alive = keep_alive
        self.body: list[bytes] = []
        self.body_bytes = 0
        self.accepts = fields.get(b"accept-encoding", b"")
        self.is_cross_origin = b"origin" in fields
        self.reply_type = _reply_type(fields.get(b"content-type", b""))


class DynamoDBProtocol(HttpToolsProtocol):
    """Made per connection by uvicorn; `endpoint` and `outbox` are set by `protocol_for`."""

    endpoint: ClassVar[Endpoint]
    outbox: ClassVar[Outbox]

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._fields: dict[bytes, bytes] = {}  # of the head that is arriving, by lower-case name
        self._reading: Exchange | None = None  # its body is arriving
        self._answering: Exchange | None = None  # its reply is awaited
        self._pipelined: deque[Exchange] = deque()
        self._idle_timer: TimerHandle | None = None
        self._was_active = False  # since the idle timer last looked
        self._is_overrun = False
        self._is_stopping = False

    # uvicorn's callbacks

    def on_message_begin(self) -> None:
        self.url = b""
        self._fields = {}

    def on_header(self, name: bytes, value: bytes) -> None:
        """Fields of one name are joined as RFC 9110 (5.3) allows; of Accept-Encoding DynamoDB sees the first alone."""
        name = name.lower()
        fields = self._fields
        if name in fields:
            if name == b"accept-encoding":
                return
            value = fields[name] + (b"; " if name == b"cookie" else b", ") + value
        fields[name] = value

    def on_headers_complete(self) -> None:
        fields, self._fields = self._fields, {}  # what follows the body is no part of the head
        url = self.url
        if (url == b"/" or url.startswith(b"/?")) and self.parser.get_method() == b"POST":
            self._reading = Exchange(fields, url[2:], keep_alive=self.parser.should_keep_alive())
            if b"expect" in fields and _expects_continue(fields) and not self._is_owing():
                self.outbox.flush()
                self.transport.write(_continue)
            return
        super().on_message_begin()
        self.url = url
        self.headers.extend(fields.items())
        self.expect_100_continue = _expects_continue(fields)
        if self._is_owing():
            # A pipelined request for another route: served after a reconnect, so that replies stay in order.
            self._is_stopping = True
            self.flow.pause_reading()
            return
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        exchange = self._reading
        if exchange is None:
            if not self._is_overrun and not self._is_stopping:
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
        elif self._is_owing() or self._is_in_cycle():
            self.flow.pause_reading()
            self._pipelined.append(exchange)
        else:
            self._answer(exchange)

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self._pipelined and not self.pipeline:
            self._unset_keepalive_if_required()
            self._answer_next()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._idle_timer is not None:
            self._idle_timer.cancel()
        self._pipelined.clear()
        super().connection_lost(exc)

    def shutdown(self) -> None:
        if self._is_owing():
            self._is_stopping = True
        else:
            self.outbox.flush()
            super().shutdown()

    def send_400_response(self, msg: str) -> None:
        self.outbox.flush()
        super().send_400_response(msg)

    def pause_writing(self) -> None:
        super().pause_writing()
        self.flow.pause_reading()

    def resume_writing(self) -> None:
        super().resume_writing()
        if not self._is_owing():
            self.flow.resume_reading()

    # The exchange

    def _answer(self, exchange: Exchange) -> None:
        self._answering = exchange
        body = exchange.body[0] if len(exchange.body) == 1 else b"".join(exchange.body)
        fields = exchange.fields
        exchange.body, exchange.fields = [], _no_fields
        content_type = fields.get(b"content-type", b"")
        if content_type != _json_1_0 and body and content_type.partition(b";")[0].strip() not in (_json_1_0, _json):
            self._reply(*self.endpoint.unknown_content_type)
        else:
            self.endpoint.answer(fields, body, self._reply, query=exchange.query)

    def _reply(self, status: int, body: bytes) -> None:
        exchange = self._answering
        if exchange is None or len(body) < compressed_reply_bytes_min:
            self._send(status, body)
            return
        coding = accepted_coding(exchange.accepts)
        if coding is None:
            self._send(status, body)
        elif len(body) < _compressed_at_once_bytes_max:
            self._send(status, encoded(body, coding), _content_encoding % coding)
        else:
            compressing = self.loop.run_in_executor(None, encoded, body, coding)
            compressing.add_done_callback(lambda done: self._send(status, done.result(), _content_encoding % coding))

    def _send(self, status: int, body: bytes, further: bytes = b"") -> None:
        exchange, self._answering = self._answering, None
        transport = self.transport
        if exchange is None or transport.is_closing():
            return
        endpoint = self.endpoint
        keep_alive = exchange.keep_alive and not self._is_stopping and not self._is_overrun
        if exchange.is_cross_origin:
            further += _cross_origin
        reply = _reply_format % (
            _status_lines[status],
            _keep if keep_alive else _close,
            endpoint.common_headers(self.server_state.default_headers),
            exchange.reply_type,
            len(body),
            endpoint.request_id_prefix,
            endpoint.next_request(),
            zlib.crc32(body),
            further,
            body,
        )
        self.outbox.put(self.loop, transport, reply)
        if not keep_alive:
            self.outbox.flush()
            if self._is_overrun:
                end_after_reply(self.loop, transport, self)
            else:
                transport.close()
            return
        self._was_active = True
        if self._idle_timer is None:
            self._idle_timer = self.loop.call_later(self.timeout_keep_alive, self._close_when_idle)
        if self._pipelined:
            self.loop.call_soon(self._answer_next)  # not at once: each would be a call deeper
        elif self.flow.read_paused and not self.flow.write_paused:
            self.flow.resume_reading()

    def _answer_next(self) -> None:
        if self._pipelined:
            self._answer(self._pipelined.popleft())

    def _refuse_overrun(self, exchange: Exchange) -> None:
        """Answers as soon as the body has passed its bound and keeps nothing more of it.

        While an earlier request is owed its reply, that one is the last and ends the connection.
        """
        self._reading = None
        self._is_overrun = True
        exchange.body = []
        if not self._is_owing():
            self._answering = exchange
            self._reply(*self.endpoint.too_large)

    def _close_when_idle(self) -> None:
        """Closes what was idle for one to two times the keep-alive timeout."""
        self._idle_timer = None
        if self.transport.is_closing():
            return
        busy = self._is_owing() or self._reading is not None
        if self._was_active or busy:
            self._was_active = False
            self._idle_timer = self.loop.call_later(self.timeout_keep_alive, self._close_when_idle)
        elif not self._is_in_cycle():
            self.transport.close()

    def _is_owing(self) -> bool:
        """Whether a reply of the short way is still to come."""
        return self._answering is not None or bool(self._pipelined)

    def _is_in_cycle(self) -> bool:
        """Whether FastAPI still owes a reply on this connection."""
        cycle: RequestResponseCycle | None = self.cycle
        return cycle is not None and not cycle.response_complete


def protocol_for(endpoint: Endpoint) -> type[asyncio.Protocol]:
    """The protocol class that uvicorn makes its connections with."""
    return type("BoundDynamoDBProtocol", (DynamoDBProtocol,), {"endpoint": endpoint, "outbox": Outbox()})


def _expects_continue(fields: dict[bytes, bytes]) -> bool:
    return fields.get(b"expect", b"").lower() == b"100-continue"


def _reply_type(content_type: bytes) -> bytes:
    if content_type == _json_1_0 or content_type.partition(b";")[0].strip() == _json_1_0:
        return _json_1_0
    return _json
