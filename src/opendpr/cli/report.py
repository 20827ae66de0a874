"""`opendpr report`: runs as one HTML page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from typer import Argument, Option

from opendpr.cli.options import AsJson
from opendpr.cli.output import print_json, say


def report(
    runs: Annotated[list[Path], Argument(help="Runs that 'opendpr evaluate -o' wrote.", show_default=False)],
    output: Annotated[Path, Option("--output", "-o", help="Page to write; one that is there is replaced.")] = Path(
        "report.html"
    ),
    as_json: AsJson = False,
) -> None:
    """Show RUNS over the same questions as one HTML page: curves, tables, why answers are wrong, examples.

    The page needs nothing from outside and shows in any browser. It holds the questions, and the passages of
    its examples.

    \b
    Examples:
      opendpr report run.jsonl
      opendpr report run.jsonl other.jsonl -o both.html
    """
    from opendpr.evaluation.report import write_report

    size = write_report(runs, output)
    if as_json:
        print_json({"report": str(output), "bytes": size})
    else:
        say(f"wrote {output}: {size / 1e3:,.0f} kB")
