"""Runs of other systems, judged and written as our own: nothing is retrieved, only what they ranked is judged."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from opendpr import __version__
from opendpr.choices import Duplicates, Values
from opendpr.collection import Collection, open_collection
from opendpr.errors import InputError, UsageError
from opendpr.evaluation.header import ForeignHeader, RunHeader, SetHeader
from opendpr.evaluation.judges import AnswerJudge, DocumentJudge
from opendpr.evaluation.rankings import read_rankings, systems_of
from opendpr.evaluation.records import AnswerJudgement, DocumentJudgement, QuestionRecord
from opendpr.evaluation.run import RunWriter, open_run
from opendpr.evaluation.task import QUESTIONS_PER_WRITE, collection_header, read_sets, refuse_change
from opendpr.interop import Ranking, RunHit, source_label, source_sha256
from opendpr.iteration import OnProgress, batched
from opendpr.maintenance.export_run import ranked_passage
from opendpr.storage.compression import uncompressed_name
from opendpr.storage.digests import file_sha256
from opendpr.types import Hit, Passage, Question
from opendpr.wording import counted

logger = logging.getLogger(__name__)

ForeignJudge = AnswerJudge | DocumentJudge


@dataclass(frozen=True)
class ForeignTask:
    """Which runs to judge, and by what."""

    runs: Sequence[Path]
    questions: Path | None = None
    """None: the questions are those of the first run."""
    collection: Path | None = None
    """Where the passages are; a run that holds their texts needs none."""
    limit: int | None = None
    """Questions of the file, from its beginning; None is all."""
    values: Values | None = None
    """What the runs are ordered by, as for `interop.read_run`."""
    duplicates: Duplicates = "refuse"

    def rankings(self, path: Path) -> Iterator[Ranking]:
        """The rankings of one of the runs."""
        return read_rankings(path, values=self.values, duplicates=self.duplicates)


def evaluate_runs(
    task: ForeignTask, judge: ForeignJudge, output: Path, *, on_progress: OnProgress = lambda done, total: None
) -> None:
    """Judge the runs of other systems into the file `output`, a run as `task.evaluate` writes it.

    A question that a run does not rank for counts as one for which nothing was found, as with `trec_eval -c`.

    Raises:
        InputError: a run or the questions cannot be read, do not belong together, or lack texts that are needed.
        StateError: the file is a run with other settings, or the collection changed meanwhile.
        UsageError: two runs have the same name.
    """
    name, source, questions = _questions(task)
    judge.check(name, questions)
    systems = _systems(task.runs)
    with ExitStack() as stack:
        collection = stack.enter_context(open_collection(task.collection)) if task.collection else None
        digests = {path.name: file_sha256(path) for path in task.runs}
        header = RunHeader(
            opendpr=__version__,
            collection=collection_header(collection) if collection else None,
            sets={name: SetHeader(source_label(source), source_sha256(source), len(questions))},
            systems=list(systems),
            limit=task.limit,
            judging=judge.settings(),
            foreign=ForeignHeader(digests, task.values, task.duplicates),
        )
        run = stack.enter_context(open_run(output, header))
        judging = _Judging(name, questions, judge, collection)
        for system, (path, part) in systems.items():
            sets = ("", name) if task.questions else None
            done = judging.judged(_chosen(task.rankings(path), part, sets), system, path)
            _write(run, done, lambda count: on_progress(count, len(systems) * len(questions)))
        if collection:
            refuse_change(collection, header)


def _questions(task: ForeignTask) -> tuple[str, Path, list[Question]]:
    """Name and file of the questions, and these."""
    if task.questions:
        ((name, questions),) = read_sets([task.questions], task.limit).items()
        return name, task.questions, questions
    first = task.runs[0]
    questions_by_id: dict[str, Question] = {}
    for ranking in task.rankings(first):
        questions_by_id.setdefault(ranking.id, Question(ranking.id, ranking.question, ranking.answers))
    if not questions_by_id:
        raise InputError(f"{first} holds no rankings; give the run that a search has written")
    return uncompressed_name(first).stem, first, list(questions_by_id.values())[: task.limit]


def _systems(runs: Sequence[Path]) -> dict[str, tuple[Path, str | None]]:
    """What each system of the runs is called: as its file, with the system's name where the file has several."""
    systems: dict[str, tuple[Path, str | None]] = {}
    for path in runs:
        parts, stem = systems_of(path), uncompressed_name(path).stem
        named = {f"{stem}:{part}": (path, part) for part in parts} if len(parts) > 1 else {stem: (path, None)}
        if twice := systems.keys() & named.keys():
            raise UsageError(f"two of the runs are called {min(twice)!r}; rename one, its figures have this name")
        systems |= named
    return systems


def _chosen(rankings: Iterator[Ranking], system: str | None, sets: Sequence[str] | None) -> Iterator[Ranking]:
    """The rankings by a system for some sets of questions; None is all."""
    return (
        ranking for ranking in rankings if system in (None, ranking.system) and (sets is None or ranking.set in sets)
    )


def _write(run: RunWriter, records: Iterator[QuestionRecord], on_progress: Callable[[int], None]) -> None:
    for batch in batched(records, QUESTIONS_PER_WRITE):
        run.write(batch)
        on_progress(len(run.done))


class _Judging:
    """Finds the question of each ranking, and judges."""

    def __init__(
        self, name: str, questions: Sequence[Question], judge: ForeignJudge, collection: Collection | None
    ) -> None:
        self._name, self._judge, self._collection = name, judge, collection
        self._by_id = {question.id: question for question in questions}
        self._by_text: dict[str, list[Question]] = {}
        for question in questions:
            self._by_text.setdefault(_plain(question.text), []).append(question)

    def judged(self, rankings: Iterator[Ranking], system: str, path: Path) -> Iterator[QuestionRecord]:
        """A record for each question: first those that the run ranks for, in its order, then the others.

        Raises:
            InputError: the run ranks twice for a question, or for none of them.
        """
        done: set[str] = set()
        unknown: list[str] = []
        deepest = 0
        for ranking in rankings:
            questions = self._questions_of(ranking)
            if not questions:
                unknown.append(ranking.id)
            deepest = max(deepest, len(ranking.hits))
            for question in questions:
                if question.id in done:
                    raise InputError(f"{path}: question {question.id!r} is ranked for twice; take one out")
                done.add(question.id)
                yield self._record(system, question, ranking.hits)
        self._refuse_strangers(path, done, unknown)
        missing = [question for id, question in self._by_id.items() if id not in done]
        if missing:
            logger.warning(
                "%s: no ranking for %s of %s, which count as not found, first %r",
                *(path, f"{len(missing):,}", counted(len(self._by_id), "question"), missing[0].id),
            )
        self._warn_of_depth(path, deepest)
        for question in missing:
            yield self._record(system, question, ())

    def _questions_of(self, ranking: Ranking) -> list[Question]:
        """The questions that a ranking is for: of its id, unless that one has another text; else of its text."""
        question = self._by_id.get(ranking.id)
        text = _plain(ranking.question)
        if question and (not text or text == _plain(question.text)):
            return [question]
        return self._by_text.get(text, []) if text else []

    def _refuse_strangers(self, path: Path, done: set[str], unknown: Sequence[str]) -> None:
        if not done:
            raise InputError(
                f"{path} ranks for none of the questions of {self._name}; ids or texts must be the same, found "
                f"{unknown[0] if unknown else 'no ranking'!r} and {next(iter(self._by_id))!r}"
            )
        if unknown:
            logger.warning(
                "%s: left out %s for other questions, first %r", path, counted(len(unknown), "ranking"), unknown[0]
            )

    def _warn_of_depth(self, path: Path, deepest: int) -> None:
        wanted = max(self._judge.ks) if isinstance(self._judge, AnswerJudge) else 0
        if deepest < wanted:
            logger.warning(
                "%s ranks at most %s for a question, figures go to %d", path, counted(deepest, "passage"), wanted
            )

    def _record(self, system: str, question: Question, hits: Sequence[RunHit]) -> QuestionRecord:
        return QuestionRecord(self._name, system, question, self._judgement(question, hits))

    def _judgement(self, question: Question, hits: Sequence[RunHit]) -> AnswerJudgement | DocumentJudgement:
        if isinstance(self._judge, DocumentJudge):
            return self._judge.judge_documents({question.id: self._documents(hits)})[0]
        ranked = [self._hit(hit, rank) for rank, hit in enumerate(hits[: max(self._judge.ks)], start=1)]
        ids = {judged.passage.number: hit.id for judged, hit in zip(ranked, hits, strict=False)}
        return self._judge.judge_hits(question, ranked, ids=ids)

    def _documents(self, hits: Sequence[RunHit]) -> Mapping[str, float]:
        """Each document with the score of its best passage, best first."""
        scores: dict[str, float] = {}
        for hit in hits:
            document = hit.document_id
            if document is None and self._collection:
                document = ranked_passage(self._collection, hit.id).document_id
            scores.setdefault(document or hit.id, hit.score)
        return scores

    def _hit(self, hit: RunHit, rank: int) -> Hit:
        """A hit whose passage has a text: the run's, or the collection's; numbers of the run's are negative."""
        if hit.text is not None:
            return Hit(Passage(-rank, hit.document_id or hit.id, hit.title, hit.text, 0), hit.score)
        if self._collection is None:
            raise InputError(
                f"the run has no text for passage {hit.id!r}, by which answers are judged; name the collection that "
                "was searched with --collection, or judge documents with --qrels"
            )
        return Hit(ranked_passage(self._collection, hit.id), hit.score)


def _plain(question: str) -> str:
    """A question without what systems leave out of it: spaces, case, the last question mark."""
    return " ".join(question.casefold().split()).removesuffix("?").rstrip()
