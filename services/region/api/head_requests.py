"""HEAD on every route that GET has (RFC 9110, 9.3.2): the answer to GET, of which the server sends the head alone."""

from starlette.types import ASGIApp, Receive, Scope, Send

_endpoint_path = "/"  # of the DynamoDB endpoint, which answers HEAD in its own way


class HeadRequests:
    """Middleware: routes see GET; uvicorn, which looks at its own scope, leaves out the body."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] == "HEAD" and scope["path"] != _endpoint_path:
            scope = {**scope, "method": "GET"}
        await self._app(scope, receive, send)
