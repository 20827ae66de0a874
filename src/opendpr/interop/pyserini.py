"""Pyserini's files: a corpus of `id` and `contents`, and DPR retrieval results under the questions' ids."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from opendpr.errors import InputError
from opendpr.interop.dpr import refuse_unknown_texts
from opendpr.interop.gold import answers_of, question_of
from opendpr.interop.json_stream import read_members
from opendpr.interop.nouns import Placed, Ranking, RunHit
from opendpr.interop.own import json_passages
from opendpr.interop.ranked import PlacedHit, RawRanking, hits_of, once
from opendpr.interop.records import Record, words
from opendpr.interop.start import Start
from opendpr.storage.compression import open_output
from opendpr.storage.lines import json_kind, json_line, write_lines
from opendpr.types import Document, Question


def read_passages(start: Start) -> Iterator[Placed[Document]]:
    r"""Records `id, contents`; contents that begin with a line in quotation marks have a title, `"Aaron"\n...`."""
    for place, document in json_passages(start, "id", "contents"):
        line, line_end, rest = document.text.partition("\n")
        quoted = len(line) > 1 and line.startswith('"') and line.endswith('"')
        if line_end and quoted and not document.title:
            yield Placed(place, replace(document, title=line[1:-1], text=rest))
        else:
            yield Placed(place, document)


def write_passages(path: Path, passages: Iterable[Document]) -> int:
    """Write JSON lines and return how many; a title is the first line of the contents."""
    return write_lines(path, (json_line({"id": passage.id, "contents": _contents(passage)}) for passage in passages))


def _contents(document: Document) -> str:
    return f'"{document.title}"\n{document.text}' if document.title else document.text


def is_run(start: Start) -> bool:
    """Whether a file has an object for each question, with `contexts`."""
    return start.is_keyed and "contexts" in next(iter(start.fields.values()))


def read_run(start: Start) -> Iterator[RawRanking]:
    r"""One object that has, under each question's id, the question with its `contexts` (text: `title\ntext`)."""
    for place, id, fields in _questions(start):
        ranking = Ranking(id, words(fields, "question", place), answers_of(fields, place), "", ())
        yield RawRanking(place, ranking, [_titled(placed) for placed in hits_of(fields, "contexts", place)])


def _titled(placed: PlacedHit) -> PlacedHit:
    hit: RunHit = placed.hit
    title, line_end, text = (hit.text or "").partition("\n")
    if not line_end or hit.title:
        return placed
    return placed._replace(hit=replace(hit, title=title.strip('"'), text=text))


def read_questions(start: Start) -> Iterator[Question]:
    """The questions of such a run."""
    for number, (place, id, fields) in enumerate(_questions(start), start=1):
        yield replace(question_of(Record(place, number, fields)), id=id)


def _questions(start: Start) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for place, id, fields in read_members(start.path):
        if not isinstance(fields, dict):
            raise InputError(f"{place}: expected an object with a question, found {json_kind(fields)}")
        yield place, id, fields


def write_run(path: Path, rankings: Iterable[Ranking]) -> int:
    """Write retrieval results under the questions' ids, and return how many.

    Raises:
        InputError: a question or the text of a passage is not known, or a question is there twice.
    """
    count = 0
    with open_output(path) as file:
        file.write(b"{")
        for ranking in once(rankings):
            refuse_unknown_texts(ranking, "Pyserini")
            member = f"{json.dumps(ranking.id)}: {json.dumps(_run_fields(ranking), ensure_ascii=False)}"
            file.write((",\n" if count else "\n").encode() + member.encode())
            count += 1
        file.write(b"\n}\n")
    return count


def _run_fields(ranking: Ranking) -> dict[str, Any]:
    contexts: list[dict[str, Any]] = []
    for hit in ranking.hits:
        contexts.append({"docid": hit.id, "score": str(hit.score), "text": f"{hit.title}\n{hit.text}"})
        if hit.has_answer is not None:
            contexts[-1]["has_answer"] = hit.has_answer
    return {"question": ranking.question, "answers": list(ranking.answers), "contexts": contexts}
