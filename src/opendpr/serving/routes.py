"""The routes of the API, by FastAPI: requests are checked against their schema, answers described by it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Depends, File, HTTPException, Path, Query, Request, Response, UploadFile
from fastapi.responses import StreamingResponse

from opendpr.choices import ID_CHARACTERS, WHERE_CHARACTERS
from opendpr.collection.listing import Listing
from opendpr.errors import InputError, UsageError
from opendpr.serving.events import EVENTS_TYPE, job_events
from opendpr.serving.improvement_records import ImprovementRecord, ImprovementsRecord
from opendpr.serving.improving import Improvements
from opendpr.serving.jobs import Jobs
from opendpr.serving.judging import Judgements, no_judgements
from opendpr.serving.openapi import PROBLEM_RESPONSE, SAID_BEFORE_RESPONSES
from opendpr.serving.prometheus_client import METRICS_TYPE
from opendpr.serving.pydantic import AskBody, Content, DocumentsBody, JudgementBody, SearchBody
from opendpr.serving.records import (
    REQUEST_LIMITS,
    AskRecord,
    DocumentRecord,
    DocumentsRecord,
    HealthRecord,
    InfoRecord,
    JobRecord,
    JudgementRecord,
    SearchRecord,
)
from opendpr.serving.service import Service
from opendpr.serving.starlette import metrics_of
from opendpr.serving.uploads import Upload

Id = Annotated[str, Path(max_length=ID_CHARACTERS, description="A document's id.")]
JobId = Annotated[str, Path(max_length=64, description="A job's id.")]
JudgementId = Annotated[str, Path(max_length=64, description="A judgement's id.")]
ImprovementId = Annotated[str, Path(max_length=64, description="An improvement's id.")]
Files = Annotated[
    list[UploadFile],
    File(min_length=1, max_length=REQUEST_LIMITS["files_in_one_upload"], description="One field for each file."),
]


def _service(request: Request) -> Service:
    service: Service = request.app.state.service
    return service


Serving = Annotated[Service, Depends(_service)]


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
    words: Annotated[
        str, Query(max_length=REQUEST_LIMITS["words_characters"], description="Words of the id or the title.")
    ] = "",
    where: Annotated[str, Query(max_length=WHERE_CHARACTERS, description="Filter on the metadata.")] = "",
) -> DocumentsRecord:
    """List documents in order of id."""
    return await service.documents(Listing(words, where), after, limit)


@api.post("/v1/documents", tags=["documents"], status_code=202)
async def put_documents(body: DocumentsBody, service: Serving, response: Response) -> JobRecord:
    """Add or replace documents, in the background."""
    documents = [numbered.document(numbered.id) for numbered in body.documents]
    if len({document.id for document in documents}) < len(documents):
        raise UsageError("some of the documents have the same id; in a collection an id is there once")
    return _accepted(jobs_of(service).put(documents), response)


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
    return _accepted(jobs_of(service).put([body.document(id)]), response)


@api.delete("/v1/documents/{id:any}", tags=["documents"], status_code=202)
async def remove_document(id: Id, service: Serving, response: Response) -> JobRecord:
    """Remove a document, in the background."""
    jobs = jobs_of(service)
    if not await service.has_document(id):
        raise InputError(f"there is no document {id!r}; GET /v1/documents lists them")
    return _accepted(jobs.remove([id]), response)


@api.post("/v1/files", tags=["documents"], status_code=202)
async def upload_files(files: Files, service: Serving, response: Response) -> JobRecord:
    """Add or replace the documents of files of any kind that `opendpr add` reads, in the background."""
    return _accepted(jobs_of(service).upload(await uploaded(files)), response)


@api.get("/v1/jobs/{id}", tags=["documents"])
async def show_job(id: JobId, service: Serving) -> JobRecord:
    """How far a change has come."""
    return service.job(id)


@api.get(
    "/v1/jobs/{id}/events",
    tags=["documents"],
    response_class=Response,
    responses={200: {"content": {EVENTS_TYPE: {}}, "description": "The job whenever it has changed, as JSON."}},
)
async def follow_job(id: JobId, service: Serving, request: Request) -> Response:
    """How far a change has come, as server-sent events until it is done."""
    events = job_events(service.job(id), request.app.state.is_ending)
    return StreamingResponse(events, media_type=EVENTS_TYPE)


@api.post("/v1/judgements", tags=["judgements"], status_code=201, responses=SAID_BEFORE_RESPONSES)
async def judge(body: JudgementBody, service: Serving, request: Request, response: Response) -> JudgementRecord:
    """Say that an answer is right or wrong, or which words are better; stored in the collection."""
    judgements, shown, who = _judgements(service), body.shown_answer(), request.scope["state"]["who"]
    said = await asyncio.to_thread(judgements.judge, body.question, body.verdict, body.place(), shown=shown, who=who)
    response.status_code = 201 if said.is_new else 200
    return said.record


@api.delete("/v1/judgements/{id}", tags=["judgements"], status_code=204, response_class=Response)
async def remove_judgement(id: JudgementId, service: Serving, request: Request) -> None:
    """Take back what was said of an answer, with the token that said it."""
    await asyncio.to_thread(_judgements(service).remove, id, request.scope["state"]["who"])


@api.get("/v1/improvements", tags=["improvements"])
async def show_improvements(service: Serving) -> ImprovementsRecord:
    """How many questions are judged, what is missing, and what the latest improvement came to."""
    return await asyncio.to_thread(_improvements(service).status)


@api.post("/v1/improvements", tags=["improvements"], status_code=202)
async def improve(service: Serving, response: Response) -> JobRecord:
    """Make a model of the judged questions, and judge it by those kept apart; answers stay as they are."""
    jobs_of(service)
    return _accepted(await asyncio.to_thread(_improvements(service).start), response)


@api.get("/v1/improvements/{id}", tags=["improvements"])
async def show_improvement(id: ImprovementId, service: Serving) -> ImprovementRecord:
    """What an improvement came to: whether to switch, why, and what would change."""
    return await asyncio.to_thread(_improvements(service).get, id)


@api.post("/v1/improvements/{id}/apply", tags=["improvements"], status_code=202)
async def apply_improvement(id: ImprovementId, service: Serving, response: Response) -> JobRecord:
    """Let the collection answer with the new model, which must be shown to be better, in the background."""
    jobs_of(service)
    return _accepted(await asyncio.to_thread(_improvements(service).apply, id), response)


@api.post("/v1/improvements/{id}/undo", tags=["improvements"], status_code=202)
async def undo_improvement(id: ImprovementId, service: Serving, response: Response) -> JobRecord:
    """Let the collection answer with the model from before again, in the background."""
    jobs_of(service)
    return _accepted(await asyncio.to_thread(_improvements(service).undo, id), response)


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
    return Response(metrics_of(request).text(), media_type=METRICS_TYPE)


def jobs_of(service: Service) -> Jobs:
    if service.jobs is None:
        raise HTTPException(403, "this service only reads; 'opendpr serve --writable' lets it write")
    return service.jobs


def _judgements(service: Service) -> Judgements:
    if service.judgements is None:
        raise HTTPException(403, no_judgements(service.settings.collection))
    return service.judgements


def _improvements(service: Service) -> Improvements:
    if service.improvements is None:
        raise HTTPException(403, no_judgements(service.settings.collection))
    return service.improvements


def _accepted(job: JobRecord, response: Response) -> JobRecord:
    response.headers["Location"] = f"/v1/jobs/{job.id}"
    return replace(job)


async def uploaded(files: list[UploadFile]) -> Upload:
    """The files that were chosen; a form without any sends one without a name."""
    chosen = [(file.filename, file.file) for file in files if file.filename]
    if not chosen:
        raise UsageError("no file was chosen; choose one or several")
    return await asyncio.to_thread(Upload, chosen)
