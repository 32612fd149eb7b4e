"""Content codings as DynamoDB has them: requests may be gzip, large replies are compressed for whoever accepts it."""

import gzip
import zlib

from shared.errors import InternalServerError, RequestTooLargeError
from shared.limits import request_body_bytes_max

compressed_reply_bytes_min = 4096
_gzip_window = 31  # zlib's word for a gzip member
_level = 1  # of a megabyte most is won at a third of the time


def decoded(body: bytes, coding: bytes) -> bytes:
    """The request itself. What is no gzip is answered with an InternalServerError, as DynamoDB does."""
    if coding.strip().lower() != b"gzip":
        raise InternalServerError
    parts: list[bytes] = []
    size = 0
    rest = body
    try:
        while rest or not parts:
            member = zlib.decompressobj(_gzip_window)
            parts.append(member.decompress(rest, request_body_bytes_max + 1 - size))
            size += len(parts[-1])
            if size > request_body_bytes_max:
                raise RequestTooLargeError("Request body exceeds the limit of 16 MB")
            if not member.eof:
                raise InternalServerError
            rest = member.unused_data
    except zlib.error as error:
        raise InternalServerError from error
    return b"".join(parts)


def accepted_coding(accept_encoding: bytes) -> bytes | None:
    """The coding of the reply by RFC 9110 (12.5.3): the heaviest that is known, the first of equals, gzip for `*`."""
    weights: dict[bytes, float] = {}
    for entry in accept_encoding.lower().split(b","):
        name, *parameters = (part.strip() for part in entry.split(b";"))
        weights.setdefault(name, _weight(parameters))
    if b"*" in weights:
        for name in (b"gzip", b"deflate"):
            weights.setdefault(name, weights[b"*"])
    known = {name: weight for name, weight in weights.items() if name in (b"gzip", b"deflate") and weight > 0}
    return max(known, key=known.__getitem__) if known else None


def encoded(body: bytes, coding: bytes) -> bytes:
    if coding == b"gzip":
        return gzip.compress(body, _level, mtime=0)
    return zlib.compress(body, _level)


def _weight(parameters: list[bytes]) -> float:
    for parameter in parameters:
        name, _, value = parameter.partition(b"=")
        if name.strip() == b"q":
            try:
                return float(value)
            except ValueError:
                return 0.0
    return 1.0
