"""The DynamoDB endpoint without HTTP: target and body in, reply out, at once or later.

Errors of every kind become replies here and nowhere else: a `ServiceError` as DynamoDB words it, anything unexpected
as InternalServerError with its trace in the log.
"""

import asyncio
import secrets
from asyncio import Future
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import orjson
import structlog

from services.region.api.dynamodb import replies
from services.region.api.dynamodb.codings import decoded
from services.region.api.dynamodb.credentials import check_signed
from services.region.api.metrics.requests import OperationMetrics, RequestMetrics
from shared.clock import Clock
from shared.errors import (
    InternalServerError,
    RequestTooLargeError,
    SerializationError,
    ServiceError,
    UnknownOperationError,
)

log = structlog.get_logger(__name__)

_target_prefix = "DynamoDB_20120810."


Reply = Callable[[int, bytes], None]  # is given the status and the body


class Operation(NamedTuple):
    """How one operation is answered: `run` gives the result, or a future or coroutine of it if it has to wait.

    `kept` says which part of a command is held for `render` while it waits; without it, all of the command is.
    """

    parse: Callable[[dict[str, Any]], Any]
    run: Callable[[Any], Any]
    render: Callable[[Any, Any], bytes]  # (result, command)
    waits: bool = True
    kept: Callable[[Any], Any] | None = None


class Endpoint:
    """`operations` are of the table service by name, of another service by its whole target."""

    def __init__(self, operations: Mapping[str, Operation], *, metrics: RequestMetrics, clock: Clock) -> None:
        self.unknown_content_type = (404, b"<UnknownOperationException/>\n")
        self.too_large = _error(RequestTooLargeError("Request body exceeds the limit of 16 MB"))
        self.request_id_prefix = secrets.token_hex(20).upper().encode()
        self._operations = {
            (name if "." in name else _target_prefix + name).encode(): (operation, metrics.of(name.rpartition(".")[2]))
            for name, operation in operations.items()
        }
        self._unknown = metrics.of("unknown")
        self._now_s = clock.monotonic_s
        self._requests = 0
        self._headers: Sequence[tuple[bytes, bytes]] = ()
        self._common_headers = b""
        self._running: set[Future[Any]] = set()  # the loop itself holds tasks only weakly

    def next_request(self) -> int:
        """The number that makes a request's id unique behind the prefix."""
        self._requests += 1
        return self._requests

    def common_headers(self, headers: Sequence[tuple[bytes, bytes]]) -> bytes:
        """The server's own headers, written once for as long as it hands in the same list (a second)."""
        if headers is not self._headers:
            self._headers = headers
            self._common_headers = b"".join(b"%b: %b\r\n" % header for header in headers)
        return self._common_headers

    def answer(self, fields: Mapping[bytes, bytes], body: bytes, reply: Reply, *, query: bytes = b"") -> None:
        """Calls `reply` exactly once: before this returns when the operation needs no waiting.

        `fields` are the request's header fields by lower-case name.
        """
        began_s = self._now_s()
        operation, metrics = self._operations.get(fields.get(b"x-amz-target", b""), (None, self._unknown))
        try:
            if b"content-encoding" in fields:
                body = decoded(body, fields[b"content-encoding"])
            request = _document(body)
            if operation is None:
                raise UnknownOperationError
            check_signed(fields, query)
            if type(request) is not dict:
                raise SerializationError
            parse, run, render, waits, kept = operation
            command = parse(request)
            result = run(command)
            if not waits:
                encoded = render(result, command)
                metrics.latency.observe(self._now_s() - began_s)
                reply(200, encoded)
                return
        except Exception as error:  # noqa: BLE001 - every error becomes a reply
            self._reply_error(metrics, error, began_s, reply)
            return

        outline = command if kept is None else kept(command)

        def finish(future: Future[Any]) -> None:
            self._running.discard(future)
            try:
                encoded = render(future.result(), outline)
            except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001 - every error becomes a reply
                self._reply_error(metrics, error, began_s, reply)
                del future  # or the error would hold, by its trace, what holds the error
            else:
                metrics.latency.observe(self._now_s() - began_s)
                reply(200, encoded)

        future = asyncio.ensure_future(result)
        self._running.add(future)
        future.add_done_callback(finish)

    def _reply_error(self, metrics: OperationMetrics, error: BaseException, began_s: float, reply: Reply) -> None:
        if not isinstance(error, ServiceError):
            log.error("request failed", operation=metrics.operation, exc_info=error)
            error = InternalServerError()
        metrics.observe_error(error.code, self._now_s() - began_s)
        reply(*_error(error))


def _document(body: bytes) -> Any:
    if not body:
        return None
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise SerializationError from error


def _error(error: ServiceError) -> tuple[int, bytes]:
    return error.status, replies.error(error)
