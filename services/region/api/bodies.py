"""Bodies of FastAPI routes, counted while they are read."""

from fastapi import Request

from shared.errors import RequestTooLargeError
from shared.limits import request_body_bytes_max


async def bounded_body(request: Request, bytes_max: int = request_body_bytes_max) -> bytes:
    """The whole body, or `RequestTooLargeError` as soon as it passes the bound."""
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > bytes_max:
            raise RequestTooLargeError(f"Request body exceeds the limit of {bytes_max} bytes")
        parts.append(part)
    return b"".join(parts)
