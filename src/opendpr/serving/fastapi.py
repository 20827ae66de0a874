"""The application, by FastAPI: the routes of the API, the forms of the pages, and what is done with errors."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI, Form, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.security import HTTPBearer

import opendpr
from opendpr.errors import InputError
from opendpr.serving import problems
from opendpr.serving.access import Access
from opendpr.serving.gate import Gate
from opendpr.serving.openapi import API_DESCRIPTION, complete
from opendpr.serving.page.site import Site
from opendpr.serving.prometheus_client import Metrics
from opendpr.serving.pydantic import described
from opendpr.serving.routes import Files, Serving, api, jobs_of, uploaded
from opendpr.serving.service import Service
from opendpr.serving.settings import Settings
from opendpr.serving.starlette import (
    ANSWERED_ERRORS,
    add_gauges,
    error_response,
    page_response,
    page_routes,
    problem_response,
)

forms = APIRouter(include_in_schema=False)
"""What forms of the pages are sent to; `gate.py` sees to it that no other site's page sends one."""


def _site(request: Request) -> Site:
    site: Site = request.app.state.site
    return site


OfPages = Annotated[Site, Depends(_site)]


@forms.post("/documents")
async def upload_form(files: Files, service: Serving, site: OfPages) -> Response:
    """Files chosen on the page of the documents."""
    return page_response(site.accepted(jobs_of(service).upload(await uploaded(files))))


@forms.post("/documents/remove")
async def remove_form(service: Serving, site: OfPages, id: Annotated[list[str], Form()]) -> Response:
    """Documents ticked on the page of the documents."""
    jobs = jobs_of(service)
    there = [name for name in dict.fromkeys(id) if await service.has_document(name)]
    if not there:
        raise InputError("these documents are not there any more; load the page again")
    return page_response(site.accepted(jobs.remove(there)))


async def _on_error(request: Request, error: Exception) -> Response:
    if isinstance(error, RequestValidationError):
        errors = [described(failure) for failure in error.errors()]
        first = "{where} {message}".format(**errors[0])
        detail = f"the request is not of the form that /docs describes: {first}"
        return problem_response(request, 422, detail, errors=errors)
    return error_response(request, error, api.routes)


def make_app(settings: Settings, is_ending: Callable[[], bool] = lambda: False) -> problems.App:
    """The whole application.

    Args:
        is_ending: says whether the server is about to end, and waits for answers that go on

    Raises:
        OpendprError: the collection or the model cannot be opened, or do not fit each other.
    """
    metrics = Metrics()
    service = Service(settings, on_batch=metrics.count_batch)
    add_gauges(metrics, service)

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
    app.state.service, app.state.metrics, app.state.is_ending = service, metrics, is_ending
    app.add_exception_handler(RequestValidationError, _on_error)
    for kind in ANSWERED_ERRORS:
        app.add_exception_handler(kind, _on_error)
    bearer = [Depends(HTTPBearer(auto_error=False))] if settings.tokens else []
    app.include_router(api, dependencies=bearer)
    describe = app.openapi

    app.openapi = lambda: complete(describe())  # type: ignore[method-assign]
    app.state.site = Site(service, app.openapi)
    app.include_router(forms)
    app.router.routes.extend(page_routes(app.state.site))
    return Access(Gate(app, settings, metrics), metrics)
