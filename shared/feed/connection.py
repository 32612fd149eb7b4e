"""HTTP/1.1 between regions: kept connections, one request at a time on each, every wait bounded.

By hand because it is on the way of every change, twice a round of every link: a general client was measured at 1.5 ms
of CPU a request, this at less than a tenth. A cut may swallow packets without a reset, so connecting has a limit,
and so has every silence of the other side; a connection that broke either is given up.
"""

import asyncio
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NoReturn
from urllib.parse import urlsplit

import httptools

from shared.errors import MeridianError

connect_limit_s = 1.5
answer_bytes_max = 64 * 1024 * 1024
_read_bytes = 256 * 1024


class NoAnswerError(MeridianError):
    """No whole answer came: nobody listens, the connection broke, a limit passed, or it is no HTTP."""


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: bytes


class Endpoint:
    """One address, with as many connections as there are requests under way at once; idle ones are used again."""

    def __init__(self, endpoint: str, *, headers: Mapping[str, str]) -> None:
        self.name = endpoint
        self.is_closed = False
        parts = urlsplit(endpoint)
        self._host = parts.hostname or ""
        self._port = parts.port or (443 if parts.scheme == "https" else 80)
        self._tls = ssl.create_default_context() if parts.scheme == "https" else None
        fixed = {"Host": parts.netloc, **headers}
        self._headers = "".join(f"{name}: {value}\r\n" for name, value in fixed.items())
        self._idle: list[_Connection] = []
        self._busy: set[_Connection] = set()

    async def get(self, path: str, *, silence_s: float) -> Answer:
        """Raises `NoAnswerError`, at the latest after `silence_s` without a byte from the other side."""
        return await self._request(f"GET {path} HTTP/1.1\r\n{self._headers}\r\n".encode(), silence_s)

    async def post(self, path: str, body: bytes, *, content_type: str, silence_s: float) -> Answer:
        """Raises `NoAnswerError`, at the latest after `silence_s` without a byte from the other side."""
        own = f"Content-Type: {content_type}\r\nContent-Length: {len(body)}\r\n"
        return await self._request(f"POST {path} HTTP/1.1\r\n{self._headers}{own}\r\n".encode() + body, silence_s)

    def close(self) -> None:
        """Requests under way end with `NoAnswerError`."""
        self.is_closed = True
        for connection in (*self._idle, *self._busy):
            connection.give_up()
        self._idle.clear()

    async def _request(self, request: bytes, silence_s: float) -> Answer:
        try:
            connection = await self._connection()
        except TimeoutError:
            self._fail(f"no connection within {connect_limit_s:g} s")
        except OSError as error:
            self._fail(error.strerror or str(error))
        self._busy.add(connection)
        try:
            answer = await connection.exchange(request, silence_s)
        except TimeoutError:
            self._fail(f"no answer within {silence_s:g} s")
        except (OSError, EOFError, httptools.HttpParserError) as error:
            self._fail(str(error) or type(error).__name__)
        finally:
            self._busy.discard(connection)
            if connection.is_usable:
                self._idle.append(connection)
        return answer

    async def _connection(self) -> "_Connection":
        if self.is_closed:
            raise ConnectionAbortedError("this side has ended the connection")
        while self._idle:
            connection = self._idle.pop()
            if connection.is_usable:
                return connection
        async with asyncio.timeout(connect_limit_s):
            return _Connection(*await asyncio.open_connection(self._host, self._port, ssl=self._tls))

    def _fail(self, why: str) -> NoReturn:
        raise NoAnswerError(f"{self.name}: {why}")


class _Connection:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._given_up = False

    @property
    def is_usable(self) -> bool:
        if self._reader.at_eof():
            self.give_up()
        return not self._given_up

    async def exchange(self, request: bytes, silence_s: float) -> Answer:
        """One request and its answer. Whatever ends this early leaves the connection of no use."""
        loop = asyncio.get_running_loop()
        reading = _Reading()
        try:
            async with asyncio.timeout(silence_s) as silence:
                self._writer.write(request)
                while not reading.is_complete:
                    data = await self._reader.read(_read_bytes)
                    if not data:
                        raise EOFError("the connection was closed before the answer was complete")
                    reading.parser.feed_data(data)
                    silence.reschedule(loop.time() + silence_s)
        except BaseException:
            self.give_up()
            raise
        if not reading.keeps_alive:
            self.give_up()
        return Answer(reading.parser.get_status_code(), b"".join(reading.parts))

    def give_up(self) -> None:
        self._given_up = True
        self._writer.transport.abort()


class _Reading:
    """What httptools tells while it parses."""

    def __init__(self) -> None:
        self.parser = httptools.HttpResponseParser(self)
        self.parts: list[bytes] = []
        self.size_bytes = 0
        self.is_complete = False
        self.keeps_alive = False

    def on_body(self, body: bytes) -> None:
        self.parts.append(body)
        self.size_bytes += len(body)
        if self.size_bytes > answer_bytes_max:
            raise EOFError(f"the answer is longer than {answer_bytes_max} bytes")

    def on_message_complete(self) -> None:
        self.is_complete = True
        self.keeps_alive = self.parser.should_keep_alive()  # the parser knows it only now
