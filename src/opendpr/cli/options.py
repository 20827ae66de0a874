"""Arguments and options that several verbs share, described once."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated

from typer import Argument, Option


class Retrievers(str, Enum):
    """How passages are found."""

    dense = "dense"
    bm25 = "bm25"
    hybrid = "hybrid"


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


KINDS = ".txt .md .html .pdf .docx .epub .csv .tsv .jsonl, also compressed"
"""Files that a folder's documents are read from, as help and messages name them; `corpus.kinds` has all."""

CollectionArgument = Annotated[Path, Argument(help="Directory written by 'opendpr add'.", show_default=False)]
OutputOption = Annotated[
    Path,
    Option("--output", "-o", help="File to write; .gz, .xz, .zst and .bz2 compress it.", show_default=False),
]
AsJson = Annotated[bool, Option("--json", help="Write JSON, one object a line.")]
ModelOption = Annotated[
    str | None,
    Option("--model", "-m", help="Name of a model package, or a model directory.", show_default="the collection's"),
]
RetrieverOption = Annotated[Retrievers, Option("--retriever", "-r", help="How passages are found.")]
PrecisionOption = Annotated[
    Precisions,
    Option("--precision", help="auto: bf16 where the processor gains by it, else fp32.", envvar="OPENDPR_PRECISION"),
]
RuntimeOption = Annotated[
    Runtimes, Option("--runtime", help="auto: torch on a GPU, openvino on a CPU.", envvar="OPENDPR_RUNTIME")
]
DeviceOption = Annotated[Devices, Option("--device", help="auto: the CPU.", envvar="OPENDPR_DEVICE")]
WhereOption = Annotated[
    str | None,
    Option("--where", help="Only documents whose metadata meet this, e.g. \"year >= 2019 and source = 'manual'\"."),
]
WaitOption = Annotated[
    float, Option("--wait", min=0, help="Seconds to wait while another process writes the collection.")
]
