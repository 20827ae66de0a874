"""The command line: one verb, one file. Heavy packages are imported inside the verbs only."""

from __future__ import annotations

import errno
import logging
import os
import signal
import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from opendpr import __version__
from opendpr.cli import (
    add,
    ask,
    backup,
    cache,
    divide,
    encode,
    evaluate,
    export,
    improve,
    info,
    list_,
    mcp,
    mine,
    optimize,
    plan,
    push,
    questions,
    remove,
    report,
    search,
    serve,
    show,
    train,
    verify,
)
from opendpr.cli import import_ as importing
from opendpr.cli.output import MessageStream, escape_unknown_characters, say
from opendpr.errors import INTERRUPTED_EXIT_CODE, INTERRUPTED_MESSAGE, OpendprError, ResourceError, UsageError

FOREIGN_OPTIONS = {
    **dict.fromkeys(("--top-k", "--topk", "--top_k", "--k"), "-k"),
    **dict.fromkeys(("--filter", "--filters"), "--where"),
    **dict.fromkeys(("--num-answers", "--n"), "--answers"),
    **dict.fromkeys(("--chunk-size", "--chunk_size"), "--words"),
    **dict.fromkeys(("--chunk-overlap", "--chunk_overlap"), "--overlap"),
}
"""Names that other programs have for options of ours."""

app = typer.Typer(
    name="opendpr",
    help="Ask questions of your documents; the answer is a verbatim span with its source.",
    epilog="Start with: opendpr ask FOLDER 'your question?'",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

for verb, function in (
    ("ask", ask.ask),
    ("search", search.search),
    ("add", add.add),
    ("list", list_.list_documents),
    ("show", show.show),
    ("info", info.info),
    ("remove", remove.remove),
    ("encode", encode.encode),
    ("optimize", optimize.optimize),
    ("plan", plan.plan),
    ("push", push.push),
    ("divide", divide.divide),
    ("verify", verify.verify),
    ("backup", backup.backup),
    ("cache", cache.cache),
    ("mine", mine.mine),
    ("evaluate", evaluate.evaluate),
    ("report", report.report),
    ("questions", questions.questions),
    ("improve", improve.improve),
    ("serve", serve.serve),
    ("mcp", mcp.mcp),
):
    app.command(verb)(function)
for group, commands in (("train", train.app), ("import", importing.app), ("export", export.app)):
    app.add_typer(commands, name=group)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"opendpr {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Say on stderr what is being done.")] = False,
) -> None:
    """Ask questions of your documents; the answer is a verbatim span with its source."""
    logging.basicConfig(
        level=logging.INFO if verbose else logging.WARNING,
        format="opendpr: %(message)s",
        stream=MessageStream(),
        force=True,
    )


def main() -> None:
    """Run the command line: the only place where errors become messages and exit codes."""
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "true")
    escape_unknown_characters()
    try:
        refuse_foreign_options(sys.argv[1:])
        app()
    except OpendprError as error:
        fail(str(error), error.exit_code)
    except OSError as error:  # of a path that was given; BrokenPipeError is one too
        if isinstance(error, BrokenPipeError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # so that flushing at exit is quiet
            return
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        name = f"{error.filename}: " if error.filename else ""
        advice = "free some space" if full else "give a path whose directory is there, and that may be read and written"
        fail(f"{name}{error.strerror or error}; {advice}", ResourceError.exit_code if full else 1)
    except MemoryError:
        fail("out of memory; free some, or work on less at once", 6)
    except SystemExit as leaving:
        if leaving.code == INTERRUPTED_EXIT_CODE:  # typer makes this of KeyboardInterrupt, and says nothing
            fail(INTERRUPTED_MESSAGE, INTERRUPTED_EXIT_CODE)
        raise
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # what is left is leaving, and its exit code is decided


def refuse_foreign_options(arguments: Sequence[str]) -> None:
    """Raises UsageError if an option has the name that other programs give it."""
    options = arguments[: arguments.index("--")] if "--" in arguments else arguments
    for name in (option.partition("=")[0] for option in options):
        if name in FOREIGN_OPTIONS:
            raise UsageError(f"there is no option {name}; did you mean {FOREIGN_OPTIONS[name]}?")


def fail(message: str, exit_code: int) -> None:
    """Say why on stderr and leave."""
    say(f"opendpr: {message}")
    sys.exit(exit_code)
