"""What may be chosen, and up to where: names, defaults and limits that command line, service and Python share.

Needs nothing but the standard library, so that `--help` is quick.
"""

from __future__ import annotations

from enum import Enum
from typing import Literal, get_args


class Retrievers(str, Enum):
    """How passages are found."""

    hybrid = "hybrid"
    dense = "dense"
    bm25 = "bm25"


class Precisions(str, Enum):
    """How exactly networks compute."""

    auto = "auto"
    fp32 = "fp32"
    bf16 = "bf16"
    int8 = "int8"


class Runtimes(str, Enum):
    """What runs the networks."""

    auto = "auto"
    openvino = "openvino"
    torch = "torch"


class Devices(str, Enum):
    """Where the networks run."""

    auto = "auto"
    cpu = "cpu"
    cuda = "cuda"


RetrieverName = Literal["hybrid", "dense", "bm25"]
RETRIEVERS: tuple[RetrieverName, ...] = get_args(RetrieverName)
READ_PASSAGES = 20
"""Passages read for a question, if nothing else is asked for."""
QUESTION_CHARACTERS = 4_096
"""Longest question."""
WHERE_CHARACTERS = 10_000
"""Longest filter."""
