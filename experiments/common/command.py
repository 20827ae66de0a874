"""The command line of every experiment: a model, data, a folder to work in, and a tiny run for tests."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from experiments.common.data import POOLS, Data
from experiments.common.tiny import write_tiny_data, write_tiny_model
from opendpr.model.directory import DEFAULT_MODEL, find_model
from opendpr.model.encoder import BertEncoder
from opendpr.model.runtime import RuntimeSettings

ROOT = Path(__file__).resolve().parents[2]
WORK_DIRECTORY = ROOT / ".bench"
SKIPPED_EXIT_CODE = 77
"""Exit code of a script that needs what is not here; automake's word for a test that is skipped."""


class Missing(SystemExit):
    """A script needs a package or data that is not here; run as a process it exits with `SKIPPED_EXIT_CODE`."""

    def __init__(self, reason: str) -> None:
        super().__init__(SKIPPED_EXIT_CODE)
        self.reason = reason
        print(f"skipped: {reason}", file=sys.stderr)

    def __str__(self) -> str:
        return self.reason


def require(package: str, install: str) -> None:
    """Stop unless an optional package is installed.

    Raises:
        Missing: it is not; the message says what to install.
    """
    if not find_spec(package):
        raise Missing(f"{package} is not installed; pip install {install}")


def command_line(
    description: str | None,
    *,
    data: bool = True,
    pool: str | None = None,
    half: bool = False,
    precision: str | None = "auto",
) -> argparse.ArgumentParser:
    """A parser with what every script takes.

    Args:
        data: whether the script takes --model and --data
        pool: default of --pool, for a script that works over one
        half: whether the script takes --half
        precision: default of --precision; None for a script without a network of ours
    """
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    if data:
        default_data = os.environ.get("OPENDPR_DATA") or ROOT.parent / "shared" / "data"
        parser.add_argument("--model", default=DEFAULT_MODEL, help="name or directory")
        parser.add_argument("--data", type=Path, default=default_data, help="folder of the data ($OPENDPR_DATA)")
    parser.add_argument("--work", type=Path, default=WORK_DIRECTORY, help="where collections and results are kept")
    parser.add_argument("--figures", type=Path, help="file that the figures are written to, as JSON")
    parser.add_argument("--smoke", action="store_true", help="seconds instead of hours: tiny model, data and settings")
    if pool:
        parser.add_argument("--pool", choices=POOLS, default=pool)
    if half:
        parser.add_argument("--half", choices=("fit", "report"), default="report")
    if precision:
        parser.add_argument("--precision", default=precision, help="of the network")
    return parser


def parse(
    parser: argparse.ArgumentParser, arguments: Sequence[str] | None = None, **smoke: object
) -> argparse.Namespace:
    """The parsed command line; `args.data`, if the script takes it, is a `Data`; `args.work` exists.

    Args:
        smoke: defaults that --smoke puts in place of the script's own

    Raises:
        Missing: the folder of the data or the model is not here.
    """
    args = parser.parse_args(arguments)
    with_data = hasattr(args, "data")
    if args.smoke:
        work = WORK_DIRECTORY / "smoke" if args.work == WORK_DIRECTORY else args.work
        tiny: dict[str, object] = {"pool": "P10", "precision": "fp32", "work": work}
        if with_data:
            tiny |= {"data": write_tiny_data(work / "data"), "model": str(write_tiny_model(work / "model"))}
        parser.set_defaults(**{name: value for name, value in (tiny | smoke).items() if hasattr(args, name)})
        args = parser.parse_args(arguments)
    if with_data:
        if not args.data.is_dir():
            raise Missing(f"there is no data in {args.data}; give its folder with --data or $OPENDPR_DATA")
        args.data = Data(args.data)
        if os.sep in args.model and not Path(args.model).is_dir():
            raise Missing(f"there is no model in {args.model}; docs/paper.md and docs/models.md say what makes it")
    args.work.mkdir(parents=True, exist_ok=True)
    return args


def make_encoder(args: argparse.Namespace, model: str | None = None) -> BertEncoder:
    """The encoder of a model, else of `args.model`, in the precision of the command line."""
    return BertEncoder(find_model(model or args.model), RuntimeSettings(precision=args.precision))
