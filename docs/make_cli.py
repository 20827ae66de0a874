"""Write `docs/cli.md` from the help of every command; with --check, only say whether it is up to date."""

from __future__ import annotations

import os
import sys
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

PATH = Path(__file__).parent / "cli.md"
VERBS = (
    "",
    "ask",
    "search",
    "add",
    "list",
    "show",
    "info",
    "remove",
    "encode",
    "optimize",
    "plan",
    "push",
    "verify",
    "backup",
    "cache",
    "evaluate",
    "report",
    "serve",
    "mcp",
    "mine",
    "train",
    "train encoder",
    "train reader",
    "train answering",
    "import",
    *(
        f"import {noun}"
        for noun in ("passages", "questions", "examples", "spans", "run", "qrels", "embeddings", "model")
    ),
    "export",
    *(f"export {noun}" for noun in ("passages", "questions", "examples", "spans", "run", "qrels", "model")),
)


def text() -> str:
    """The whole page."""
    os.environ |= {"COLUMNS": "100", "NO_COLOR": "1", "TERM": "dumb"}
    from opendpr.cli import app  # here, because what shows the help reads these variables when it is loaded

    page = "# Commands\n\nWritten by `make docs` from `--help`; do not edit.\n"
    for verb in VERBS:
        with redirect_stdout(StringIO()) as help_text:
            app([*verb.split(), "--help"], prog_name="opendpr", standalone_mode=False)
        block = help_text.getvalue().rstrip()
        page += f"\n## opendpr {verb}\n\n```\n{block}\n```\n".replace("## opendpr \n", "## opendpr\n")
    return page


if __name__ == "__main__":
    if "--check" in sys.argv:
        sys.exit(0 if PATH.read_text(encoding="utf-8") == text() else "docs/cli.md is out of date; run make docs")
    PATH.write_text(text(), encoding="utf-8")
