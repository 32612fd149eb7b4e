"""Content codings as DynamoDB has them: requests may be gzip or deflate, large replies are compressed if wanted."""

import gzip
import zlib

from shared.errors import InternalServerError, RequestTooLargeError
from shared.limits import request_body_bytes_max

compressed_reply_bytes_min = 4096
_windows = {b"gzip": 31, b"deflate": 15}  # zlib's words for a gzip member and a zlib stream
_gzip_member = b"\x1f\x8b\x08"
_level = 1  # of a megabyte most is won at a third of the time


def decoded(body: bytes, coding: bytes) -> bytes:
    """The request itself. What can't be unpacked is answered with an InternalServerError, as DynamoDB does.

    Gzip members may follow each other; whatever else comes after the end is passed over, which is DynamoDB's way too.
    """
    window = _windows.get(coding.strip().lower())
    if window is None:
        raise InternalServerError
    parts: list[bytes] = []
    size = 0
    rest = body
    try:
        while not parts or (window == _windows[b"gzip"] and rest.startswith(_gzip_member)):
            stream = zlib.decompressobj(window)
            parts.append(stream.decompress(rest, request_body_bytes_max + 1 - size))
            size += len(parts[-1])
            if size > request_body_bytes_max:
                raise RequestTooLargeError("Request body exceeds the limit of 16 MB")
            if not stream.eof:
                raise InternalServerError
            rest = stream.unused_data
    except zlib.error as error:
        raise InternalServerError from error
    return b"".join(parts)


def accepted_coding(accept_encoding: bytes) -> bytes | None:
    """The coding of the reply: the heaviest that is known, the first of equals, gzip for `*`; loose in its forms."""
    weights: dict[bytes, float] = {}
    for entry in accept_encoding.lower().split(b","):
        name, _, parameters = entry.partition(b";")
        name = name.strip()
        weights[name] = max(_weight(parameters), weights.get(name, 0.0))
    if b"*" in weights:
        for name in (b"gzip", b"deflate"):
            weights.setdefault(name, weights[b"*"])
    known = {name: weight for name, weight in weights.items() if name in (b"gzip", b"deflate") and weight > 0}
    return max(known, key=known.__getitem__) if known else None


def encoded(body: bytes, coding: bytes) -> bytes:
    if coding == b"gzip":
        return gzip.compress(body, _level, mtime=0)
    return zlib.compress(body, _level)


def _weight(parameters: bytes) -> float:
    """What follows the first `q=`, wherever it stands, within 0 and 1; full weight where that is no number."""
    _, _, value = parameters.partition(b"q=")
    try:
        return min(1.0, max(0.0, float(value.partition(b";")[0])))
    except ValueError:
        return 1.0
