"""The rankings in a run: one that `opendpr evaluate` wrote, or one of another system."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from opendpr.choices import Duplicates, Values
from opendpr.errors import InputError
from opendpr.evaluation.run import Line, read_question_lines
from opendpr.interop import Ranking, RunHit, read_run
from opendpr.interop.start import look


def read_rankings(path: Path, *, values: Values | None = None, duplicates: Duplicates = "refuse") -> Iterator[Ranking]:
    """Yield a ranking for each question, or for each question and system of a run over several.

    Args:
        values, duplicates: for runs of other systems, as `interop.read_run` takes them.

    Raises:
        InputError: the file cannot be read, or something in it is no ranking.
    """
    if look(path).fields.get("type") != "run":
        yield from read_run(path, values=values, duplicates=duplicates)
        return
    for line in read_question_lines(path):
        yield _ranking(line, f"{path}: question {line['question']!r:.60}")


def selected(
    rankings: Iterable[Ranking], source: object, *, system: str | None = None, question_set: str | None = None
) -> Iterator[Ranking]:
    """The rankings of a system and of a set of questions; None takes all.

    Args:
        source: where they come from, for messages

    Raises:
        InputError: there are rankings, and none is of that system and set; it names those there are.
    """
    systems: dict[str, None] = {}
    sets: dict[str, None] = {}
    any_selected = False
    for ranking in rankings:
        systems[ranking.system] = sets[ranking.set] = None
        if system in (None, ranking.system) and question_set in (None, ranking.set):
            any_selected = True
            yield ranking
    for noun, name, names in (("system", system, systems), ("set", question_set, sets)):
        if names and name is not None and name not in names:
            listed = ", ".join(map(repr, filter(None, names)))
            others = f"its {noun}s are {listed}" if listed else f"it names no {noun}s"
            raise InputError(f"{source} has no ranking of {noun} {name!r}; {others}")
    if systems and not any_selected:
        raise InputError(f"{source} has no ranking of system {system!r} over set {question_set!r}; leave one out")


def systems_of(path: Path) -> list[str]:
    """The systems of a run that `opendpr evaluate` wrote; none of a run of another form, which holds one.

    Raises:
        InputError: the file cannot be read.
    """
    first = look(path).fields
    return list(first.get("systems", ())) if first.get("type") == "run" else []


def _ranking(record: Line, place: str) -> Ranking:
    """Ids and scores, of passages or of documents, are two lists of a record."""
    documents = "documents" in record
    match record.get("documents" if documents else "hits"):
        case {"ids": list() as ids, "scores": list() as scores} if len(ids) == len(scores) and _are_hits(ids, scores):
            pass
        case _:
            raise InputError(f"{place}: expected ids and as many scores; evaluate again, with another -o")
    ranks = record.get("answer_ranks")
    hits = tuple(
        RunHit(
            id, float(score), id if documents else None, has_answer=rank in ranks if isinstance(ranks, list) else None
        )
        for rank, (id, score) in enumerate(zip(ids, scores, strict=True), start=1)
    )
    answers = tuple(answer for answer in record.get("answers") or () if isinstance(answer, str))
    return Ranking(record["question"], record.get("text") or "", answers, record["system"], hits, record["set"])


def _are_hits(ids: list[Any], scores: list[Any]) -> bool:
    return all(isinstance(id, str) for id in ids) and all(isinstance(score, int | float) for score in scores)
