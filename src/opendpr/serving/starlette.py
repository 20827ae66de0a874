"""What Starlette brings: routes of pages and static files, paths with any characters, and errors as answers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from starlette.convertors import PathConvertor, register_url_convertor
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Match, Mount, Route
from starlette.staticfiles import StaticFiles

from opendpr.errors import OpendprError
from opendpr.serving import problems
from opendpr.serving.batching import FullError
from opendpr.serving.page.improving import ImprovingPages
from opendpr.serving.page.page import Page
from opendpr.serving.page.site import Site
from opendpr.serving.prometheus_client import Metrics
from opendpr.serving.service import Service


class AnyCharacters(PathConvertor):
    """A part of a path with any characters; Starlette's own has no line ends, which an id may have."""

    regex = r"[\s\S]*"


ANSWERED_ERRORS: tuple[type[Exception], ...] = (OpendprError, FullError, HTTPException, Exception)
"""What `error_response` answers, the last of them with 500."""
register_url_convertor("any", AnyCharacters())


def metrics_of(request: Request) -> Metrics:
    metrics: Metrics = request.app.state.metrics
    return metrics


def add_gauges(metrics: Metrics, service: Service) -> None:
    """Let the metrics show how much waits."""
    gauge = metrics.add_gauge
    gauge("opendpr_searching_questions", "Questions that wait for a search or are in one.", lambda: service.searching)
    gauge("opendpr_asking_questions", "Questions between question and answer.", lambda: service.asking)
    gauge("opendpr_missing", "Servers or members of a set that the last search lacked.", lambda: service.missing)
    if jobs := service.jobs:
        gauge("opendpr_waiting_jobs", "Changes of the collection that wait.", lambda: jobs.depth)


def may_write(request: Request) -> bool:
    """Whether the token of a request, if one is needed, allows changes."""
    return bool(request.scope["state"]["may_write"])


def page_response(page: Page) -> Response:
    return HTMLResponse(page.body, page.status, page.headers)


def page_routes(site: Site) -> list[BaseRoute]:
    """The routes of the pages, of the forms about answers, and of the files that the pages refer to."""
    judging = site.judging

    async def ask(request: Request) -> Response:
        return page_response(await site.ask(request.query_params, may_judge=may_write(request)))

    async def judge(request: Request) -> Response:
        judged = await judging.judge(await request.body(), request.scope["state"]["who"], in_place=_in_place(request))
        return page_response(judged)

    async def take_back(request: Request) -> Response:
        body, who = await request.body(), request.scope["state"]["who"]
        return page_response(await judging.take_back(body, who, in_place=_in_place(request)))

    async def documents(request: Request) -> Response:
        filters = request.query_params.getlist("filter")
        return page_response(await site.documents(request.query_params, filters, may_write=may_write(request)))

    async def document(request: Request) -> Response:
        return page_response(await site.document(request.query_params, may_write=may_write(request)))

    async def reference(request: Request) -> Response:
        return page_response(await site.reference(str(request.base_url).rstrip("/")))

    async def login(request: Request) -> Response:
        return page_response(site.login(await request.body(), secure=request.url.scheme == "https"))

    return [
        Route("/", ask),
        Route("/documents", documents),
        Route("/document", document),
        Route("/docs", reference),
        Route("/login", login, methods=["POST"]),
        *_improving_routes(site.improving),
        Route("/judgements", judge, methods=["POST"]),
        Route("/judgements/remove", take_back, methods=["POST"]),
        Mount("/static", StaticFiles(packages=[("opendpr.serving", "static")])),
    ]


def _improving_routes(improving: ImprovingPages) -> list[Route]:
    """The routes of the page on which a better model is made."""

    async def improvements(request: Request) -> Response:
        return page_response(await improving.show(request.query_params, may_write=may_write(request)))

    async def improve(request: Request) -> Response:
        return page_response(await improving.start())

    async def apply(request: Request) -> Response:
        return page_response(await improving.apply(await request.body()))

    async def undo(request: Request) -> Response:
        return page_response(await improving.undo(await request.body()))

    return [
        Route("/improvements", improvements),
        Route("/improvements", improve, methods=["POST"]),
        Route("/improvements/apply", apply, methods=["POST"]),
        Route("/improvements/undo", undo, methods=["POST"]),
    ]


def _in_place(request: Request) -> bool:
    """Whether a script of the page waits for the answer to a form, and not the browser for another page."""
    return "application/json" in request.headers.get("accept", "")


def problem_response(
    request: Request,
    status: int,
    detail: str,
    *,
    headers: Mapping[str, str] | None = None,
    errors: list[dict[str, str]] | None = None,
) -> Response:
    body, sent = problems.content(request.scope, status, detail, headers=dict(headers or {}), errors=errors)
    return Response(body, status, sent)


def error_response(request: Request, error: Exception, routes: Iterable[BaseRoute]) -> Response:
    """Every exception a route can raise, as an answer; one that nobody expected is logged by the server.

    Args:
        routes: of the API, which are asked what methods a path has
    """
    if isinstance(error, OpendprError | FullError):
        if isinstance(error, FullError):
            metrics_of(request).count_refusal("full")
        status, detail, headers = problems.of_error(error)
        return problem_response(request, status, detail, headers=headers)
    if isinstance(error, HTTPException):
        if error.status_code == 404:
            return problem_response(
                request, 404, "there is nothing at this path; /docs lists what is", headers=error.headers
            )
        if error.status_code == 405:
            allowed = _allowed(request, routes)
            detail = f"{request.url.path} does not take {request.method}; send {' or '.join(allowed.split(', '))}"
            return problem_response(request, 405, f"{detail}, as /docs describes", headers={"Allow": allowed})
        return problem_response(request, error.status_code, error.detail, headers=error.headers)
    return problem_response(request, 500, "something went wrong that should not; the log has it under this request id")


def _allowed(request: Request, api: Iterable[BaseRoute]) -> str:
    """The methods of all routes of a path, or those of a static file; Starlette names those of the first route."""
    routes = [route for route in (*api, *request.app.routes) if isinstance(route, Route)]
    matching = [route for route in routes if route.matches(request.scope)[0] is not Match.NONE]
    return ", ".join(sorted({method for route in matching for method in route.methods or ()})) or "GET, HEAD"
