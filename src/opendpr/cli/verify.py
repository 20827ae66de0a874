"""`opendpr verify`: is every byte what was written?"""

from __future__ import annotations

from typer import Exit

from opendpr.cli.located import located
from opendpr.cli.options import AsJson, CollectionArgument
from opendpr.cli.output import print_json, put
from opendpr.cli.progress import progress
from opendpr.errors import CorruptionError


def verify(collection: CollectionArgument, as_json: AsJson = False) -> None:
    """Read every byte of COLLECTION and its caches, and name what is damaged (exit code 5).

    \b
    Example:
      opendpr verify notes
    """
    from opendpr.collection import open_collection
    from opendpr.maintenance.verify import verify as verify_collection

    with (
        open_collection(located(collection, vectors=False, silent=as_json)) as opened,
        progress("verifying", "rows", silent=as_json) as show,
    ):
        problems = verify_collection(opened, show)
    if as_json:
        print_json({"collection": str(collection), "problems": problems})
    for problem in [] if as_json else problems:
        put(problem)
    if problems:
        raise Exit(CorruptionError.exit_code)
    if not as_json:
        put(f"{collection}: every page, row and cache file is what was written")
