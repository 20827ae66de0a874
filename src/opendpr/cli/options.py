"""Arguments and options that several verbs share, described once."""

from __future__ import annotations

import re
from enum import Enum
from pathlib import Path
from typing import Annotated

from typer import Argument, BadParameter, Option

from opendpr.choices import Devices as Devices
from opendpr.choices import Precisions as Precisions
from opendpr.choices import Retrievers as Retrievers
from opendpr.choices import Runtimes as Runtimes


class Quoting(str, Enum):
    """What a quotation mark at the beginning of a table's field means."""

    csv = "csv"
    none = "none"


class Values(str, Enum):
    """What a run is ordered by."""

    rank = "rank"
    score = "score"


class Duplicates(str, Enum):
    """What becomes of a document that is there twice for one question."""

    refuse = "refuse"
    best = "best"


KINDS = ".txt .md .html .pdf .docx .odt .pptx .xlsx .rtf .epub .eml .mbox .ipynb .csv .jsonl and more, also compressed"
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
OnOption = Annotated[
    str | None,
    Option(
        "--on", help="A Ray cluster that encodes, e.g. ray://head:10001; it needs 'opendpr[ray]'.", show_default="here"
    ),
]
WorkersOption = Annotated[
    int | None,
    Option("--workers", min=1, help="With --on: processes that encode.", show_default="one a GPU, or one a machine"),
]
WhereOption = Annotated[
    str | None,
    Option("--where", help="Only documents whose metadata meet this, e.g. \"year >= 2019 and source = 'manual'\"."),
]
WaitOption = Annotated[
    float, Option("--wait", min=0, help="Seconds to wait while another process writes the collection.")
]


QuotingOption = Annotated[
    Quoting, Option("--quoting", help="In tables: csv, a quotation mark at a field's beginning quotes it; none, text.")
]
ValuesOption = Annotated[
    Values | None,
    Option(
        "--values",
        help="What the run is ordered by.",
        show_default="scores, or ranks where it has nothing else",
    ),
]
DuplicatesOption = Annotated[
    Duplicates, Option("--duplicates", help="A document twice for one question: refuse it, or keep the best.")
]


UNITS = {"": 1, "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}
UNITS |= {"KIB": 2**10, "MIB": 2**20, "GIB": 2**30, "TIB": 2**40}


def size(text: str) -> int:
    """Bytes of a size such as 8GB, 512 MiB or 1.5e9.

    Raises:
        BadParameter: it is none.
    """
    found = re.fullmatch(r"\s*([0-9.]+(?:[eE][0-9]+)?)\s*([A-Za-z]*)\s*", text)
    try:
        return int(float(found[1]) * UNITS[found[2].upper()]) if found else int(text)
    except (ValueError, KeyError):
        raise BadParameter(f"{text!r} is no size; give one such as 8GB or 512MB") from None


MemoryOption = Annotated[
    int | None,
    Option(
        "--memory", parser=size, metavar="SIZE", help="What may be used, as 8GB.", show_default="the machine's memory"
    ),
]
RecallOption = Annotated[
    float, Option("--recall", min=0.1, max=1.0, help="Share of the best passages that ivf has to find.")
]
