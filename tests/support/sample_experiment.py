"""A script as those of the experiments: it reports what the file `value.txt` in the folder of the data says."""

from __future__ import annotations

import sys

from experiments.common.command import Missing, command_line
from experiments.common.report import Report


def main() -> None:
    args = command_line(__doc__).parse_args()
    value = (args.data / "value.txt").read_text(encoding="utf-8")
    if value == "missing":
        raise Missing("a package is not installed")
    with (args.work / "runs.txt").open("a", encoding="utf-8") as file:
        file.write("run\n")
    report = Report(args)
    report.add("EM", float(value), "%")
    report.add("rate", 5.0, "/s")
    report.write()


if __name__ == "__main__":
    sys.exit(main())
