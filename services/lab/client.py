"""A DynamoDB client for the lab's own use: one region, a few connections, one coroutine a request."""

import asyncio
from typing import Any

import orjson

from services.lab.connection import Connection, Reply
from services.lab.record import Credentials
from shared.errors import MeridianError


class RefusedError(MeridianError):
    """The region answered with an error; `code` is DynamoDB's name of it."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code


class TableClient:
    def __init__(
        self, region: str, endpoint: str, credentials: Credentials, *, connections: int, timeout_s: float
    ) -> None:
        self.region = region
        self._idle: asyncio.Queue[Connection] = asyncio.Queue()
        for _ in range(connections):
            self._idle.put_nowait(Connection(endpoint, timeout_s=timeout_s))
        self._connections = connections
        scope = f"{credentials.access_key_id}/20000101/{region}/dynamodb/aws4_request"
        self._authorization = f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature={'0' * 64}"

    async def call(self, operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
        """Raises `RefusedError`, or `UnreachableError` when no answer came."""
        connection = await self._idle.get()
        try:
            reply = await connection.post("/", self._headers(operation), orjson.dumps(parameters))
        finally:
            self._idle.put_nowait(connection)
        return _result(reply)

    async def close(self) -> None:
        for _ in range(self._connections):
            (await self._idle.get()).close()

    def _headers(self, operation: str) -> dict[str, str]:
        return {
            "Content-Type": "application/x-amz-json-1.0",
            "X-Amz-Target": f"DynamoDB_20120810.{operation}",
            "Authorization": self._authorization,
            "X-Amz-Date": "20000101T000000Z",
        }


def _result(reply: Reply) -> dict[str, Any]:
    if reply.status == 200:
        result: dict[str, Any] = reply.json()
        return result
    try:
        document = orjson.loads(reply.body)
        code = str(document["__type"]).rpartition("#")[2]
        message = str(document.get("message") or document.get("Message") or "")
    except (ValueError, KeyError, TypeError):
        code, message = f"HTTP {reply.status}", reply.body[:200].decode(errors="replace")
    raise RefusedError(code, message)
