"""`opendpr add`: documents into a collection."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from typer import Argument, Exit, Option

from opendpr.choices import PASSAGE_WORDS
from opendpr.cli.options import (
    READABLE_FILES,
    AsJson,
    DeviceOption,
    ModelOption,
    OnOption,
    PrecisionOption,
    RuntimeOption,
    WaitOption,
    WorkersOption,
)
from opendpr.cli.output import next_step, print_json, say
from opendpr.cli.progress import progress
from opendpr.cli.skipped import LISTED_PLACES, report_ignored, report_skipped, report_western
from opendpr.cluster.place import encoders
from opendpr.errors import InputError, UsageError
from opendpr.wording import counted

if TYPE_CHECKING:
    from opendpr.maintenance.add import AddReport
    from opendpr.text.splitting import Splitter

Unit = Literal["structure", "paragraphs", "whole"]
SPLITTING_UNITS: tuple[Unit, ...] = ("structure", "paragraphs", "whole")
"""Ways to cut that are options of their own."""
LINE_CHARACTERS = 40
"""Of a line that was left out."""


def add(
    collection: Annotated[
        Path, Argument(help="Directory of the collection; made if it is not there.", show_default=False)
    ],
    files: Annotated[
        list[str],
        Argument(help=f"Files and directories ({READABLE_FILES}), or - for stdin.", show_default=False),
    ],
    model: ModelOption = None,
    words: Annotated[int | None, Option("--words", help="Words in a passage.", show_default=str(PASSAGE_WORDS))] = None,
    overlap: Annotated[
        int | None, Option("--overlap", help="Words shared with the previous passage.", show_default="0")
    ] = None,
    paragraphs: Annotated[bool, Option("--paragraphs", help="Natural paragraphs instead of equal passages.")] = False,
    structure: Annotated[
        bool,
        Option("--structure", help="Cut where headings, paragraphs, items and sentences begin; about --words words."),
    ] = False,
    last: Annotated[
        str | None,
        Option(
            "--last", help="keep: as long as it is; fill: starts earlier, as long as the others.", show_default="keep"
        ),
    ] = None,
    whole: Annotated[
        bool,
        Option("--whole", help="Keep each record as one passage; psgs*.tsv files begin a collection so by default."),
    ] = False,
    sync: Annotated[
        bool, Option("--sync", help="Remove documents that came from a directory given and are gone from it.")
    ] = False,
    resplit: Annotated[
        bool, Option("--resplit", help="Cut the documents that are already there again, as the options now say.")
    ] = False,
    metadata: Annotated[
        list[str] | None,
        Option("--metadata", metavar="KEY=VALUE", help="Give it to every document; repeatable.", show_default=False),
    ] = None,
    wikiextractor_clean: Annotated[
        bool,
        Option("--wikiextractor-clean", help="Clean WikiExtractor's output as DrQA does: drop disambiguations, lists."),
    ] = False,
    all_files: Annotated[
        bool,
        Option("--all-files", help="Take hidden files, those that .gitignore names, and installed packages too."),
    ] = False,
    keep_repeated: Annotated[
        bool, Option("--keep-repeated", help="Keep menus and the like, which repeat on the HTML pages of a folder.")
    ] = False,
    no_vectors: Annotated[
        bool, Option("--no-vectors", help="Load no model: only bm25 finds the passages, until they are encoded.")
    ] = False,
    precision: PrecisionOption = "auto",
    runtime: RuntimeOption = "auto",
    device: DeviceOption = "auto",
    on: OnOption = None,
    workers: WorkersOption = None,
    wait: WaitOption = 0,
    as_json: AsJson = False,
) -> None:
    """Add documents to COLLECTION: cut them into passages, store them, encode them.

    A document that is there already is replaced if its title or text changed, and left alone if
    not. After an interruption the same command goes on where it stopped.

    \b
    Examples:
      opendpr add notes ./docs
      opendpr add notes articles.jsonl.gz more.txt
      opendpr add notes ./manuals --metadata source=manual --metadata year=2019
      opendpr add wikipedia psgs_w100.tsv.gz
      opendpr add archive ./scans --no-vectors     (for 'search -r bm25' and 'mine')
      cat page.txt | opendpr add notes -
    """
    from opendpr.corpus import Corpus
    from opendpr.maintenance.add import AddSettings, NoDocumentsError
    from opendpr.maintenance.add import add as add_to
    from opendpr.model.runtime import RuntimeSettings

    corpus = Corpus(
        [_path(file) for file in files],
        metadata=_metadata(metadata or []),
        wikiextractor_clean=wikiextractor_clean,
        all_files=all_files,
        keep_repeated=keep_repeated,
    )
    splitter = _splitter(words, overlap, _unit(structure=structure, paragraphs=paragraphs, whole=whole), last)
    if whole and words is not None:
        raise UsageError("--whole keeps each document as one passage; leave out --words")
    if no_vectors and model:
        raise UsageError("--no-vectors loads no model; leave out --model, and give it to 'opendpr encode' later")
    directories = [Path(file) for file in files if sync and file != "-" and Path(file).is_dir()]
    if sync and not directories:
        raise UsageError("--sync needs a directory whose documents are to be kept in sync")
    running = RuntimeSettings(runtime, precision, device)
    settings = AddSettings(model, not no_vectors, running, splitter, resplit, sync=directories, wait_seconds=wait)
    command = ["opendpr add", str(collection), *files]
    with encoders(on, workers, report=say) as load, progress("encoding", "passages", silent=as_json) as on_progress:
        try:
            report = add_to(collection, corpus, settings, load=load, on_progress=on_progress)
        except NoDocumentsError as error:
            report = error.report
    if as_json:
        _put_json(report)
    else:
        show_report(report, collection, command)
    skipped = [*report.skipped, *report.skipped_before]
    if not report.collection["documents"] and not skipped:
        raise no_documents(", ".join(files))
    if not as_json:
        _say_unencoded(report, collection)
    if skipped:
        raise Exit(InputError.exit_code)


def _say_unencoded(report: AddReport, collection: Path) -> None:
    """How many passages lack a vector, and what gives them one."""
    if missing := report.collection["to_encode"]:
        replaced = report.model and report.documents["replaced"]
        waiting = "; replaced documents stay as they were until then" if replaced else ""
        say(f"{counted(missing, 'passage')} without a vector: {next_step(collection, report.model)}{waiting}")


def _put_json(report: AddReport) -> None:
    lists = {
        "skipped": [vars(entry) for entry in report.skipped],
        "skipped_before": [vars(entry) for entry in report.skipped_before],
        "taken": [taken._asdict() for taken in report.taken],
        "moved": [moved._asdict() for moved in report.moved],
    }
    record = {key: value for key, value in vars(report).items() if key not in ("model", "splitter")}
    print_json({**record, **lists})


def no_documents(files: str) -> InputError:
    """The error when there is nothing to read; it lists what can be read."""
    return InputError(
        f"found no documents in {files}; they are files of the kinds {READABLE_FILES}, or text without a suffix"
    )


def show_report(report: AddReport, collection: Path, command: Sequence[str], *, folder: Path | None = None) -> None:
    """What was done, what was skipped and why.

    Args:
        command: the one that added these files, shown in hints with other options
        folder: the folder or file that the collection is the cache of, if it is one
    """
    counts = report.collection
    done = ", ".join(f"{count:,} {change}" for change, count in sorted(report.documents.items())) or "none"
    rate = f" at {report.encoded / report.seconds:,.0f}/s" if report.encoded and report.seconds else ""
    encoded = "" if counts["to_encode"] else f"; passages encoded: {report.encoded:,}{rate}"
    say(f"documents: {done}{encoded}")
    if report.truncated:
        shorter = [*command, _shorter(report.splitter), "--resplit"]
        if folder:
            shorter = ["opendpr ask", str(folder), f"--words {_fewer_words(report.splitter)}"]
        say(
            f"{counted(report.truncated, 'passage')} longer than the encoder takes, their vectors miss the end; "
            f"'{' '.join(shorter)}' cuts all documents into shorter ones"
        )
    report_ignored(report, command)
    if report.repeated:
        examples = ", ".join(repr(line[:LINE_CHARACTERS]) for line, _ in report.repeated.most_common(2))
        say(
            f"lines of menus, or that repeat on many pages, left out: {report.repeated.total():,}, as {examples}; "
            f"'{' '.join(command)} --keep-repeated' keeps those of HTML"
        )
    report_western(report)
    for moved in report.moved[:LISTED_PLACES]:
        say(f"{moved.before} is {moved.now} now: the same file, given with another folder above it")
    if len(report.moved) > LISTED_PLACES:
        say(f"... and {len(report.moved) - LISTED_PLACES:,} more; --json lists all")
    for taken in report.taken[:LISTED_PLACES]:
        say(
            f"{taken.id} of {taken.before} was replaced by that of {taken.now}; in a collection an id is there once, "
            "to keep both give the folder above both"
        )
    if len(report.taken) > LISTED_PLACES:
        say(f"... and {len(report.taken) - LISTED_PLACES:,} more; --json lists all")
    report_skipped(report, folder or collection, folder=folder is not None)
    say(f"{collection}: {counted(counts['documents'], 'document')}, {counted(counts['passages'], 'passage')}")


def _shorter(splitter: Splitter | None) -> str:
    """Options that cut passages about half as long."""
    if splitter is None or splitter.unit == "whole":
        return f"--words {PASSAGE_WORDS}"
    words = f"--words {_fewer_words(splitter)}"
    return words if splitter.unit == "words" else f"--{splitter.unit} {words}"


def _fewer_words(splitter: Splitter | None) -> int:
    """A little more than half the words of a passage."""
    return PASSAGE_WORDS if splitter is None or splitter.unit == "whole" else max(1, splitter.words * 3 // 5)


def _path(file: str) -> Path | Literal["-"]:
    return "-" if file == "-" else Path(file)


def _metadata(pairs: list[str]) -> dict[str, object]:
    """The values given as `key=value`, numbers as numbers as in a CSV file."""
    from opendpr.corpus.table import typed
    from opendpr.text.unicode import NOT_UNICODE, is_unicode

    for pair in pairs:
        if not pair.partition("=")[0] or "=" not in pair:
            raise UsageError(f"--metadata must be KEY=VALUE, got {pair!r}")
        if not is_unicode(pair):
            raise UsageError(f"--metadata {pair!r} {NOT_UNICODE}; convert it")
    return {key: typed(value) for key, _, value in (pair.partition("=") for pair in pairs)}


def _unit(**chosen: bool) -> Unit | None:
    """The one way to cut that an option names, if any."""
    units = [unit for unit in SPLITTING_UNITS if chosen[unit]]
    if len(units) > 1:
        raise UsageError(f"--{units[0]} and --{units[1]} are two ways to cut; give one of them")
    return units[0] if units else None


def _splitter(words: int | None, overlap: int | None, unit: Unit | None, last: str | None) -> Splitter | None:
    """None if no option says how to cut: then as the collection was cut before."""
    from opendpr.text.splitting import Splitter

    if words is None and overlap is None and last is None and unit is None:
        return None
    if last not in (None, "keep", "fill"):
        raise UsageError(f"--last must be keep or fill, got {last!r}")
    return Splitter(
        words=PASSAGE_WORDS if words is None else words,
        overlap=overlap or 0,
        unit=unit or "words",
        last="fill" if last == "fill" else "keep",
    )
