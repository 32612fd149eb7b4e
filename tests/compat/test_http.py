"""HTTP: connections are kept, pipelined, chunked and bounded as SDKs and proxies do it."""

import gzip
import json
import re
import zlib
from collections.abc import Callable
from typing import Any

import pytest

from tests.compat.connection import ask, check_error, chunked, connected, request
from tests.compat.tables import unique

listing = b'{"Limit":1}'
body_bytes_max = 16 * 1024 * 1024


def put(table: Any, name: str) -> bytes:
    return json.dumps({"TableName": table.name, "Item": {"p": {"S": name}}}).encode()


def get(table: Any, name: str) -> bytes:
    return json.dumps({"TableName": table.name, "Key": {"p": {"S": name}}}).encode()


def test_a_reply_has_the_services_headers(url: str) -> None:
    reply = ask(url, "ListTables", listing)
    assert reply.status == 200
    assert reply.headers["content-type"] == "application/x-amz-json-1.0"
    assert re.fullmatch("[A-Z0-9]{52}", reply.headers["x-amzn-requestid"])
    assert reply.headers["server"] == "Server"
    assert reply.headers["connection"] == "keep-alive"
    assert "x-amz-crc32" in reply.headers, "the connection compares it with the body"


def test_every_reply_has_a_request_id_of_its_own(url: str) -> None:
    with connected(url) as connection:
        ids = {connection.ask("ListTables", listing).headers["x-amzn-requestid"] for _ in range(5)}
    assert len(ids) == 5


def test_errors_have_the_headers_of_answers(url: str) -> None:
    reply = ask(url, "DescribeTable", b'{"TableName":"nowhere"}')
    assert reply.status == 400
    assert reply.headers.keys() == ask(url, "ListTables", listing).headers.keys()


def test_a_connection_is_kept_over_answers_and_refusals(url: str, table: Any) -> None:
    with connected(url) as connection:
        for _ in range(3):
            assert connection.ask("PutItem", put(table, unique())).status == 200
            assert connection.ask("PutItem", b"{}").status == 400
            assert connection.ask("Nothing", b"{}").status == 400


def test_a_connection_is_closed_when_asked_to(url: str) -> None:
    with connected(url) as connection:
        reply = connection.ask("ListTables", listing, "Connection: close")
        assert (reply.status, reply.headers["connection"]) == (200, "close")
        assert connection.is_closed_by_the_other_side()


def test_pipelined_requests_are_answered_in_their_order(url: str, table: Any) -> None:
    """Reads are answered at once and writes later; the replies must not overtake each other."""
    names = [unique() for _ in range(10)]
    with connected(url) as connection:
        for name in names:
            connection.send(request("PutItem", put(table, name)) + request("GetItem", get(table, name)))
        for name in names:
            assert connection.reply().document == {}
            assert connection.reply().document == {"Item": {"p": {"S": name}}}


def test_a_thousand_requests_may_wait_behind_a_write(url: str, table: Any) -> None:
    name = unique()
    with connected(url) as connection:
        connection.send(request("PutItem", put(table, name)) + 1000 * request("GetItem", get(table, name)))
        assert connection.reply().status == 200
        assert all(connection.reply().document == {"Item": {"p": {"S": name}}} for _ in range(1000))


def test_a_target_behind_the_body_is_no_header(url: str, table: Any) -> None:
    """A trailer names no operation."""
    name = unique()
    trailer = b"0\r\nX-Amz-Target: DynamoDB_20120810.GetItem\r\n\r\n"
    encoded = chunked(put(table, name)).removesuffix(b"0\r\n\r\n") + trailer
    assert ask(url, "PutItem", encoded, "Transfer-Encoding: chunked").document == {}
    assert ask(url, "GetItem", get(table, name)).document["Item"] == {"p": {"S": name}}


def test_other_routes_share_a_connection(url: str) -> None:
    with connected(url) as connection:
        for _ in range(2):
            connection.send(f"GET / HTTP/1.1\r\nHost: {connection.host}\r\n\r\n".encode())
            assert connection.reply().status == 200
            assert connection.ask("ListTables", listing).status == 200


def test_a_body_may_come_in_chunks(url: str, table: Any) -> None:
    name = unique()
    body = put(table, name)
    encoded = chunked(body[:1], body[1:20], body[20:])
    assert ask(url, "PutItem", encoded, "Transfer-Encoding: chunked").status == 200
    assert ask(url, "GetItem", get(table, name)).document["Item"] == {"p": {"S": name}}


def test_a_body_may_come_byte_by_byte(url: str, table: Any) -> None:
    with connected(url) as connection:
        for byte in request("PutItem", put(table, unique()), host=connection.host):
            connection.send(bytes([byte]))
        assert connection.reply().status == 200


def test_who_waits_for_100_continue_gets_it(url: str, table: Any) -> None:
    body = put(table, unique())
    with connected(url) as connection:
        connection.send(request("PutItem", body, "Expect: 100-continue").removesuffix(body))
        assert connection.reply().status == 100
        connection.send(body)
        assert connection.reply().status == 200


def test_a_body_over_16_megabytes_is_refused(url: str) -> None:
    with connected(url) as connection:
        connection.send(request("PutItem", b"", f"Content-Length: {body_bytes_max + 1}"))
        connection.send(b" " * (body_bytes_max + 1))
        assert connection.reply().status == 413


def test_a_body_without_end_is_refused_when_it_passes_16_megabytes(url: str) -> None:
    chunk = chunked(b" " * 65_536).removesuffix(b"0\r\n\r\n")
    with connected(url) as connection:
        connection.send(request("PutItem", b"", "Transfer-Encoding: chunked"))
        for _ in range(body_bytes_max // 65_536):
            connection.send(chunk)
        connection.send(chunk)
        assert connection.reply().status == 413


@pytest.mark.parametrize("size_bytes", [body_bytes_max + 1, 2 * body_bytes_max])
def test_who_sends_a_body_to_its_end_before_reading_sees_the_refusal(url: str, size_bytes: int) -> None:
    for _ in range(3):
        with connected(url) as connection:
            connection.send(request("PutItem", b"", f"Content-Length: {size_bytes}"))
            connection.send(b" " * size_bytes)
            assert connection.reply().status == 413
            assert connection.is_closed_by_the_other_side()


def test_a_body_over_16_megabytes_leaves_the_reply_before_it_alone(url: str, table: Any) -> None:
    for _ in range(3):
        with connected(url) as connection:
            first = request("PutItem", put(table, unique()))
            connection.send(first + request("PutItem", b"", f"Content-Length: {2 * body_bytes_max}"))
            connection.send(b" " * (2 * body_bytes_max))
            assert connection.reply().status == 200


def test_a_body_of_16_megabytes_is_read(url: str) -> None:
    reply = ask(url, "ListTables", listing + b" " * (body_bytes_max - len(listing)))
    assert reply.status == 200


def test_a_body_that_is_cut_off_writes_nothing(url: str, table: Any) -> None:
    name = unique()
    body = put(table, name)
    with connected(url) as connection:
        connection.send(request("PutItem", body)[:-5])
        connection.end()
        assert connection.is_closed_by_the_other_side()
    assert ask(url, "GetItem", get(table, name)).document == {}


@pytest.mark.parametrize("content", [b"\x00\xff\x13", b"no HTTP at all\r\n\r\n", b"POST / HTTP/9.9\r\n\r\n"])
def test_what_is_no_http_is_refused_and_the_connection_closed(url: str, content: bytes) -> None:
    with connected(url) as connection:
        connection.send(content)
        connection.end()
        assert connection.reply().status == 400
    assert ask(url, "ListTables", listing).status == 200


def test_an_unknown_content_type_is_refused(url: str) -> None:
    assert ask(url, "ListTables", listing, "Content-Type: text/plain").status == 404


def test_requests_may_come_from_a_page_of_another_origin(url: str) -> None:
    reply = ask(url, "ListTables", listing, "Origin: http://localhost")
    assert reply.headers["access-control-allow-origin"] == "*"


def test_an_unsigned_request_is_refused(url: str) -> None:
    for headers in ((), ("Authorization: Basic YTpi",)):
        with connected(url) as connection:
            connection.send(request("ListTables", listing, *headers, signed=False))
            check_error(
                connection.reply(), "MissingAuthenticationTokenException", "Request is missing Authentication Token"
            )


def test_a_signature_has_all_its_parts(url: str) -> None:
    with connected(url) as connection:
        connection.send(request("ListTables", listing, "Authorization: AWS4-HMAC-SHA256 Signature=b", signed=False))
        message = (
            "Authorization header requires 'Credential' parameter. Authorization header requires 'SignedHeaders'"
            " parameter. Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header."
            " Authorization=AWS4-HMAC-SHA256 Signature=b"
        )
        check_error(connection.reply(), "IncompleteSignatureException", message)


def test_a_signature_may_be_in_the_query(url: str) -> None:
    names = ("Algorithm", "Credential", "Signature", "SignedHeaders", "Date")
    path = "/?" + "&".join(f"X-Amz-{name}=a" for name in names)
    with connected(url) as connection:
        connection.send(request("ListTables", listing, path=path, signed=False))
        assert connection.reply().status == 200
        connection.send(request("ListTables", listing, path=path.removesuffix("&X-Amz-Date=a"), signed=False))
        message = "AWS query-string parameters must include 'X-Amz-Date'. Re-examine the query-string parameters."
        check_error(connection.reply(), "IncompleteSignatureException", message)
        connection.send(request("ListTables", listing, "Authorization: of another kind", path=path, signed=False))
        message = "Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as HTTP header."
        check_error(connection.reply(), "InvalidSignatureException", message)


def test_checks_of_a_request_have_their_order(url: str) -> None:
    """Broken JSON comes before an unknown operation, that before a missing signature, that before an empty body."""
    with connected(url) as connection:
        for operation, body, signed, error in (
            ("Nothing", b"{", False, "SerializationException"),
            ("Nothing", b"{}", False, "UnknownOperationException"),
            ("ListTables", b"", False, "MissingAuthenticationTokenException"),
            ("ListTables", b"", True, "SerializationException"),
            ("ListTables", b"[]", True, "SerializationException"),
        ):
            connection.send(request(operation, body, signed=signed))
            assert connection.reply().error == error


@pytest.mark.parametrize(
    ("coding", "pack"),
    [
        ("gzip", gzip.compress),
        ("gzip", lambda body: gzip.compress(body[:10]) + gzip.compress(body[10:])),
        ("gzip", lambda body: gzip.compress(body) + b"junk"),
        ("deflate", zlib.compress),
        ("deflate", lambda body: zlib.compress(body) + gzip.compress(b"junk")),
    ],
)
def test_a_request_may_be_compressed(url: str, table: Any, coding: str, pack: Callable[[bytes], bytes]) -> None:
    name = unique()
    assert ask(url, "PutItem", pack(put(table, name)), f"Content-Encoding: {coding}").status == 200
    assert ask(url, "GetItem", get(table, name)).document["Item"] == {"p": {"S": name}}


def test_a_deflate_request_is_a_single_stream(url: str) -> None:
    halves = zlib.compress(b'{"Lim') + zlib.compress(b'it":1}')
    assert ask(url, "ListTables", halves, "Content-Encoding: deflate").error == "SerializationException"


@pytest.mark.parametrize(
    ("coding", "content"),
    [
        ("gzip", b""),
        ("gzip", b"{}"),
        ("gzip", gzip.compress(b"{}")[:-1]),
        ("deflate", b""),
        ("deflate", b"{}"),
        ("br", b"{}"),
    ],
)
def test_what_cannot_be_unpacked_fails_as_the_service_fails(url: str, coding: str, content: bytes) -> None:
    """A client error would be kinder, but an InternalServerError is what the service answers."""
    reply = ask(url, "ListTables", content, f"Content-Encoding: {coding}")
    assert (reply.status, reply.error) == (500, "InternalServerError")


def test_a_request_that_unpacks_to_more_than_16_megabytes_is_refused(url: str) -> None:
    body = gzip.compress(b'{"Limit":1}' + b" " * (20 * 1024 * 1024))
    assert ask(url, "ListTables", body, "Content-Encoding: gzip").status == 413


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [
        ("gzip", "gzip"),
        ("deflate", "deflate"),
        ("br, identity, deflate, gzip", "deflate"),
        ("gzip;q=0.8, deflate ; q = 0.9", "deflate"),
        ("*", "gzip"),
        ("*, gzip;q=0.5", "deflate"),
        ("GZIP", "gzip"),
        ("gzip;q=0", None),
        ("gzip;q=0;q=1", None),
        ("gzip;nq=0", None),
        ("gzip;q=0, gzip;q=1, gzip;q=0", "gzip"),
        ("gzip;q=3, deflate;q=5", "gzip"),
        ("deflate;q=-1, gzip;q=0.2", "gzip"),
        ("deflate;q=0.5, gzip;q=dog", "gzip"),
        ("gzip;q =0", "gzip"),
        ("br, identity", None),
        ("", None),
    ],
)
@pytest.mark.parametrize("size", [10_000, 300_000])
def test_large_replies_are_compressed_for_who_accepts_it(
    url: str, table: Any, accepted: str, coding: str | None, size: int
) -> None:
    name = unique()
    table.put_item(Item={"p": name, "text": "x" * size})
    reply = ask(url, "GetItem", get(table, name), f"Accept-Encoding: {accepted}")
    assert reply.headers.get("content-encoding") == coding
    unpack: dict[str | None, Callable[[bytes], bytes]] = {"gzip": gzip.decompress, "deflate": zlib.decompress}
    body = unpack.get(coding, bytes)(reply.body)
    assert len(json.loads(body)["Item"]["text"]["S"]) == size


def test_the_first_of_several_accepted_encodings_decides(url: str, table: Any) -> None:
    name = unique()
    table.put_item(Item={"p": name, "text": "x" * 10_000})
    reply = ask(url, "GetItem", get(table, name), "Accept-Encoding: identity", "Accept-Encoding: gzip")
    assert "content-encoding" not in reply.headers


def test_small_replies_are_never_compressed(url: str, table: Any) -> None:
    assert "content-encoding" not in ask(url, "ListTables", listing, "Accept-Encoding: gzip").headers


def test_other_methods(url: str) -> None:
    with connected(url) as connection:
        connection.send(f"GET / HTTP/1.1\r\nHost: {connection.host}\r\nOrigin: http://a\r\n\r\n".encode())
        health = connection.reply()
        assert health.status == 200
        assert health.body == f"healthy: {connection.host} ".encode()
        assert health.headers["access-control-allow-origin"] == "*"
        connection.send(f"PUT / HTTP/1.1\r\nHost: {connection.host}\r\nContent-Length: 0\r\n\r\n".encode())
        reply = connection.reply()
        assert (reply.status, reply.body) == (404, b"<UnknownOperationException/>\n")


def test_a_preflight_allows_what_it_is_asked_for(url: str) -> None:
    asked = "Origin: http://a\r\nAccess-Control-Request-Method: dog\r\nAccess-Control-Request-Headers: cat, mouse"
    with connected(url) as connection:
        connection.send(f"OPTIONS / HTTP/1.1\r\nHost: {connection.host}\r\n{asked}\r\n\r\n".encode())
        headers = connection.reply().headers
    assert headers["access-control-allow-origin"] == "*"
    assert headers["access-control-allow-methods"] == "dog"
    assert headers["access-control-allow-headers"] == "cat, mouse"
    assert headers["access-control-max-age"] == "172800"
