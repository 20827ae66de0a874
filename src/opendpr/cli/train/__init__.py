"""`opendpr train`: encoders, reader and confidence from one's own examples."""

from __future__ import annotations

import typer

from opendpr.cli.train.answering import train_answering
from opendpr.cli.train.encoder import train_encoder
from opendpr.cli.train.reader import train_reader

app = typer.Typer(help="Train a model on your own examples.", no_args_is_help=True, rich_markup_mode=None)
for part, function in (("encoder", train_encoder), ("reader", train_reader), ("answering", train_answering)):
    app.command(part)(function)
