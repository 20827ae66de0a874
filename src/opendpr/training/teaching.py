"""What a teacher says of the candidates of each example: computed once, kept beside the checkpoints, gone on with."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from opendpr.errors import StateError
from opendpr.iteration import batched
from opendpr.model.saving import saving
from opendpr.storage.atomic import replacing
from opendpr.training import distributed
from opendpr.training.checkpoint import only_training
from opendpr.training.interruption import Interruption
from opendpr.training.objective import Start
from opendpr.training.sources import Candidates
from opendpr.training.teacher import Score, Teacher
from opendpr.types import Scores

SCORES_FILE = "teacher.safetensors"
"""In the folder of the checkpoints."""
SCORED_QUESTIONS = 16
"""Questions that a process scores at once: between two such batches it can be interrupted."""
Wanted = Iterable[tuple[int, Sequence[int]]]
"""Numbers of examples, each with the places of the candidates whose scores are wanted."""


def teacher_scores(teacher: Teacher, candidates: Sequence[Candidates], wanted: Wanted, start: Start) -> list[Scores]:
    """The scores of each example's candidates, nan where none is wanted; those that an earlier run computed are read.

    Every process scores its share, and all have all scores.

    Raises:
        StateError: the scores in the folder are of another teacher or of other examples, or damaged.
        BusyError: another process trains there.
        OpendprError: a score is not a number.
        KeyboardInterrupt: after SIGINT, when the scores are kept.
    """
    first = np.concatenate([[0], np.cumsum([len(own.passages) for own in candidates])]).astype(np.int64)
    key = {"teacher": teacher.record(), "candidates": _digest(candidates)}
    distributed.require_same(key)
    path = start.checkpoints / SCORES_FILE
    with only_training(start.checkpoints) if distributed.rank() == 0 else nullcontext():
        scores = distributed.by_first(lambda: _read(path, key, int(first[-1])))
        run = _Run(candidates, first, scores, missing=_missing(scores, first, wanted), start=start, key=key)
        if run.left:
            run.score(teacher.load(start.device))
    return np.split(scores, first[1:-1])


def _missing(scores: Scores, first: NDArray[np.int64], wanted: Wanted) -> NDArray[np.bool_]:
    """(n,), True where a score is wanted and there is none."""
    missing = np.zeros(len(scores), dtype=np.bool_)
    for number, places in wanted:
        missing[first[number] + np.asarray(places)] = True
    return missing & np.isnan(scores)


class _Run:
    """Computing what is missing.

    Args:
        candidates: of each example
        first: row of each example's first candidate, and at last n
        scores: (n,), of all candidates; nan where there is none yet
        missing: (n,), True where one is wanted
        start: where the scores are kept
        key: by what they are known
    """

    def __init__(
        self,
        candidates: Sequence[Candidates],
        first: NDArray[np.int64],
        scores: Scores,
        *,
        missing: NDArray[np.bool_],
        start: Start,
        key: Mapping[str, object],
    ) -> None:
        self._candidates, self._first, self._scores, self._missing = candidates, first, scores, missing
        self._start, self._key = start, key
        self.left = [number for number in range(len(candidates)) if len(self._rows(number))]
        """Examples with candidates whose scores are missing."""

    def _rows(self, number: int) -> NDArray[np.int64]:
        """Rows of an example's candidates whose scores are missing."""
        begin, end = self._first[number : number + 2].tolist()
        return np.arange(begin, end)[self._missing[begin:end]]

    def score(self, score: Score) -> None:
        """Fill in the scores, and keep them; raises as `teacher_scores`."""
        done, total, saved = 0, int(self._missing.sum()), time.monotonic()
        self._start.on_scored(done, total)
        with Interruption() as interruption:
            for numbers in batched(self.left, SCORED_QUESTIONS * distributed.world()):
                done += self._batch(numbers, score)
                self._start.on_scored(done, total)
                stopping = distributed.any_of(interruption.requested, self._start.device)
                if stopping or done == total or time.monotonic() - saved > self._start.save_seconds:
                    self._save()
                    saved = time.monotonic()
                if stopping:
                    raise KeyboardInterrupt

    def _batch(self, numbers: Sequence[int], score: Score) -> int:
        """Score some examples, each process its share; returns the number of passages."""
        rows = [self._rows(number) for number in numbers]
        owners = np.repeat(np.arange(len(numbers)) % distributed.world(), list(map(len, rows)))
        own = score([self._chosen(number) for number in numbers[distributed.rank() :: distributed.world()]])
        values = np.zeros(len(owners), dtype=np.float32)
        values[owners == distributed.rank()] = np.concatenate([*own, values[:0]])
        shared = distributed.add_up(torch.from_numpy(values).to(self._start.device))
        self._scores[np.concatenate(rows)] = shared.cpu().numpy()
        return len(values)

    def _chosen(self, number: int) -> Candidates:
        """An example's question with the passages whose scores are missing."""
        question, passages = self._candidates[number]
        return Candidates(question, [passages[row - self._first[number]] for row in self._rows(number)])

    def _save(self) -> None:
        """Replace the file, in the first process."""
        if distributed.rank() != 0:
            return
        path = self._start.checkpoints / SCORES_FILE
        with replacing(path) as temporary, saving(path):
            save_file({"scores": self._scores}, temporary, metadata={"key": _as_text(self._key)})


def _read(path: Path, key: Mapping[str, object], count: int) -> Scores:
    """The scores that an earlier run left, or none."""
    if not path.exists():
        return np.full(count, np.nan, dtype=np.float32)
    try:
        with safe_open(path, framework="numpy") as file:
            about, scores = file.metadata() or {}, np.asarray(file.get_tensor("scores"), dtype=np.float32)
    except (SafetensorError, OSError) as error:
        raise StateError(f"{path} cannot be read ({error}); remove it, and the scores are computed again") from None
    if about.get("key") != _as_text(key) or scores.shape != (count,):
        raise StateError(
            f"{path} holds the scores of another teacher or of other examples; use the same to go on, or another "
            "output directory to start again"
        )
    return scores


def _digest(candidates: Sequence[Candidates]) -> str:
    """By what the scores of an earlier run are known to be of these candidates."""
    digest = hashlib.sha256()
    for question, passages in candidates:
        digest.update(json.dumps([question, *((passage.title, passage.text) for passage in passages)]).encode())
    return digest.hexdigest()


def score_table(scores: Sequence[Sequence[float]]) -> NDArray[np.float32]:
    """A teacher's scores of each question's passages as its logits, -inf where there is none: (Q, c).

    A passage that the teacher could not read, as it has no text, is none; of a question without any, the first counts
    alone, so that nothing is to be learned of it.
    """
    table = np.full((len(scores), max(map(len, scores))), -np.inf, dtype=np.float32)
    for row, own in zip(table, scores, strict=True):
        row[: len(own)] = own
    table[~np.isfinite(table).any(1), 0] = 0
    return table


def _as_text(key: Mapping[str, object]) -> str:
    return json.dumps(key, sort_keys=True)
