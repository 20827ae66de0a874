"""`opendpr questions`: the questions whose answers were judged."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import Option

from opendpr.cli.located import located_to_write
from opendpr.cli.options import AsJson, CollectionToChange
from opendpr.cli.output import on_one_line, print_json, put, say
from opendpr.errors import InputError, UsageError
from opendpr.wording import counted

if TYPE_CHECKING:
    from opendpr.collection.judgements import Judgement

SHOWN_CHARACTERS = 60
"""Characters of a question or an answer in the table."""


def questions(
    collection: CollectionToChange,
    export: Annotated[
        Path | None,
        Option(
            "--export",
            help="File to write judged questions to, with their right answers, for evaluate, mine, train answering.",
            show_default=False,
        ),
    ] = None,
    add: Annotated[
        list[Path] | None,
        Option(
            "--add",
            help="Question files of any known form, whose answers become judgements that they are right; repeatable.",
            show_default=False,
        ),
    ] = None,
    remove: Annotated[
        list[str] | None, Option("--remove", metavar="ID", help="Judgement to remove; repeatable.", show_default=False)
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List the judged questions of COLLECTION, a line for each judgement: right, wrong, or better words.

    The page of 'opendpr serve --judgements' stores them, a program that uses the API, or --add. A judgement
    whose document is gone, or has other words there now, is listed as such, and nothing is learned from it.

    \b
    Examples:
      opendpr questions notes
      opendpr questions notes --add questions.jsonl
      opendpr questions notes --export judged.jsonl
      opendpr questions notes --remove 3fa91b2c77d0
    """
    if sum(map(bool, (export, add, remove))) > 1:
        raise UsageError("--export, --add and --remove are each a command of its own; give one of them")
    located_to_write(collection, "judge answers")
    if add:
        _add(collection, add, as_json)
    elif remove:
        _remove(collection, remove, as_json)
    elif export:
        _export(collection, export, as_json)
    else:
        _list(collection, as_json)


def _judgements(collection: Path) -> list[Judgement]:
    from opendpr.collection import open_collection
    from opendpr.collection.judgements import judgements

    with open_collection(collection) as opened:
        return judgements(opened)


def _list(collection: Path, as_json: bool) -> None:
    from opendpr.improving.questions import judged_questions

    listed = _judgements(collection)
    for judgement in listed:
        if as_json:
            print_json({**asdict(judgement), "end": judgement.end})
        else:
            put("\t".join(_cells(judgement)))
    if not as_json and not listed:
        say(
            f"no answer was judged yet; 'opendpr serve {collection} --judgements' has a page for it, or give --add FILE"
        )
    elif not as_json:
        judged = judged_questions(listed)
        questions = len({judgement.question for judgement in listed})
        usable = len(judged.questions)
        say(
            f"{counted(questions, 'judged question')}, {counted(len(listed), 'judgement')}; "
            f"{usable:,} of the questions can be learned from"
        )
        for line in judged.describe():
            say(line)


def _cells(judgement: Judgement) -> list[str]:
    place = f"{judgement.document_id}, characters {judgement.start}-{judgement.end}" if judgement.document_id else ""
    state = "" if judgement.state == "current" else f"document {judgement.state}"
    words = judgement.text or "no answer found"
    return [
        judgement.id,
        judgement.verdict,
        *(on_one_line(" ".join(text.split())[:SHOWN_CHARACTERS]) for text in (judgement.question, words)),
        *(on_one_line(text) for text in (place, state) if text),
    ]


def _export(collection: Path, path: Path, as_json: bool) -> None:
    from opendpr.improving.questions import judged_questions
    from opendpr.interop import write_questions

    judged = judged_questions(_judgements(collection))
    if not judged.questions:
        reasons = "; ".join(judged.describe())
        raise InputError(
            f"{collection} has no judged question with a right answer{f' ({reasons})' if reasons else ''}; judge some "
            f"at the page of 'opendpr serve {collection} --judgements', or with --add"
        )
    write_questions(path, judged.questions, "jsonl")
    if as_json:
        print_json({"questions": len(judged.questions), "left_out": judged.left_out})
        return
    say(f"wrote {path}: {counted(len(judged.questions), 'question')}")
    for line in judged.describe():
        say(line)


def _add(collection: Path, paths: list[Path], as_json: bool) -> None:
    from opendpr.improving.judging import add_files

    added = add_files(collection, paths)
    if as_json:
        left_out = [{"question": left.question.text, "reason": left.reason} for left in added.left_out]
        print_json({"added": [judgement.id for judgement in added.judgements], "left_out": left_out})
        return
    texts = {judgement.question for judgement in added.judgements}
    say(f"added {counted(len(texts), 'question')}, {counted(len(added.judgements), 'judgement')}")
    for left in added.left_out:
        say(f"left out {on_one_line(left.question.text)}: {left.reason}")


def _remove(collection: Path, ids: list[str], as_json: bool) -> None:
    from opendpr.collection.judgements import open_judgements, remove_judgements

    with open_judgements(collection) as writer:
        remove_judgements(writer, ids)
    if as_json:
        print_json({"removed": ids})
    else:
        say(f"removed {counted(len(ids), 'judgement')}")
