"""`opendpr add`: documents into a collection."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from typer import Argument, Exit, Option

from opendpr.cli.options import (
    AsJson,
    DeviceOption,
    Devices,
    ModelOption,
    PrecisionOption,
    Precisions,
    RuntimeOption,
    Runtimes,
    WaitOption,
)
from opendpr.cli.output import print_json, progress, say
from opendpr.errors import InputError, UsageError

if TYPE_CHECKING:
    from opendpr.ingest import Report
    from opendpr.passages import Splitter

LISTED = 20
"""Skipped places named one by one; JSON has them all."""


def add(
    collection: Annotated[
        Path, Argument(help="Directory of the collection; made if it is not there.", show_default=False)
    ],
    files: Annotated[
        list[str],
        Argument(help="Files and directories (.txt .md .jsonl, also .gz .xz), or - for stdin.", show_default=False),
    ],
    model: ModelOption = None,
    words: Annotated[int | None, Option("--words", help="Words in a passage.", show_default="100")] = None,
    overlap: Annotated[
        int | None, Option("--overlap", help="Words shared with the previous passage.", show_default="0")
    ] = None,
    paragraphs: Annotated[bool, Option("--paragraphs", help="Natural paragraphs instead of equal passages.")] = False,
    last: Annotated[
        str | None,
        Option(
            "--last", help="keep: as long as it is; fill: starts earlier, as long as the others.", show_default="keep"
        ),
    ] = None,
    precision: PrecisionOption = Precisions.auto,
    runtime: RuntimeOption = Runtimes.auto,
    device: DeviceOption = Devices.auto,
    wait: WaitOption = 0,
    as_json: AsJson = False,
) -> None:
    """Add documents to COLLECTION: cut them into passages, encode them, store them.

    A document that is there already is replaced if its title or text changed, and left alone if
    not. After an interruption the same command goes on where it stopped.

    \b
    Examples:
      opendpr add notes ./docs
      opendpr add notes articles.jsonl.gz more.txt
      cat page.txt | opendpr add notes -
    """
    from opendpr.collection import open_writer
    from opendpr.corpus import Corpus
    from opendpr.encoder import BertEncoder
    from opendpr.ingest import add as ingest
    from opendpr.runtime import RuntimeSettings
    from opendpr.runtime.model import DEFAULT_MODEL, find_model

    corpus = Corpus([_path(file) for file in files])
    splitter = _splitter(words, overlap, paragraphs, last)
    settings = RuntimeSettings(runtime.value, precision.value, device.value)
    if model is not None:
        find_model(model)  # a wrong name should not leave an empty collection behind
    with open_writer(collection, splitter, wait_seconds=wait) as writer:
        row = writer.encoder()
        encoder = BertEncoder(find_model(model or (row.model if row else DEFAULT_MODEL)), settings)
        with progress("encoding", "passages") as show:
            report = ingest(writer, corpus, encoder, on_progress=show)
        counts = writer.counts()
    tell(report, counts, collection, as_json=as_json)
    if report.skipped:
        raise Exit(InputError.exit_code)
    if not counts["documents"]:
        raise InputError(f"found no documents in {', '.join(files)}; expected .txt, .md or .jsonl files")


def tell(report: Report, counts: dict[str, int], collection: Path, *, as_json: bool = False) -> None:
    """What was done, what was skipped and why."""
    if as_json:
        print_json({**asdict(report), "collection": counts})
        return
    done = ", ".join(f"{count:,} {change}" for change, count in sorted(report.documents.items())) or "none"
    rate = f" at {report.encoded / report.seconds:,.0f}/s" if report.encoded and report.seconds else ""
    say(f"documents: {done}; passages encoded: {report.encoded:,}{rate}")
    if report.truncated:
        say(f"{report.truncated:,} passages are longer than the encoder takes: their vectors miss the end")
    if report.ignored:
        kinds = ", ".join(f"{kind or 'no suffix'} ({count})" for kind, count in report.ignored.most_common())
        say(f"files of other kinds, left out: {kinds}")
    for one in report.skipped[:LISTED]:
        say(f"skipped {one.place}: {one.reason}")
    if len(report.skipped) > LISTED:
        say(f"... and {len(report.skipped) - LISTED:,} more; --json lists all")
    say(f"{collection}: {counts['documents']:,} documents, {counts['passages']:,} passages")


def _path(file: str) -> Path | Literal["-"]:
    return "-" if file == "-" else Path(file)


def _splitter(words: int | None, overlap: int | None, paragraphs: bool, last: str | None) -> Splitter | None:
    """None if no option says how to cut: then as the collection was cut before."""
    from opendpr.passages import Splitter

    if words is None and overlap is None and last is None and not paragraphs:
        return None
    if last not in (None, "keep", "fill"):
        raise UsageError(f"--last must be keep or fill, got {last!r}")
    return Splitter(
        words=100 if words is None else words,
        overlap=overlap or 0,
        unit="paragraphs" if paragraphs else "words",
        last="fill" if last == "fill" else "keep",
    )
