"""Arguments and options that several verbs share, described once."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import Argument, BadParameter, Option

from opendpr.choices import (
    MOST_PASSAGES,
    RETRIEVERS,
    DeviceName,
    Duplicates,
    PrecisionName,
    Quoting,
    RetrieverName,
    RuntimeName,
    Values,
)
from opendpr.errors import UsageError

if TYPE_CHECKING:
    from opendpr.search.settings import EngineSettings

READABLE_FILES = (
    ".txt .md .html .pdf .docx .odt .pptx .xlsx .rtf .epub .eml .mbox .ipynb .csv .jsonl and more, also compressed"
)
"""Files that a folder's documents are read from, as help and messages name them; `corpus.kinds` has all."""

COLLECTION_HELP = "Directory written by 'opendpr add'; or a folder or file of documents, which is indexed first."
CollectionArgument = Annotated[Path, Argument(help=COLLECTION_HELP, show_default=False)]
CollectionToChange = Annotated[Path, Argument(help="Directory written by 'opendpr add'.", show_default=False)]
OutputOption = Annotated[
    Path,
    Option("--output", "-o", help="File to write; .gz, .xz, .zst and .bz2 compress it.", show_default=False),
]
AsJson = Annotated[bool, Option("--json", help="Write JSON, one object a line.")]
ModelOption = Annotated[
    str | None,
    Option("--model", "-m", help="Name of a model package, or a model directory.", show_default="the collection's"),
]
RETRIEVER_CHOICES = f"<list[{'|'.join(RETRIEVERS)}]>"
RerankOption = Annotated[
    str | None,
    Option("--rerank", help="Model of a cross-encoder, which orders the passages again.", show_default="no re-ranking"),
]
RerankDepthOption = Annotated[
    int, Option("--rerank-depth", min=1, max=MOST_PASSAGES, help="Passages it reads, at least -k.")
]
PrecisionOption = Annotated[
    PrecisionName,
    Option("--precision", help="auto: bf16 where the processor gains by it, else fp32.", envvar="OPENDPR_PRECISION"),
]
RuntimeOption = Annotated[
    RuntimeName, Option("--runtime", help="auto: torch on a GPU, openvino on a CPU.", envvar="OPENDPR_RUNTIME")
]
DeviceOption = Annotated[DeviceName, Option("--device", help="auto: the CPU.", envvar="OPENDPR_DEVICE")]
OnOption = Annotated[
    str | None,
    Option(
        "--on", help="A Ray cluster that encodes: ray://head:10001 or auto; needs opendpr[ray].", show_default="here"
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
IndexOption = Annotated[
    str | None,
    Option(
        "--index",
        metavar="URL",
        help="Find candidates by vectors in an engine that 'opendpr push' brought up to date.",
        show_default=False,
    ),
]
AllowPartialOption = Annotated[
    bool,
    Option(
        "--allow-partial",
        help="With --index, or of a set: search on without servers or members that are not there, and name them.",
    ),
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


def engine_settings(address: str | None, *, allow_partial: bool, collection: Path) -> EngineSettings | None:
    """The engine that was named, if one was.

    Args:
        collection: that is searched; of a set, members may be allowed to be missing

    Raises:
        UsageError: the address is not valid, or --allow-partial is given for a collection that is all here.
    """
    from opendpr.collection.set_manifest import is_set
    from opendpr.engines.addresses import parse_address
    from opendpr.search.settings import EngineSettings

    if address is None:
        if allow_partial and not is_set(collection):
            raise UsageError("--allow-partial is for engines, named with --index, and for sets of collections")
        return None
    return EngineSettings(parse_address(address).text, allow_partial)


BYTES_OF_UNIT = {"": 1, "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}
NUMBER_OF_UNIT = {"": 1, "K": 10**3, "M": 10**6, "B": 10**9, "G": 10**9}
BYTES_OF_UNIT |= {"KIB": 2**10, "MIB": 2**20, "GIB": 2**30, "TIB": 2**40}


def size(text: str) -> int:
    """Bytes of a size such as 8GB, 512 MiB or 1.5e9.

    Raises:
        BadParameter: it is not a size.
    """
    match = re.fullmatch(r"\s*([0-9.]+(?:[eE][0-9]+)?)\s*([A-Za-z]*)\s*", text)
    try:
        return int(float(match[1]) * BYTES_OF_UNIT[match[2].upper()]) if match else int(text)
    except (ValueError, KeyError):
        raise BadParameter(f"{text!r} is no size; give one such as 8GB or 512MB") from None


def amount(text: str) -> int:
    """A number of passages such as 21000000, 21,000,000, 21M or 1e9.

    Raises:
        BadParameter: it is not a number, or below 1.
    """
    match = re.fullmatch(r"\s*([0-9][0-9,_.]*(?:[eE][0-9]+)?)\s*([A-Za-z]?)\s*", text)
    try:
        number = int(float(re.sub("[,_]", "", match[1])) * NUMBER_OF_UNIT[match[2].upper()]) if match else 0
    except (ValueError, KeyError):
        number = 0
    if number < 1:
        raise BadParameter(f"{text!r} is no number of passages; give one such as 21000000, 21,000,000 or 21M")
    return number


def retriever_name(text: str) -> str:
    """The name of a retriever that an option was given.

    Raises:
        BadParameter: no retriever has that name.
    """
    if text not in RETRIEVERS:
        raise BadParameter(f"{text!r} is not one of {', '.join(map(repr, RETRIEVERS))}.")
    return text


RetrieverOption = Annotated[
    RetrieverName,
    Option(
        "--retriever",
        "-r",
        parser=retriever_name,
        metavar=f"<{'|'.join(RETRIEVERS)}>",
        help="How passages are found.",
    ),
]

MemoryOption = Annotated[
    int | None,
    Option(
        "--memory", parser=size, metavar="SIZE", help="What may be used, as 8GB.", show_default="the machine's memory"
    ),
]
RecallOption = Annotated[
    float, Option("--recall", min=0.1, max=1.0, help="Share of the best passages that ivf has to find.")
]
