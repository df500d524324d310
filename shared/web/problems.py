"""Every error answer is `application/problem+json` (RFC 9457), with a stable code and, per fault, field and remedy."""

from collections.abc import Iterable, Mapping
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from shared.errors import BlobDamaged, BlobMissing, OutOfSpace, Retry, Unavailable
from shared.web.answer import MEDIA_TYPE
from shared.web.faults import FieldFault, body_model, faults_of
from shared.web.openapi import allowed_methods

_TITLES = {
    400: ("bad_request", "The request cannot be read"),
    401: ("unauthorized", "A valid API key is needed"),
    403: ("forbidden", "The key does not permit this"),
    404: ("not_found", "There is no such thing"),
    405: ("method_not_allowed", "This address does not take that method"),
    409: ("conflict", "It contradicts what is there"),
    413: ("too_large", "The request is too large"),
    415: ("unsupported_media_type", "This content type is not taken"),
    422: ("invalid", "The request holds faults"),
    429: ("too_many_requests", "Too many requests"),
    500: ("internal_error", "Something broke on our side"),
    503: ("unavailable", "A part of the service does not answer"),
    507: ("out_of_space", "The disk is full"),
}


class Problem(Exception):  # noqa: N818 - RFC 9457's own word
    """Raise it anywhere below a route. `code` is stable; each error names a field, the fault and the remedy."""

    def __init__(
        self,
        status: int,
        code: str | None = None,
        detail: str = "",
        *,
        errors: Iterable[FieldFault] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        default_code, self.title = _TITLES.get(status, ("error", "The request failed"))
        self.status = status
        self.code = code or default_code
        self.errors = tuple(errors)
        self.detail = detail or "; ".join(map(str, self.errors)) or self.title
        self.headers = dict(headers or {})
        super().__init__(f"{status} {self.code}: {self.detail}")

    def body(self) -> dict[str, Any]:
        """As it goes over the wire."""
        return {
            "type": f"urn:clearframe:problem:{self.code}",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "code": self.code,
            "errors": [fault.model_dump() for fault in self.errors],
        }

    def answer(self) -> Response:
        """The HTTP answer."""
        return JSONResponse(self.body(), self.status, headers=self.headers, media_type=MEDIA_TYPE)


def invalid(field: str, message: str, remedy: str, *, code: str = "invalid") -> Problem:
    """A 422 for one field."""
    return Problem(422, code, errors=[FieldFault(field=field, message=message, remedy=remedy)])


def not_found(what: str) -> Problem:
    """A 404 that tells nobody whether the thing exists elsewhere."""
    return Problem(404, detail=f"there is no such {what}")


def install(app: FastAPI) -> None:
    """Makes every error of `app` a problem."""
    app.add_exception_handler(Problem, _problem)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _validation)
    for kind in _OURS:
        app.add_exception_handler(kind, _ours)
    app.add_exception_handler(ClientDisconnect, _gone)
    app.add_exception_handler(Exception, _unexpected)


async def _problem(_request: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)
    return error.answer()


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == 400 and error.detail == "There was an error parsing the body":
        return invalid("body", "is no valid UTF-8 JSON", "send JSON, encoded as UTF-8").answer()
    default, headers = _TITLES.get(error.status_code, ("", ""))[1], dict(error.headers or {})
    if error.status_code == 405:
        headers["Allow"] = ", ".join(allowed_methods(request.app.openapi(), request.url.path)) or headers["Allow"]
    return Problem(error.status_code, detail=default or str(error.detail), headers=headers).answer()


async def _validation(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    return Problem(422, errors=faults_of(error.errors(), body_model(request.scope.get("route")))).answer()


_AGAIN = {"Retry-After": "2"}
_OURS: dict[type[Exception], tuple[int, str | None, Mapping[str, str]]] = {
    Unavailable: (503, None, _AGAIN),
    Retry: (503, "busy", {"Retry-After": "1"}),
    OutOfSpace: (507, None, {"Retry-After": "30"}),
    BlobMissing: (404, "content_missing", {}),
    BlobDamaged: (500, "content_damaged", {}),
}


async def _ours(_request: Request, error: Exception) -> Response:
    status, code, headers = next(_OURS[kind] for kind in type(error).__mro__ if kind in _OURS)
    return Problem(status, code, headers=headers).answer()


async def _gone(_request: Request, _error: Exception) -> Response:
    return Problem(400, "client_gone", "the client left before its request had ended").answer()


async def _unexpected(_request: Request, _error: Exception) -> Response:
    return Problem(500, detail="it has been logged under the request id").answer()
