"""`python -m opendpr`, and what the command `opendpr` starts: nothing is imported before an interrupt is caught."""

from __future__ import annotations

import os
import sys

from opendpr.errors import INTERRUPTED_EXIT_CODE, INTERRUPTED_MESSAGE


def run() -> None:
    """Run the command line; one that is interrupted while it is imported ends as any other that is."""
    open_closed_streams()
    try:
        from opendpr.cli import main

        main()
    except KeyboardInterrupt:
        sys.stderr.write(f"opendpr: {INTERRUPTED_MESSAGE}\n")
        sys.exit(INTERRUPTED_EXIT_CODE)


def open_closed_streams() -> None:
    """Have stdin, stdout and stderr lead nowhere where they are closed, so that no file is opened in their place."""
    for number, (name, mode) in enumerate((("stdin", "r"), ("stdout", "w"), ("stderr", "w"))):
        if getattr(sys, name) is None:
            opened = os.open(os.devnull, os.O_RDWR)
            if opened != number:
                os.dup2(opened, number)
                os.close(opened)
            setattr(sys, name, os.fdopen(number, mode))


if __name__ == "__main__":
    run()
