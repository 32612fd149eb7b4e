"""How the resource REST, internal and operator routes tell of errors: every one becomes a problem document here."""

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException as StarletteHTTPException
from starlette.routing import Match

from shared.errors import (
    ConditionalCheckFailedError,
    CorruptRecordError,
    InternalServerError,
    RequestRefusedError,
    ResourceInUseError,
    ResourceNotFoundError,
    ServiceError,
)
from shared.problems import content_type, problem_document

log = structlog.get_logger(__name__)

_methods = ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")
_refusal_status = {
    "unauthorized": 401,
    "no_lane": 404,
    "no_route": 404,
    "bad_request": 400,
    "bad_cursor": 400,
    "stopping": 503,
    "disk_full": 503,
}

_resource_status: dict[type[ServiceError], int] = {  # what DynamoDB answers with 400 has a status of its own here
    ConditionalCheckFailedError: 412,
    ResourceInUseError: 409,
    ResourceNotFoundError: 404,
}


def problem(status: int, *, title: str, detail: str, reason: str) -> Response:
    """As `problem_document`."""
    document = problem_document(status, title=title, detail=detail, reason=reason)
    headers = {"WWW-Authenticate": "Bearer"} if status == 401 else None
    return Response(document, status, headers, content_type)


def add_problem_handlers(app: FastAPI) -> None:
    app.add_exception_handler(ServiceError, _service_error)
    app.add_exception_handler(RequestRefusedError, _refused)
    app.add_exception_handler(CorruptRecordError, _corrupt)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(StarletteHTTPException, _http)
    app.add_exception_handler(Exception, _unexpected)


async def _service_error(_request: Request, error: Exception) -> Response:
    assert isinstance(error, ServiceError)
    status = _resource_status.get(type(error), error.status)
    return problem(status, title=error.code, detail=error.message, reason=error.code)


async def _refused(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestRefusedError)
    status = _refusal_status.get(error.reason, 409)
    return problem(status, title="Request refused", detail=error.message, reason=error.reason)


async def _corrupt(_request: Request, error: Exception) -> Response:
    return problem(400, title="Body can't be decoded", detail=str(error), reason="bad_request")


async def _invalid(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    detail = "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors())
    return problem(400, title="Request is not valid", detail=detail, reason="bad_request")


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, StarletteHTTPException)
    if error.status_code == 405:
        return _wrong_method(request)
    reason = "no_route" if error.status_code == 404 else "bad_request"
    response = problem(error.status_code, title=str(error.detail), detail=str(error.detail), reason=reason)
    response.headers.update(error.headers or {})
    return response


def _wrong_method(request: Request) -> Response:
    """Each method of a path is a route of its own, and the router has told of the first one only."""
    allowed = ", ".join(method for method in _methods if _is_routed(request, "GET" if method == "HEAD" else method))
    detail = f"{request.method} does nothing here; use one of {allowed}"
    response = problem(405, title="Method not allowed", detail=detail, reason="method_not_allowed")
    response.headers["Allow"] = allowed
    return response


def _is_routed(request: Request, method: str) -> bool:
    scope = {**request.scope, "method": method}
    return any(route.matches(scope)[0] is Match.FULL for route in request.app.routes)


async def _unexpected(request: Request, error: Exception) -> Response:
    log.error("request failed", path=request.url.path, exc_info=error)
    return problem(500, title="Internal error", detail=InternalServerError().message, reason="internal_error")
