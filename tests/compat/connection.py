"""HTTP by hand: what no SDK would send, and what the reply says byte for byte."""

import json
import socket
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import pytest

patience_s = 10.0
authorization = (
    "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20000101/us-east-1/dynamodb/aws4_request,"
    " SignedHeaders=host;x-amz-date, Signature=" + 64 * "0"
)


class Reply(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def document(self) -> Any:
        return json.loads(self.body)

    @property
    def error(self) -> str:
        """The name of the error, without its namespace."""
        return str(self.document["__type"]).rpartition("#")[2]


class Connection:
    """One TCP connection; requests are written as they are given."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        assert parts.hostname is not None
        self.host = f"{parts.hostname}:{parts.port}"
        self._socket = socket.create_connection((parts.hostname, parts.port or 80), timeout=patience_s)
        self._received = self._socket.makefile("rb")

    def send(self, content: bytes) -> None:
        self._socket.sendall(content)

    def end(self) -> None:
        """Nothing more will be sent; replies can still be read."""
        self._socket.shutdown(socket.SHUT_WR)

    def ask(self, operation: str, body: bytes, *headers: str) -> Reply:
        self.send(request(operation, body, *headers, host=self.host))
        return self.reply()

    def reply(self) -> Reply:
        """The next reply; its checksum must be right where it has one."""
        status = int(self._received.readline().split()[1])
        headers = dict(self._headers())
        body = self._received.read(int(headers.get("content-length", 0)))
        if "x-amz-crc32" in headers:
            assert int(headers["x-amz-crc32"]) == zlib.crc32(body)
        return Reply(status, headers, body)

    def is_closed_by_the_other_side(self) -> bool:
        return self._received.read(1) == b""

    def close(self) -> None:
        self._received.close()
        self._socket.close()

    def _headers(self) -> Iterator[tuple[str, str]]:
        while (line := self._received.readline().strip()) != b"":
            name, _, value = line.decode("latin-1").partition(":")
            yield name.lower(), value.strip()


def request(
    operation: str, body: bytes, *headers: str, host: str = "localhost", path: str = "/", signed: bool = True
) -> bytes:
    """A whole request; with a Transfer-Encoding among `headers`, `body` is taken as encoded already."""
    lines = [f"POST {path} HTTP/1.1", f"Host: {host}", *headers]
    named = " ".join(headers).lower()
    if "x-amz-target" not in named:
        lines.append(f"X-Amz-Target: DynamoDB_20120810.{operation}")
    if signed:
        lines.append(f"Authorization: {authorization}")
        lines.append("X-Amz-Date: 20000101T000000Z")
    if "content-type" not in named:
        lines.append("Content-Type: application/x-amz-json-1.0")
    if "transfer-encoding" not in named and "content-length" not in named:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + body


def chunked(*chunks: bytes) -> bytes:
    return b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in (*chunks, b""))


@contextmanager
def connected(url: str) -> Iterator[Connection]:
    connection = Connection(url)
    try:
        yield connection
    finally:
        connection.close()


def ask(url: str, operation: str, body: bytes, *headers: str) -> Reply:
    """One request on a connection of its own."""
    with connected(url) as connection:
        return connection.ask(operation, body, *headers)


def check_error(reply: Reply, error: str, message: str) -> None:
    assert (reply.error, reply.document["message"]) == (error, message)


def check_refused(reply: Reply, errors: Sequence[str]) -> None:
    """A refusal in the service's form: a client error with a name, and nothing of the inside."""
    assert reply.status == 400, reply
    assert reply.error in errors, reply
    assert b"Traceback" not in reply.body
    if "x-amzn-requestid" not in reply.headers:
        pytest.fail("a refusal has a request id")
