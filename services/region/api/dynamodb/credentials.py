"""Whether a request is signed at all, in the form that Signature Version 4 asks for; whose key it was is not looked at.

Checks and messages in the order of DynamoDB's front end.
"""

from collections.abc import Mapping
from urllib.parse import parse_qs

from shared.errors import IncompleteSignatureError, InvalidSignatureError, MissingAuthenticationTokenError

_header_parts = ("Credential", "Signature", "SignedHeaders")
_query_parts = ("X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Signature", "X-Amz-SignedHeaders", "X-Amz-Date")


def check_signed(fields: Mapping[bytes, bytes], query: bytes) -> None:
    """Raises unless the request has all parts of a signature, in its header or in its query string."""
    authorization = fields.get(b"authorization")
    if b"X-Amz-Algorithm" in query:
        if authorization is not None:
            raise InvalidSignatureError(
                "Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as HTTP header."
            )
        _check_query(query)
    elif authorization is None or not authorization.startswith(b"AWS4-"):
        raise MissingAuthenticationTokenError
    elif not (
        b"Credential=" in authorization
        and b"Signature=" in authorization
        and b"SignedHeaders=" in authorization
        and (b"x-amz-date" in fields or b"date" in fields)
    ):
        _refuse_header(fields, authorization.decode("latin-1"))


def _check_query(query: bytes) -> None:
    given = parse_qs(query.decode("latin-1"))
    missing = [name for name in _query_parts if name not in given]
    if missing:
        problems = "".join(f"AWS query-string parameters must include '{name}'. " for name in missing)
        raise IncompleteSignatureError(f"{problems}Re-examine the query-string parameters.")


def _refuse_header(fields: Mapping[bytes, bytes], authorization: str) -> None:
    problems = "".join(
        f"Authorization header requires '{name}' parameter. "
        for name in _header_parts
        if f"{name}=" not in authorization
    )
    if b"x-amz-date" not in fields and b"date" not in fields:
        problems += "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. "
    raise IncompleteSignatureError(f"{problems}Authorization={authorization}")
