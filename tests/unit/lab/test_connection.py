"""The lab's HTTP connection: kept alive, opened again after an end, and never waiting for ever."""

import asyncio

import pytest

from services.lab.connection import Connection, UnreachableError
from services.lab.ports import free_ports, loopback
from tests.unit.lab.http_stub import http_stub, ok


async def test_requests_and_replies_pass_over_one_connection() -> None:
    async def echo(line: str, body: bytes) -> bytes:
        return ok(line.encode() + b"|" + body)

    async with http_stub(echo) as endpoint:
        connection = Connection(endpoint, timeout_s=5)
        assert (await connection.get("/a?b=c", {})).body == b"GET /a?b=c HTTP/1.1|"
        streams = connection._streams
        assert (await connection.post("/", {"X-One": "1"}, b"body")).body == b"POST / HTTP/1.1|body"
        assert streams is not None
        assert connection._streams is streams
        connection.close()


async def test_chunked_and_large_bodies_arrive_whole() -> None:
    large = b"x" * 300_000

    async def respond(line: str, _: bytes) -> bytes:
        if "large" in line:
            return ok(large)
        return b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n3\r\ncde\r\n0\r\n\r\n"

    async with http_stub(respond) as endpoint:
        connection = Connection(endpoint, timeout_s=5)
        assert (await connection.get("/chunked", {})).body == b"abcde"
        assert (await connection.get("/large", {})).body == large
        connection.close()


async def test_a_connection_that_the_server_ends_is_opened_again() -> None:
    async def respond(*_: object) -> bytes:
        return b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok"

    async with http_stub(respond) as endpoint:
        connection = Connection(endpoint, timeout_s=5)
        assert [(await connection.get("/", {})).body for _ in range(3)] == [b"ok"] * 3


@pytest.mark.parametrize(
    "response", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\nConnection: close\r\n\r\nhalf", b"SSH-2.0\r\n\r\n"]
)
async def test_half_an_answer_is_no_answer(response: bytes) -> None:
    async def respond(*_: object) -> bytes:
        return response

    async with http_stub(respond) as endpoint:
        with pytest.raises(UnreachableError):
            await Connection(endpoint, timeout_s=5).get("/", {})


async def test_a_silent_server_is_not_waited_for_longer_than_told() -> None:
    async def never(*_: object) -> bytes:
        await asyncio.Event().wait()
        return b""

    async with http_stub(never) as endpoint:
        with pytest.raises(UnreachableError, match=r"no answer within 0\.05 s"):
            await Connection(endpoint, timeout_s=0.05).get("/", {})


async def test_nobody_listening_is_told_with_the_address() -> None:
    endpoint = f"http://{loopback}:{free_ports(1)[0]}"
    with pytest.raises(UnreachableError, match=endpoint):
        await Connection(endpoint, timeout_s=5).get("/", {})


async def test_a_document_is_only_taken_from_a_200() -> None:
    async def respond(line: str, _: bytes) -> bytes:
        return ok(b"{") if "broken" in line else ok(b"{}").replace(b"200", b"503")

    async with http_stub(respond) as endpoint:
        connection = Connection(endpoint, timeout_s=5)
        for path in ("/broken", "/unready"):
            reply = await connection.get(path, {})
            with pytest.raises(UnreachableError):
                reply.json()
        connection.close()
