"""Training examples that can be trained on: out of files or Python objects, without those that teach nothing."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Iterable
from dataclasses import asdict, replace
from pathlib import Path

from opendpr.errors import InputError
from opendpr.interop import read_examples
from opendpr.storage.digests import file_sha256
from opendpr.types import TrainingExample
from opendpr.wording import counted

logger = logging.getLogger(__name__)


def read_training_examples(path: Path) -> list[TrainingExample]:
    """The examples of a file that can be trained on, as `usable_examples` says.

    Raises:
        InputError: the file cannot be read or holds nothing to train on.
    """
    return usable_examples(read_examples(path), str(path))


def usable_examples(examples: Iterable[TrainingExample], name: str) -> list[TrainingExample]:
    """The examples with a positive passage, their hard negatives without twins of a positive.

    A twin has the text of a positive, so it answers as well. What is left out is counted in warnings.

    Args:
        name: what messages call the examples, as the path of their file

    Raises:
        InputError: there is no example with a positive passage.
    """
    kept: list[TrainingExample] = []
    without, twins = 0, 0
    for example in examples:
        texts = {passage.text for passage in example.positives}
        negatives = tuple(passage for passage in example.hard_negatives if passage.text not in texts)
        without += not texts
        twins += len(example.hard_negatives) - len(negatives)
        kept += [replace(example, hard_negatives=negatives)] if texts else []
    if without:
        logger.warning("%s: left out %s without a positive passage", name, counted(without, "example"))
    if twins:
        logger.warning("%s: dropped %s with the text of a positive passage", name, counted(twins, "hard negative"))
    if not kept:
        raise InputError(f"{name} holds no examples with a positive passage; 'opendpr mine' writes such files")
    return kept


def file_record(path: Path) -> dict[str, object]:
    """Name and digest of a file, by which a record and a resumed training know it."""
    return {"file": path.name, "sha256": file_sha256(path)}


def objects_record(examples: Iterable[TrainingExample]) -> dict[str, object]:
    """Digest of examples that were given as objects, by which a resumed training knows them."""
    digest = hashlib.sha256()
    for example in examples:
        digest.update(json.dumps(asdict(example), sort_keys=True).encode())
    return {"sha256": digest.hexdigest()}
