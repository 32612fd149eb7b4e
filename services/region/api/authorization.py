"""Who may use internal and operator routes: bearers of the shared token, compared in constant time."""

import hmac
from collections.abc import Awaitable, Callable

from fastapi import Request

from shared.errors import RequestRefusedError


def bearer_check(token: str | None) -> Callable[[Request], Awaitable[None]]:
    """A FastAPI dependency that refuses requests without the token; without a token it refuses all."""

    async def check(request: Request) -> None:  # FastAPI would run a plain function on another thread
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        if token is None or scheme.lower() != "bearer" or not hmac.compare_digest(given.encode(), token.encode()):
            raise RequestRefusedError("unauthorized", "this route needs the region's bearer token")

    return check
