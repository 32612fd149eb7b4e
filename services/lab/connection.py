"""HTTP/1.1 as the lab speaks it: one keep-alive connection, one request at a time, every step bounded in time.

Smaller than a general client on purpose: the supervisor stays light, and the load generator measures the region
rather than itself.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn
from urllib.parse import urlsplit

import httptools
import orjson

from shared.errors import MeridianError

read_bytes = 64 * 1024


class UnreachableError(MeridianError):
    """No whole answer came: nobody listens, the connection broke, time ran out or it is no HTTP."""


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    body: bytes

    def json(self) -> Any:
        """The document of a 200; `UnreachableError` for anything else, since then somebody else answered."""
        if self.status != 200:
            raise UnreachableError(f"status {self.status}: {self.body[:200].decode(errors='replace')}")
        try:
            return orjson.loads(self.body)
        except orjson.JSONDecodeError as error:
            raise UnreachableError(f"no JSON: {error}") from error


class Connection:
    """Opened by its first request, and again by the next one after an error or a close from the other side."""

    def __init__(self, endpoint: str, *, timeout_s: float) -> None:
        self.endpoint = endpoint
        self._timeout_s = timeout_s
        parts = urlsplit(endpoint)
        self._host, self._port = parts.hostname or "", parts.port or 80
        self._authority = parts.netloc
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def get(self, path: str, headers: Mapping[str, str]) -> Reply:
        return await self._request("GET", path, headers, b"")

    async def post(self, path: str, headers: Mapping[str, str], body: bytes) -> Reply:
        return await self._request("POST", path, headers, body)

    def close(self) -> None:
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None

    async def _request(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Reply:
        try:
            async with asyncio.timeout(self._timeout_s):
                return await self._exchange(self._encode(method, path, headers, body))
        except TimeoutError:
            self._fail(f"no answer within {self._timeout_s:g} s")
        except (OSError, EOFError, httptools.HttpParserError) as error:
            self._fail(str(error) or type(error).__name__)
        except asyncio.CancelledError:
            self.close()
            raise

    async def _exchange(self, request: bytes) -> Reply:
        reader, writer = await self._open()
        writer.write(request)
        answer = _Answer()
        parser = answer.parser
        while not answer.is_complete:
            data = await reader.read(read_bytes)
            if not data:
                raise EOFError("the connection was closed before the answer was complete")
            parser.feed_data(data)
        if not answer.keeps_alive:
            self.close()
        return Reply(parser.get_status_code(), b"".join(answer.parts))

    async def _open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._streams is not None and self._streams[0].at_eof():
            self.close()
        if self._streams is None:
            self._streams = await asyncio.open_connection(self._host, self._port)
        return self._streams

    def _encode(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> bytes:
        lines = [f"{method} {path} HTTP/1.1", f"Host: {self._authority}", f"Content-Length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        return "\r\n".join([*lines, "", ""]).encode() + body

    def _fail(self, why: str) -> NoReturn:
        self.close()
        raise UnreachableError(f"{self.endpoint}: {why}")


class _Answer:
    """What httptools tells while it parses."""

    def __init__(self) -> None:
        self.parser = httptools.HttpResponseParser(self)
        self.parts: list[bytes] = []
        self.is_complete = False
        self.keeps_alive = False

    def on_body(self, body: bytes) -> None:
        self.parts.append(body)

    def on_message_complete(self) -> None:
        self.is_complete = True
        self.keeps_alive = self.parser.should_keep_alive()  # afterwards the parser has forgotten
