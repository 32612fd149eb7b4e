"""HTTP between regions and their tools: kept connections, every wait bounded.

A cut may swallow packets without a reset, so connecting has a limit, and so has every silence of the other side; a
connection that broke either is given up.
"""

import os
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

import aiohttp
import orjson

from shared.errors import MeridianError

connect_limit_s = 1.5
idle_connection_s = 30.0  # well below the time after which a region closes an idle connection
connections_max = 16
answer_bytes_max = 64 * 1024 * 1024


class NoAnswerError(MeridianError):
    """No whole answer came: nobody listens, the connection broke, a limit passed, or it is no HTTP."""


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: bytes

    def document(self) -> Any:
        """The JSON of a 200; `NoAnswerError` for anything else, since then somebody else has answered."""
        if self.status != 200:
            raise NoAnswerError(f"status {self.status}: {self.body[:200].decode(errors='replace')}")
        try:
            return orjson.loads(self.body)
        except orjson.JSONDecodeError as error:
            raise NoAnswerError(f"no JSON: {error}") from error


class Endpoint:
    """One address, with as many connections as there are requests under way at once; idle ones are used again.

    `headers` go with every request. Errors call the other side by its `name`, without one by its address.
    """

    def __init__(
        self,
        endpoint: str,
        *,
        name: str | None = None,
        headers: Mapping[str, str] | None = None,
        connections: int = connections_max,
    ) -> None:
        self.name = name or endpoint
        self._address = endpoint
        self._session = aiohttp.ClientSession(
            headers=headers,
            connector=aiohttp.TCPConnector(limit=connections, keepalive_timeout=idle_connection_s),
            cookie_jar=aiohttp.DummyCookieJar(),
        )

    @property
    def is_closed(self) -> bool:
        return self._session.closed

    async def get(self, path: str, *, silence_s: float) -> Answer:
        """Raises `NoAnswerError`, at the latest after `silence_s` without a byte from the other side."""
        return await self._answer("GET", path, silence_s=silence_s)

    async def post(self, path: str, body: bytes, *, headers: Mapping[str, str], silence_s: float) -> Answer:
        """Raises `NoAnswerError`, at the latest after `silence_s` without a byte from the other side."""
        return await self._answer("POST", path, silence_s=silence_s, body=body, headers=headers)

    async def close(self) -> None:
        """Requests under way end with `NoAnswerError`."""
        await self._session.close()

    async def _answer(
        self,
        method: str,
        path: str,
        *,
        silence_s: float,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        if self.is_closed:
            self._fail("can't be asked: this side has ended the connection")
        limits = aiohttp.ClientTimeout(sock_connect=connect_limit_s, sock_read=silence_s)
        try:
            async with self._session.request(
                method, self._address + path, data=body, headers=headers, timeout=limits, allow_redirects=False
            ) as response:
                return Answer(response.status, await self._body(response))
        except aiohttp.ConnectionTimeoutError:
            self._fail(f"took no connection within {connect_limit_s:g} s")
        except TimeoutError:
            self._fail(f"gave no answer within {silence_s:g} s")
        except aiohttp.ClientConnectorError as error:
            self._fail(f"can't be reached: {_reason(error.os_error)}")
        except aiohttp.ClientConnectionError:
            self._fail("broke off the connection")
        except aiohttp.ClientError as error:
            self._fail(f"gave no whole answer: {str(error) or type(error).__name__}")

    async def _body(self, response: aiohttp.ClientResponse) -> bytes:
        parts, size = [], 0
        async for part in response.content.iter_any():
            size += len(part)
            if size > answer_bytes_max:
                self._fail(f"gave an answer longer than {answer_bytes_max} bytes")
            parts.append(part)
        return b"".join(parts)

    def _fail(self, what: str) -> NoReturn:
        raise NoAnswerError(f"{self.name} {what}")


def _reason(error: OSError) -> str:
    """In the system's words: those of the event loop name addresses."""
    if error.errno is None or isinstance(error, socket.gaierror | ssl.SSLError):  # their numbers are their own
        return error.strerror or str(error)
    return os.strerror(error.errno)
