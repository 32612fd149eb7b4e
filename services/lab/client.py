"""A DynamoDB client for the lab's own use: one region, a few connections, one coroutine a request."""

from typing import Any

import orjson

from services.lab.record import Credentials
from shared.connection import Answer, Endpoint
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
        scope = f"{credentials.access_key_id}/20000101/{region}/dynamodb/aws4_request"
        signature = f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature={'0' * 64}"
        headers = {
            "Content-Type": "application/x-amz-json-1.0",
            "Authorization": signature,
            "X-Amz-Date": "20000101T000000Z",
        }
        self._endpoint = Endpoint(endpoint, headers=headers, connections=connections)
        self._timeout_s = timeout_s

    async def call(self, operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
        """Raises `RefusedError`, or `NoAnswerError` when no answer came."""
        headers = {"X-Amz-Target": f"DynamoDB_20120810.{operation}"}
        body = orjson.dumps(parameters)
        return _result(await self._endpoint.post("/", body, headers=headers, silence_s=self._timeout_s))

    async def close(self) -> None:
        await self._endpoint.close()


def _result(answer: Answer) -> dict[str, Any]:
    if answer.status == 200:
        result: dict[str, Any] = answer.document()
        return result
    try:
        document = orjson.loads(answer.body)
        code = str(document["__type"]).rpartition("#")[2]
        message = str(document.get("message") or document.get("Message") or "")
    except (ValueError, KeyError, TypeError):
        code, message = f"HTTP {answer.status}", answer.body[:200].decode(errors="replace")
    raise RefusedError(code, message)
