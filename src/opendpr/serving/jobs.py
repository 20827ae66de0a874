"""Changes of the collection as jobs in the background, one after the other; each goes on after a kill."""

from __future__ import annotations

import logging
import queue
import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from opendpr.collection import open_writer
from opendpr.errors import OpendprError
from opendpr.iteration import OnStage, batched
from opendpr.maintenance.add import AddSettings, add
from opendpr.maintenance.remove import remove
from opendpr.model.directory import Model
from opendpr.model.encoder import BertEncoder
from opendpr.model.runtime import RuntimeSettings
from opendpr.search.bm25 import update_bm25
from opendpr.serving.batching import FullError
from opendpr.serving.records import JobKind, JobRecord
from opendpr.serving.uploads import UPLOAD_PREFIX, Upload
from opendpr.storage.temporary import remove_abandoned
from opendpr.training.interruption import Interruption
from opendpr.types import Document

logger = logging.getLogger(__name__)

WAITING_JOBS = 64
"""Jobs that may wait."""
WAITING_UPLOADS = 8
"""Jobs with uploaded files that may wait or be at work, since their files fill the disk."""
REMEMBERED_JOBS = 1_000
"""Jobs whose state can be asked for."""
RETRY_SECONDS = 5.0
"""When to try again where too many jobs wait."""
STORED_DOCUMENTS = 256
"""Documents stored in one transaction when the service ends."""
WRITER_WAIT_SECONDS = 60
"""How long a job waits for another process that writes the collection."""


UNEXPECTED = "{} in the service, which its log describes; what was stored before is kept, and the next job runs"
"""What a job says that ended by an error nobody expected."""


Work = Callable[[JobRecord, OnStage], None]
"""What a job does, which notes in its record what came of it and calls `OnStage` as it goes on."""


class _StoppedError(Exception):
    """The service is ending; the next start, or an `opendpr add`, encodes what is left."""


@dataclass(frozen=True)
class _Job:
    record: JobRecord
    documents: Sequence[Document] = ()
    ids: Sequence[str] = ()
    upload: Upload | None = None
    work: Work | None = None

    def all_documents(self) -> Iterable[Document]:
        """The documents to store; those of uploaded files are read only now."""
        if self.upload is None:
            return self.documents
        return self.upload.documents(self._note_files)

    def _note_files(self, files: int) -> None:
        self.record.files_read = files


class Jobs:
    """The one thread that writes.

    Args:
        model: name or directory; None is the collection's
    """

    def __init__(self, directory: Path, model: str | None, runtime: RuntimeSettings) -> None:
        remove_abandoned(UPLOAD_PREFIX)
        self._directory, self._model, self._runtime = directory, model, runtime
        self._encoder: BertEncoder | None = None
        self._queue: queue.Queue[_Job | None] = queue.Queue()
        self._records: OrderedDict[str, JobRecord] = OrderedDict()
        self._uploads = threading.Semaphore(WAITING_UPLOADS)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="jobs", daemon=True)
        self._thread.start()

    def put(self, documents: Sequence[Document]) -> JobRecord:
        """Add or replace documents, and encode what an interrupted run left.

        Adding is by id, so a request that is sent twice changes nothing the second time.

        Raises:
            FullError: too many jobs wait.
        """
        return self._submit(_Job(_new_record("put"), documents=documents))

    def upload(self, upload: Upload) -> JobRecord:
        """Add or replace the documents of uploaded files, which are closed once they are read; raises as `put`."""
        if not self._uploads.acquire(blocking=False):
            raise FullError(RETRY_SECONDS)
        record = _new_record("put")
        record.files = upload.files
        try:
            return self._submit(_Job(record, upload=upload))
        except FullError:
            self._uploads.release()
            raise

    def remove(self, ids: Sequence[str]) -> JobRecord:
        """Remove documents; raises as `put`."""
        return self._submit(_Job(_new_record("remove"), ids=ids))

    def run(self, kind: JobKind, work: Work, *, improvement: str = "") -> JobRecord:
        """Do something that ends early, without harm, where what it calls raises an error; raises as `put`.

        Args:
            improvement: id of what it is about
        """
        record = _new_record(kind)
        record.improvement = improvement
        return self._submit(_Job(record, work=work))

    def get(self, id: str) -> JobRecord | None:
        """The job of this id, if it is still remembered."""
        return self._records.get(id)

    @property
    def depth(self) -> int:
        """Jobs that wait."""
        return self._queue.qsize()

    def _submit(self, job: _Job) -> JobRecord:
        if self.depth >= WAITING_JOBS:
            raise FullError(RETRY_SECONDS)
        self._records[job.record.id] = job.record
        if len(self._records) > REMEMBERED_JOBS:
            self._records.popitem(last=False)
        self._queue.put(job)
        return job.record

    def _run(self) -> None:
        while (job := self._queue.get()) is not None:
            job.record.state = "running"
            try:
                state = self._work(job)
            except BaseException as error:  # nobody waits for this thread, and what panics in tantivy is no Exception
                job.record.error = UNEXPECTED.format(type(error).__name__)
                logger.exception("job %s failed", job.record.id)
                state = "failed"
            if job.upload is not None:
                job.record.skipped = job.upload.skipped
                job.upload.close()
                self._uploads.release()
            job.record.state = state

    def _work(self, job: _Job) -> Literal["waiting", "done", "failed"]:
        """Do a job; returns the state that it is in afterwards."""
        record = job.record
        try:
            if job.work is not None:
                self._do(record, job.work)
            elif record.kind == "remove":
                with open_writer(self._directory, wait_seconds=WRITER_WAIT_SECONDS) as writer:
                    remove(writer, job.ids)
                record.documents = {"removed": len(job.ids)}
            else:
                self._put(job)
        except (_StoppedError, KeyboardInterrupt):
            if job.work is not None:
                record.error = "the service ended; start it again, and it goes on where it was"
                return "failed"
            record.error = "the service ended; its next start continues this job"
            return "waiting"
        except OpendprError as error:
            record.error = str(error)  # which may name a document, so it is not logged
            logger.warning("job %s failed: %s", record.id, type(error).__name__)
            return "failed"
        except OSError as error:
            record.error = f"{error.strerror or error}; see to disk and permissions of the service, then send it again"
            logger.warning("job %s failed: %s", record.id, error.strerror or type(error).__name__)
            return "failed"
        return "done"

    def _load(self, model: Model, runtime: RuntimeSettings) -> BertEncoder:
        """The collection's encoder, kept until the collection is given another."""
        if self._encoder is None or self._encoder.model.fingerprint != model.fingerprint:
            self._encoder = BertEncoder(model, runtime)
        return self._encoder

    def _do(self, record: JobRecord, work: Work) -> None:
        def show(what: str, done: int, total: int) -> None:
            record.stage, record.stage_done, record.stage_total = what, done, total
            if self._stopping.is_set() and not Interruption.request_all():  # a training saves a checkpoint first
                raise _StoppedError

        show("", 0, 0)
        work(record, show)

    def _put(self, job: _Job) -> None:
        record = job.record

        def show(done: int, total: int) -> None:
            record.passages_encoded, record.passages_to_encode = done, total
            if self._stopping.is_set() and done < total:
                raise _StoppedError

        if self._stopping.is_set():  # it was accepted, so it is stored, though not encoded
            with open_writer(self._directory, wait_seconds=WRITER_WAIT_SECONDS) as writer:
                for batch in batched(job.all_documents(), STORED_DOCUMENTS):
                    writer.put_documents(batch)
                update_bm25(writer)
            raise _StoppedError
        settings = AddSettings(self._model, runtime=self._runtime, wait_seconds=WRITER_WAIT_SECONDS)
        report = add(self._directory, job.all_documents(), settings, load=self._load, on_progress=show)
        record.documents = dict(report.documents)
        record.passages_encoded = record.passages_to_encode = report.encoded

    def close(self) -> None:
        """Store what was accepted, then end; encoding stops after the current batch."""
        self._stopping.set()
        self._queue.put(None)
        self._thread.join()


def _new_record(kind: JobKind) -> JobRecord:
    return JobRecord(secrets.token_hex(8), kind)
