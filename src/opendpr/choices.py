"""What may be chosen, and up to where: names, defaults and limits that command line, service and Python share.

Needs nothing but the standard library, so that `--help` is quick.
"""

from __future__ import annotations

from typing import Literal, TypeAlias, get_args

RetrieverName: TypeAlias = Literal["hybrid", "dense", "bm25"]
"""How passages are found."""
RETRIEVERS: tuple[RetrieverName, ...] = get_args(RetrieverName)
DEFAULT_RETRIEVER: RetrieverName = "hybrid"
"""How passages are found, if nothing else is asked for."""
IndexName: TypeAlias = Literal["auto", "exact", "ivf"]
"""How vectors are searched; `auto`: as they are, or as `opendpr plan` would."""

RuntimeName: TypeAlias = Literal["auto", "openvino", "torch"]
"""What runs the networks; `auto`: torch on a GPU, openvino on a CPU."""
PrecisionName: TypeAlias = Literal["auto", "fp32", "bf16", "int8"]
"""How exactly networks compute; `auto`: bf16 where the processor has it and gains by it, else fp32; fp32 with torch."""
DeviceName: TypeAlias = Literal["auto", "cpu", "cuda"]
"""Where the networks run; `auto`: the CPU, unless the runtime is torch and a GPU is there."""

AnswerMatch: TypeAlias = Literal["string", "regex"]
"""How answers are compared with text."""
Quoting: TypeAlias = Literal["csv", "none"]
"""What a quotation mark at the beginning of a table's field means: that the field is quoted, or nothing."""
Values: TypeAlias = Literal["rank", "score"]
"""What a run is ordered by."""
Duplicates: TypeAlias = Literal["refuse", "best"]
"""What becomes of a document that is in a ranking twice: an error, or its best place is kept."""

ModelForm: TypeAlias = Literal["sentence-transformers", "hf-dpr", "hf-qa", "dpr", "onnx"]
PassageForm: TypeAlias = Literal["psgs", "beir", "msmarco", "pyserini", "tevatron", "jsonl"]
QuestionForm: TypeAlias = Literal["dpr", "beir", "msmarco"]
ExampleForm: TypeAlias = Literal["dpr", "msmarco", "colbert", "tevatron", "flag-embedding", "sentence-transformers"]
RunForm: TypeAlias = Literal["trec", "dpr", "msmarco", "colbert", "pyserini"]
QrelsForm: TypeAlias = Literal["trec", "beir", "msmarco"]
"""Forms of other systems that `opendpr export` writes; `interop.writing` has the writer of each."""

MOST_PASSAGES = 10_000
"""Passages that a command or a call may ask for."""
MOST_SERVED_PASSAGES = 1_000
"""Passages that a request to the service may ask for."""
MOST_TOOL_PASSAGES = 100
"""Passages that a call of a tool may ask for: a model reads them all."""
ID_CHARACTERS = 1_000
"""Longest id of a document."""
PASSAGE_WORDS = 100
"""Words in a passage (paper section 4.1)."""
READ_PASSAGES = 20
"""Passages read for a question, unless another number is given."""
SEARCH_PASSAGES = 5
"""Passages that a search returns, unless another number is given."""
QUESTION_CHARACTERS = 4_096
"""Most characters of a question."""
WHERE_CHARACTERS = 10_000
"""Most characters of a filter."""


def needs_vectors(retriever: str) -> bool:
    """Whether a retriever compares vectors, and so needs an encoder."""
    return retriever != "bm25"


def needs_words(retriever: str) -> bool:
    """Whether a retriever searches by words, and so needs their index."""
    return retriever != "dense"
