"""`python -m opendpr`, and what the command `opendpr` starts: nothing is imported before an interrupt is caught."""

from __future__ import annotations

import sys

from opendpr.errors import INTERRUPTED_EXIT_CODE, INTERRUPTED_MESSAGE


def run() -> None:
    """Run the command line; one that is interrupted while it is imported ends as any other that is."""
    try:
        from opendpr.cli import main

        main()
    except KeyboardInterrupt:
        sys.stderr.write(f"opendpr: {INTERRUPTED_MESSAGE}\n")
        sys.exit(INTERRUPTED_EXIT_CODE)


if __name__ == "__main__":
    run()
