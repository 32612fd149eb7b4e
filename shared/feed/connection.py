"""HTTP between regions: kept connections, every wait bounded.

A cut may swallow packets without a reset, so connecting has a limit, and so has every silence of the other side; a
connection that broke either is given up.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NoReturn

import httpx

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


class Endpoint:
    """One address, with as many connections as there are requests under way at once; idle ones are used again."""

    def __init__(self, endpoint: str, *, headers: Mapping[str, str]) -> None:
        self.name = endpoint
        self._client = httpx.AsyncClient(
            base_url=endpoint,
            headers=headers,
            limits=httpx.Limits(max_connections=connections_max, keepalive_expiry=idle_connection_s),
            trust_env=False,
            verify=endpoint.startswith("https:"),
        )

    @property
    def is_closed(self) -> bool:
        return self._client.is_closed

    async def get(self, path: str, *, silence_s: float) -> Answer:
        """Raises `NoAnswerError`, at the latest after `silence_s` without a byte from the other side."""
        return await self._answer(self._client.build_request("GET", path, timeout=_limits(silence_s)), silence_s)

    async def post(self, path: str, body: bytes, *, content_type: str, silence_s: float) -> Answer:
        """Raises `NoAnswerError`, at the latest after `silence_s` without a byte from the other side."""
        headers = {"Content-Type": content_type}
        request = self._client.build_request("POST", path, content=body, headers=headers, timeout=_limits(silence_s))
        return await self._answer(request, silence_s)

    async def close(self) -> None:
        """Requests under way end with `NoAnswerError`."""
        await self._client.aclose()

    async def _answer(self, request: httpx.Request, silence_s: float) -> Answer:
        if self.is_closed:
            self._fail("this side has ended the connection")
        try:
            response = await self._client.send(request, stream=True)
            try:
                return Answer(response.status_code, await self._body(response))
            finally:
                await response.aclose()
        except httpx.ConnectTimeout:
            self._fail(f"no connection within {connect_limit_s:g} s")
        except httpx.TimeoutException:
            self._fail(f"no answer within {silence_s:g} s")
        except httpx.TransportError as error:
            self._fail(str(error) or type(error).__name__)

    async def _body(self, response: httpx.Response) -> bytes:
        parts, size = [], 0
        async for part in response.aiter_bytes():
            size += len(part)
            if size > answer_bytes_max:
                self._fail(f"the answer is longer than {answer_bytes_max} bytes")
            parts.append(part)
        return b"".join(parts)

    def _fail(self, why: str) -> NoReturn:
        raise NoAnswerError(f"{self.name}: {why}")


def _limits(silence_s: float) -> httpx.Timeout:
    return httpx.Timeout(silence_s, connect=connect_limit_s)
