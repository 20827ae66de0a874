"""Training files for sentence-transformers: pairs and triplets of texts, as objects, lists or a table with a header."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from pathlib import Path

from opendpr.errors import InputError
from opendpr.interop.msmarco import passage_text, triples
from opendpr.interop.records import checked, read_lists, read_records
from opendpr.interop.start import Start
from opendpr.interop.tables import read_rows
from opendpr.storage.lines import json_kind, json_line, write_lines
from opendpr.types import ExamplePassage, Question, TrainingExample
from opendpr.wording import counted

ANCHOR_FIELDS = ("anchor", "query", "question")
"""Names of the column with the question."""
LABEL_FIELDS = ("label", "labels")
"""Names of the column that says whether a pair belongs together."""
NEGATIVE_FIELD = re.compile(r"(hard_)?neg(ative)?s?(_?\d+)?")
"""Names of the columns with negatives."""


def is_examples(start: Start) -> bool:
    """Whether the first record, or a table's header, has a question and a `positive`."""
    names = set(start.header) if not start.is_json else set(start.fields)
    return "positive" in names and any(name in names for name in ANCHOR_FIELDS)


def is_lists(start: Start) -> bool:
    """Whether the first record is a list of texts."""
    value = start.value
    return isinstance(value, list) and len(value) > 1 and all(isinstance(text, str) for text in value)


def read_examples(start: Start) -> Iterator[TrainingExample]:
    """Records with `anchor` (or `query`, `question`), `positive`, and perhaps `negative`, `negative_1` and so on.

    Positives and negatives are texts or lists of texts.
    """
    if start.is_json:
        for place, number, fields in read_records(start.path):
            yield _example(fields, place, str(number))
        return
    rows = read_rows(start.path, start.quoting, start.separator)
    next(rows)
    names = start.header
    for place, row in rows:
        if len(row) != len(names):
            raise InputError(f"{place}: expected {counted(len(names), 'field')} as in the header, found {len(row)}")
        yield _example(dict(zip(names, row, strict=True)), place, place.rpartition(":")[2])


def read_lists_of_texts(start: Start) -> Iterator[TrainingExample]:
    """Lists `["question", "positive", "negative", ...]`, one a line or in an array."""
    for number, (place, value) in enumerate(read_lists(start.path, array=start.is_array), start=1):
        if len(value) < 2:
            raise InputError(f"{place}: expected a question and a positive, found {value!r:.100}")
        names = ["anchor", "positive", *(f"negative_{n}" for n in range(len(value) - 2))]
        yield _example(dict(zip(names, value, strict=True)), place, str(number))


def _example(fields: Mapping[str, object], place: str, id: str) -> TrainingExample:
    for name in LABEL_FIELDS:
        if name in fields and str(fields[name]).strip() not in ("1", "1.0", "True", "true"):
            raise InputError(
                f"{place}: the {name} is {fields[name]!r:.40}, expected 1: pairs that do not belong together are no "
                "examples here; leave them out, and the column"
            )
    anchor = next((name for name in ANCHOR_FIELDS if name in fields), ANCHOR_FIELDS[0])
    negatives = tuple(
        passage
        for name in fields
        if NEGATIVE_FIELD.fullmatch(name) and fields[name]
        for passage in _passages(fields, name, place)
    )
    question = Question(id, _words(fields, anchor, place))
    return TrainingExample(question, _passages(fields, "positive", place), negatives)


def _passages(fields: Mapping[str, object], name: str, place: str) -> tuple[ExamplePassage, ...]:
    value = fields.get(name)
    several = value if isinstance(value, list) else [value]
    return tuple(ExamplePassage("", _words({name: text}, name, place)) for text in several)


def _words(fields: Mapping[str, object], name: str, place: str) -> str:
    value = fields.get(name)
    if not isinstance(value, str) or not value.strip():
        shown = repr(value) if isinstance(value, str) else json_kind(value)
        raise InputError(f"{place}: expected '{name}' in words, found {shown:.60}")
    return checked(value, name, place)


def write_examples(path: Path, examples: Iterable[TrainingExample]) -> int:
    """Write JSON lines `anchor, positive, negative` and return how many; a title is put before its text.

    There is a line for each pair of a positive and a hard negative. Where the first example has no hard negative,
    there are pairs of question and positive alone, since all lines must have the same columns.

    Raises:
        InputError: the first example has no hard negative and another one has.
    """
    rest = iter(examples)
    first = next(rest, None)
    whole = chain([first] if first else [], rest)
    if first and first.hard_negatives:
        named = (
            zip(("anchor", "positive", "negative"), triple, strict=True) for triple in triples(path, whole, titles=True)
        )
        return write_lines(path, map(json_line, map(dict, named)))
    return write_lines(path, map(json_line, _pairs(whole)))


def _pairs(examples: Iterable[TrainingExample]) -> Iterator[dict[str, str]]:
    for example in examples:
        if example.hard_negatives:
            raise InputError(
                f"question {example.question.id!r} has hard negatives and the first one has none; all lines need the "
                "same columns, so put the examples without hard negatives into a file of their own"
            )
        for positive in example.positives:
            yield {"anchor": example.question.text, "positive": passage_text(positive)}
