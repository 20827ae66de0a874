"""What the reader of `opendpr-minilm` is trained on, made from the folder of the development data.

    python models/spans.py path/to/data path/to/output

Questions of eleven sets with the place of their answer, in two files: `spans.jsonl`, where the place is known, and
`occurrences.jsonl`, where every occurrence of an answer is taken for one. Tokenised text is joined again. Most
passages are cut to about what retrieval gives a reader, the answer anywhere in them; the others stay whole. What does
not fit together is left out and counted.
"""

from __future__ import annotations

import argparse
import json
import random
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from data import joined

from opendpr.storage.lines import read_jsonl


class Source(NamedTuple):
    """How a set is used."""

    file: str
    most: int
    """Examples taken of it."""
    tokenised: bool = False
    longest_answer_words: int = 20
    per_passage: int = 2
    """Questions of one passage: others say more than more of it."""


SOURCES = (
    Source("squad_full.jsonl.gz", 36_000),
    Source("nq_reader.jsonl.gz", 6_000, tokenised=True, longest_answer_words=8),
    Source("tydiqa_reader.jsonl.gz", 3_700),
    Source("mlqa_reader.jsonl.gz", 1_150),
    Source("hotpotqa_reader.jsonl.gz", 1_000, tokenised=True),
    Source("multispan_nq_reader.jsonl.gz", 500, tokenised=True, longest_answer_words=8),
    Source("timeqa_reader.jsonl", 500, tokenised=True),
    Source("qamr_reader.jsonl", 1_200, tokenised=True),
    Source("fairytaleqa_reader.jsonl.gz", 800),
    Source("policyqa_reader.jsonl", 400, tokenised=True),
    Source("doc2dial_reader.jsonl.gz", 300, tokenised=True, longest_answer_words=30),
)
WHOLE_SHARE = 0.35
"""Share of the passages that stay whole, if they are not too long."""
LONGEST_WORDS = 220
"""Longer ones are always cut."""
CUT_WORDS = (50, 120)
"""Fewest and most words of a cut passage."""
UNTITLED_SHARE = 0.3
"""Share of the titles that are left out: not every text has one."""
WORD = re.compile(r"\S+")


class Example(NamedTuple):
    """A question with a passage, and the place of the answer in it; None where every occurrence may be one."""

    question: str
    title: str
    passage: str
    answers: tuple[str, ...]
    place: tuple[int, int] | None


def plain_text(tokens: str) -> str:
    """The text of tokens as people write it: also quotation marks and dashes without the spaces of a tokenizer."""
    text = re.sub(r'" ([^"]*?) "', r'"\1"', joined(tokens))
    text = re.sub(r"(?<=[a-z]) - (?=[a-z])", "-", text)
    return re.sub(r" {2,}", " ", text.replace(" -- ", " – ").replace(" ,", ","))


def occurrences(text: str, part: str) -> list[int]:
    """Where a part of a text begins, each time."""
    return [found.start() for found in re.finditer(re.escape(part), text)] if part else []


def plain_place(tokens: str, place: tuple[int, int], text: str) -> tuple[int, int] | None:
    """Where the answer at a place in the tokens stands in their plain text; None if that is not certain."""
    answer = tokens[slice(*place)]
    part = plain_text(answer)
    before, after = occurrences(tokens, answer), occurrences(text, part)
    if place[0] not in before or len(before) != len(after):
        return None
    start = after[before.index(place[0])]
    return start, start + len(part)


def example_of(record: Mapping[str, Any], source: Source) -> Example | str:
    """A record of a set as an example, or why there is none."""
    question, passage = str(record["question"]).strip(), str(record["passage"])
    answer, start = str(record["answer_text"]), record.get("answer_start")
    title, answers = str(record.get("title") or ""), tuple(map(str, record.get("answers") or [answer]))
    if len(question.split()) < 2:
        return "question of fewer than two words"
    if not answer.strip() or len(answer.split()) > source.longest_answer_words:
        return "answer empty or too long"
    place = None if start is None or len(record.get("all_spans") or []) > 1 else (start, start + len(answer))
    if place and passage[slice(*place)] != answer:
        return "answer is not where it should be"
    if source.tokenised:
        text = plain_text(passage)
        moved = plain_place(passage, place, text) if place else None
        if place and moved is None:
            return "place lost in joining tokens"
        question, passage, place, title = plain_text(question), text, moved, plain_text(title)
        answers = tuple(map(plain_text, answers))
    if place is None and not any(occurrences(passage, each) for each in answers):
        return "answer does not occur"
    return Example(question, title, passage, answers, place)


def cut(example: Example, words: int, generator: random.Random) -> Example:
    """The example with this many words of its passage, among them the answer, at a place drawn at random."""
    place = example.place
    if place is None:
        found = [(at, at + len(each)) for each in example.answers for at in occurrences(example.passage, each)]
        place = generator.choice(found)
    borders = [match.span() for match in WORD.finditer(example.passage)]
    inside = [number for number, (first, last) in enumerate(borders) if first < place[1] and last > place[0]]
    if not inside or len(borders) <= words:
        return example
    lowest, highest = max(0, inside[-1] + 1 - words), min(inside[0], len(borders) - words)
    begin = generator.randint(min(lowest, highest), highest)
    end = min(len(borders), max(begin + words, inside[-1] + 1))
    first, last = borders[begin][0], borders[end - 1][1]
    moved = (example.place[0] - first, example.place[1] - first) if example.place else None
    return example._replace(passage=example.passage[first:last], place=moved)


def shaped(example: Example, generator: random.Random) -> Example:
    """The example as it is trained on: its passage whole or cut, with its title or without."""
    count = len(example.passage.split())
    if count > LONGEST_WORDS or generator.random() >= WHOLE_SHARE:
        example = cut(example, generator.randint(*CUT_WORDS), generator)
    return example._replace(title="") if generator.random() < UNTITLED_SHARE else example


def chosen(records: Iterable[Mapping[str, Any]], source: Source, generator: random.Random) -> Iterator[Example]:
    """Examples of a set in random order, few of each passage; says what was left out."""
    shuffled = list(records)
    generator.shuffle(shuffled)
    left_out: Counter[str] = Counter()
    of_passage: Counter[str] = Counter()
    taken = 0
    for record in shuffled:
        if taken == source.most:
            break
        made = example_of(record, source)
        if isinstance(made, str):
            left_out[made] += 1
        elif of_passage[made.passage] == source.per_passage:
            left_out["enough of its passage"] += 1
        else:
            of_passage[made.passage] += 1
            taken += 1
            yield shaped(made, generator)
    reasons = "; ".join(f"{count:,} {reason}" for reason, count in left_out.most_common()) or "none"
    print(f"{source.file}: {taken:,} of {len(shuffled):,} taken; left out: {reasons}")  # noqa: T201


def fields_of(example: Example) -> dict[str, Any]:
    """The example as a record that `opendpr train reader` reads."""
    if example.place is None:
        positives = [{"title": example.title, "text": example.passage}]
        return {"question": example.question, "answers": example.answers, "positives": positives}
    return {
        "question": example.question,
        "title": example.title,
        "passage": example.passage,
        "answers": example.answers,
        "answer_start": example.place[0],
        "answer_text": example.passage[slice(*example.place)],
    }


def write_reader_data(data: Path, output: Path, seed: int = 0) -> list[Path]:
    """Write the two files and return them."""
    generator = random.Random(seed)
    output.mkdir(parents=True, exist_ok=True)
    examples = [
        example
        for source in SOURCES
        for example in chosen((record for _, record in read_jsonl(data / "train" / source.file)), source, generator)
    ]
    paths = [output / "spans.jsonl", output / "occurrences.jsonl"]
    for path, known in zip(paths, (True, False), strict=True):
        some = [fields_of(example) for example in examples if (example.place is not None) == known]
        path.write_text("".join(json.dumps(each, ensure_ascii=False) + "\n" for each in some), encoding="utf-8")
    return paths


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("output", type=Path)
    args = parser.parse_args()
    write_reader_data(args.data, args.output)
