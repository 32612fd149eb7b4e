"""Bodies of FastAPI routes, counted while they are read."""

from fastapi import Request
from starlette.requests import ClientDisconnect

from shared.errors import RequestTooLargeError, SerializationError
from shared.limits import request_body_bytes_max


async def bounded_body(request: Request, bytes_max: int = request_body_bytes_max) -> bytes:
    """The whole body; `RequestTooLargeError` when it passes the bound, `SerializationError` when its sender goes."""
    parts, size = [], 0
    try:
        async for part in request.stream():
            size += len(part)
            if size > bytes_max:
                raise RequestTooLargeError(f"Request body exceeds the limit of {bytes_max} bytes")
            parts.append(part)
    except ClientDisconnect as error:
        raise SerializationError("The connection ended before the body did") from error
    return b"".join(parts)
