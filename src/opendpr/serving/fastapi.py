"""The routes, by FastAPI: what is asked is checked against its schema, what is answered is described by it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, Path, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.security import HTTPBearer
from starlette.convertors import PathConvertor, register_url_convertor
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse
from starlette.routing import BaseRoute, Match, Mount, Route
from starlette.staticfiles import StaticFiles

import opendpr
from opendpr.choices import ID_CHARACTERS
from opendpr.errors import InputError, OpendprError, UsageError
from opendpr.serving import problems
from opendpr.serving.access import Access
from opendpr.serving.batching import FullError
from opendpr.serving.gate import Gate
from opendpr.serving.jobs import Jobs
from opendpr.serving.page.site import Page, Site
from opendpr.serving.prometheus_client import METRICS_TYPE, Metrics
from opendpr.serving.pydantic import (
    AskBody,
    Content,
    DocumentsBody,
    SearchBody,
    described,
    problem_schema,
)
from opendpr.serving.records import (
    REQUEST_LIMITS,
    AskRecord,
    DocumentRecord,
    DocumentsRecord,
    HealthRecord,
    InfoRecord,
    JobRecord,
    SearchRecord,
)
from opendpr.serving.service import Service
from opendpr.serving.settings import Settings

API_DESCRIPTION = "Passages and verbatim answers from a collection of documents."
PROBLEM_RESPONSE: dict[str, Any] = {
    "description": "Why it failed.",
    "content": {problems.PROBLEM_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
}

Id = Annotated[str, Path(max_length=ID_CHARACTERS, description="A document's id.")]


def _service(request: Request) -> Service:
    service: Service = request.app.state.service
    return service


def _metrics(request: Request) -> Metrics:
    metrics: Metrics = request.app.state.metrics
    return metrics


Serving = Annotated[Service, Depends(_service)]


class AnyCharacters(PathConvertor):
    """A part of a path with any characters; Starlette's own has no line ends, which an id may have."""

    regex = r"[\s\S]*"


register_url_convertor("any", AnyCharacters())
api = APIRouter(responses={"default": PROBLEM_RESPONSE})


@api.post("/v1/ask", tags=["questions"])
async def ask(body: AskBody, service: Serving) -> AskRecord:
    """Answer a question with the exact words of the documents, and where they occur."""
    return await service.ask(body.wanted(), body.answers)


@api.post("/v1/search", tags=["questions"])
async def search(body: SearchBody, service: Serving) -> SearchRecord:
    """Find the passages that fit a question best, best first."""
    return await service.search(body.wanted())


@api.get("/v1/documents", tags=["documents"])
async def list_documents(
    service: Serving,
    after: Annotated[
        str, Query(max_length=ID_CHARACTERS, description="Begin after this id: `next` of the list before.")
    ] = "",
    limit: Annotated[int, Query(ge=1, le=REQUEST_LIMITS["documents_in_one_list"])] = 100,
) -> DocumentsRecord:
    """List documents in order of id."""
    return await service.documents(after, limit)


@api.post("/v1/documents", tags=["documents"], status_code=202)
async def put_documents(body: DocumentsBody, service: Serving, response: Response) -> JobRecord:
    """Add or replace documents, in the background."""
    documents = [numbered.document(numbered.id) for numbered in body.documents]
    if len({document.id for document in documents}) < len(documents):
        raise UsageError("some of the documents have the same id; in a collection an id is there once")
    return _accepted(_jobs(service).put(documents), response)


@api.get("/v1/documents/{id:any}", tags=["documents"])
async def show_document(
    id: Id,
    service: Serving,
    start: Annotated[int, Query(ge=0, description="First character.")] = 0,
    end: Annotated[int | None, Query(ge=0, description="The one after the last.")] = None,
) -> DocumentRecord:
    """The text of a document, or a part of it, exactly as it was added."""
    return await service.document(id, start, end)


@api.put("/v1/documents/{id:any}", tags=["documents"], status_code=202)
async def put_document(id: Id, body: Content, service: Serving, response: Response) -> JobRecord:
    """Add or replace a document, in the background."""
    return _accepted(_jobs(service).put([body.document(id)]), response)


@api.delete("/v1/documents/{id:any}", tags=["documents"], status_code=202)
async def remove_document(id: Id, service: Serving, response: Response) -> JobRecord:
    """Remove a document, in the background."""
    jobs = _jobs(service)
    if not await service.has_document(id):
        raise InputError(f"there is no document {id!r}")
    return _accepted(jobs.remove([id]), response)


@api.get("/v1/jobs/{id}", tags=["documents"])
async def show_job(id: Annotated[str, Path(max_length=64)], service: Serving) -> JobRecord:
    """How far a change has come."""
    job = service.jobs.get(id) if service.jobs else None
    if job is None:
        raise InputError(f"there is no job {id!r}; jobs are forgotten when the service ends")
    return job


@api.get("/v1/info", tags=["service"])
async def info(service: Serving) -> InfoRecord:
    """What the collection holds and what this service takes."""
    return await service.info()


@api.get("/healthz", tags=["service"])
async def health() -> HealthRecord:
    """Whether the process lives."""
    return HealthRecord("ok")


@api.get("/readyz", tags=["service"])
async def readiness(service: Serving) -> HealthRecord:
    """Whether questions can be answered: model and index are loaded, the collection is there."""
    await service.info()
    return HealthRecord("ready")


@api.get("/metrics", tags=["service"], response_class=Response, responses={200: {"content": {"text/plain": {}}}})
async def show_metrics(request: Request) -> Response:
    """Counters in the text format of Prometheus."""
    return Response(_metrics(request).text(), media_type=METRICS_TYPE)


def _jobs(service: Service) -> Jobs:
    if service.jobs is None:
        raise HTTPException(403, "this service only reads; 'opendpr serve --writable' lets it write")
    return service.jobs


def _accepted(job: JobRecord, response: Response) -> JobRecord:
    response.headers["Location"] = f"/v1/jobs/{job.id}"
    return replace(job)


def _problem(
    request: Request,
    status: int,
    detail: str,
    headers: Mapping[str, str] | None = None,
    errors: list[dict[str, str]] | None = None,
) -> Response:
    body, sent = problems.content(request.scope, status, detail, dict(headers or {}), errors)
    return Response(body, status, sent)


def _allowed(request: Request) -> str:
    """The methods of all routes of a path, or those of a static file; Starlette names those of the first route."""
    routes = [route for route in (*api.routes, *request.app.routes) if isinstance(route, Route)]
    matching = [route for route in routes if route.matches(request.scope)[0] is not Match.NONE]
    return ", ".join(sorted({method for route in matching for method in route.methods or ()})) or "GET, HEAD"


async def _on_error(request: Request, error: Exception) -> Response:
    """Every exception a route can raise, as a problem; one that nobody expected is logged by the server."""
    if isinstance(error, OpendprError | FullError):
        if isinstance(error, FullError):
            _metrics(request).count_refusal("full")
        return _problem(request, *problems.of_error(error))
    if isinstance(error, RequestValidationError):
        errors = [described(failure) for failure in error.errors()]
        first = "{where} {message}".format(**errors[0])
        return _problem(request, 422, f"the request is not of the form that /docs describes: {first}", None, errors)
    if isinstance(error, HTTPException):
        if error.status_code == 404:
            return _problem(request, 404, "there is nothing at this path; /docs lists what is", error.headers)
        if error.status_code == 405:
            allowed = _allowed(request)
            detail = f"{request.url.path} does not take {request.method}; send {' or '.join(allowed.split(', '))}"
            return _problem(request, 405, f"{detail}, as /docs describes", {"Allow": allowed})
        return _problem(request, error.status_code, error.detail, error.headers)
    return _problem(request, 500, "something went wrong that should not; the log has it under this request id")


def _pages(site: Site) -> list[BaseRoute]:
    """The routes of the pages and of the files that they refer to."""

    def answered(page: Page) -> Response:
        return HTMLResponse(page.body, page.status, page.headers)

    async def ask_page(request: Request) -> Response:
        return answered(await site.ask(request.query_params))

    async def document_page(request: Request) -> Response:
        return answered(await site.document(request.query_params))

    async def reference_page(request: Request) -> Response:
        return answered(site.reference(str(request.base_url).rstrip("/")))

    async def login(request: Request) -> Response:
        return answered(site.login(await request.body(), secure=request.url.scheme == "https"))

    return [
        Route("/", ask_page),
        Route("/document", document_page),
        Route("/docs", reference_page),
        Route("/login", login, methods=["POST"]),
        Mount("/static", StaticFiles(packages=[("opendpr.serving", "static")])),
    ]


def make_app(settings: Settings) -> problems.App:
    """The whole application.

    Raises:
        OpendprError: the collection or the model cannot be opened, or do not fit each other.
    """
    metrics = Metrics()
    service = Service(settings, on_batch=metrics.count_batch)
    _add_gauges(metrics, service)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        await service.resume()
        yield
        service.close()

    app = FastAPI(
        title="opendpr",
        version=opendpr.__version__,
        description=API_DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
        redirect_slashes=False,
    )
    app.state.service, app.state.metrics = service, metrics
    for kind in (OpendprError, FullError, RequestValidationError, HTTPException, Exception):
        app.add_exception_handler(kind, _on_error)
    bearer = [Depends(HTTPBearer(auto_error=False))] if settings.tokens else []
    app.include_router(api, dependencies=bearer)
    describe = app.openapi

    def openapi() -> dict[str, Any]:
        schema = describe()
        schema["components"]["schemas"]["Problem"] = problem_schema()
        return schema

    app.openapi = openapi  # type: ignore[method-assign]
    app.router.routes.extend(_pages(Site(service, openapi)))
    return Access(Gate(app, settings, metrics), metrics)


def _add_gauges(metrics: Metrics, service: Service) -> None:
    gauge = metrics.add_gauge
    gauge("opendpr_searching_questions", "Questions that wait for a search or are in one.", lambda: service.searching)
    gauge("opendpr_asking_questions", "Questions between question and answer.", lambda: service.asking)
    if jobs := service.jobs:
        gauge("opendpr_waiting_jobs", "Changes of the collection that wait.", lambda: jobs.depth)
