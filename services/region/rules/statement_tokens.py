"""NextToken of ExecuteStatement: where the next page begins, sealed, and good for one statement only. Pure."""

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import NamedTuple

import orjson

from shared.errors import ValidationError
from shared.model.values import Item

_digest_bytes = 16
_seal_bytes = 16


class PagePlace(NamedTuple):
    """Which of a statement's collections comes next, and the key that it goes on after (None: from its start)."""

    collection: int = 0
    start_key: Item | None = None


def encode_token(place: PagePlace, *, digest: bytes, key: bytes) -> str:
    """`digest` is of the statement with its parameters, in 16 bytes."""
    content = digest + orjson.dumps([place.collection, place.start_key])
    return urlsafe_b64encode(content + _seal(content, key)).decode()


def decode_token(token: str, *, digest: bytes, key: bytes) -> PagePlace:
    try:
        sealed = urlsafe_b64decode(token.encode())
    except ValueError as error:
        raise ValidationError("Invalid NextToken") from error
    content = sealed[:-_seal_bytes]
    if not hmac.compare_digest(_seal(content, key), sealed[-_seal_bytes:]):
        raise ValidationError("Invalid NextToken")
    if content[:_digest_bytes] != digest:
        raise ValidationError("NextToken does not match request")
    collection, start_key = orjson.loads(content[_digest_bytes:])
    return PagePlace(collection, start_key)


def _seal(content: bytes, key: bytes) -> bytes:
    return hmac.digest(key, b"statement page" + content, "sha256")[:_seal_bytes]
