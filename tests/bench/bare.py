"""The mark that everything is measured by: the least that an ASGI application can do."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

_body = b'{"ok":true}'
_start = {
    "type": "http.response.start",
    "status": 200,
    "headers": [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(_body))],
}
_end = {"type": "http.response.body", "body": _body}


async def application(
    scope: Mapping[str, Any],
    receive: Callable[[], Awaitable[Mapping[str, Any]]],
    send: Callable[[Mapping[str, Any]], Awaitable[None]],
) -> None:
    await send(_start)
    await send(_end)
