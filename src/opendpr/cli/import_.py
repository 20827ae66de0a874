"""`opendpr import`: models of other systems."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from typer import Argument, Option

from opendpr.cli.output import say
from opendpr.errors import StateError


def import_model(
    source: Annotated[Path, Argument(help="Directory of a sentence-transformers model.", show_default=False)],
    output: Annotated[Path, Option("--output", "-o", help="Model directory to write.", show_default=False)],
    title: Annotated[bool, Option("--title/--no-title", help="Feed passages as title [SEP] text.")] = True,
) -> None:
    """Bring the encoder of another system into a model directory, without executing any of it.

    \b
    Example:
      opendpr import ./all-MiniLM-L6-v2 -o minilm
    """
    from opendpr.conversion.sentence_transformers import import_sentence_transformer

    if output.exists() and any(output.iterdir()):
        raise StateError(f"{output} exists and is not empty; give another directory, or remove it first")
    model = import_sentence_transformer(source, output, title=title)
    say(f"wrote {output}, fingerprint {model.fingerprint[:12]}")
