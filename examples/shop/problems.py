"""Errors as `application/problem+json`: what callers get instead of a result."""

from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict
from starlette.exceptions import HTTPException

MEDIA_TYPE = "application/problem+json"


class ProblemDocument(BaseModel):
    """The body of every error; `type` is stable, `detail` is a sentence for people."""

    model_config = ConfigDict(frozen=True)

    type: str
    title: str
    status: int
    detail: str


class Problem(Exception):
    """Ends a request with an error document; inside a transaction it undoes the effect."""

    def __init__(self, status: HTTPStatus, code: str, detail: str) -> None:
        super().__init__(detail)
        self.document = ProblemDocument(
            type=f"urn:shop:{code}", title=status.phrase, status=status, detail=detail
        )


def not_found(kind: str, name: str) -> Problem:
    """Return the 404 for something unknown, or known but another customer's."""
    return Problem(HTTPStatus.NOT_FOUND, f"{kind}-not-found", f"There is no {kind} {name}.")


def refused(code: str, detail: str) -> Problem:
    """Return the 409 for a request that a business rule forbids."""
    return Problem(HTTPStatus.CONFLICT, code, detail)


def invalid(code: str, detail: str) -> Problem:
    """Return the 422 for a request that makes no sense as it is."""
    return Problem(HTTPStatus.UNPROCESSABLE_ENTITY, code, detail)


def unavailable() -> Problem:
    """Return the 503 of a service that is down for a moment."""
    return Problem(HTTPStatus.SERVICE_UNAVAILABLE, "unavailable", "The shop is not available now.")


def respond(document: ProblemDocument) -> Response:
    """Return `document` as an HTTP response."""
    return Response(document.model_dump_json(), document.status, media_type=MEDIA_TYPE)


def install_handlers(app: FastAPI) -> None:
    """Make `app` answer its own, the framework's and validation errors as problem documents."""

    @app.exception_handler(Problem)
    async def handle_problem(request: Request, error: Problem) -> Response:
        return respond(error.document)

    @app.exception_handler(RequestValidationError)
    async def handle_validation(request: Request, error: RequestValidationError) -> Response:
        detail = "; ".join(
            f"{'.'.join(str(part) for part in issue['loc'])}: {issue['msg']}"
            for issue in error.errors()
        )
        return respond(invalid("invalid-request", detail).document)

    @app.exception_handler(HTTPException)
    async def handle_http(request: Request, error: HTTPException) -> Response:
        problem = Problem(
            HTTPStatus(error.status_code), "http", f"{error.detail}: {request.url.path}"
        )
        response = respond(problem.document)
        response.headers.update(error.headers or {})
        return response
