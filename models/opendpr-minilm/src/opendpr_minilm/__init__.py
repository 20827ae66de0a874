"""The default model of opendpr; `directory` is where it lies."""

from pathlib import Path

directory = Path(__file__).parent / "model"
