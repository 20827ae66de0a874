"""The first passages of BM25 and of dense retrieval side by side, as in the paper's appendix on its examples.

Of each set it counts the questions with an answer among the first five passages of both, of one alone or of neither,
and shows the first questions that one alone finds, with few words around the answer or from the passage's beginning.

    python -m experiments.paper.examples --pool P25 --precision bf16 --examples docs/examples.md
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from experiments.common.command import command_line, make_encoder, parse
from experiments.common.data import Record
from experiments.common.pools import open_pool
from experiments.common.report import Report
from opendpr.evaluation.statistics import bootstrap
from opendpr.search.live import LiveSnapshot
from opendpr.search.retrievers import make_retriever
from opendpr.text.occurrences import answer_places
from opendpr.types import Hit

EXAMPLE_SETS = {"squad": "SQuAD", "nq": "Natural Questions", "trivia": "TriviaQA"}
SHOWN_PASSAGES = 5
WORDS_AROUND = 6
"""Words shown on either side of an answer."""
CELL_SIGNS = str.maketrans({"|": "\\|", "*": "\\*", "_": "\\_", "`": "\\`", "<": "&lt;", "[": "\\["})
"""What would end a cell or begin markup."""
HEAD = """# Examples of passages

The first passages of BM25 and of dense retrieval, for the first questions that one of them alone finds an answer for
among five: each set's report half, 25,017 passages of Wikipedia (CC BY-SA; a few words of each). An answer is bold.
`python -m experiments.paper.examples --pool P25 --precision bf16 --examples docs/examples.md` writes this page.
"""


class Searched(NamedTuple):
    """A question with the passages of both."""

    record: Record
    bm25: Sequence[Hit]
    dense: Sequence[Hit]

    @property
    def verdict(self) -> str:
        """Who finds an answer: `both`, `only bm25`, `only dense` or `neither`."""
        words, vectors = (any(map(self.places, hits)) for hits in (self.bm25, self.dense))
        return {(True, True): "both", (True, False): "only bm25", (False, True): "only dense"}.get(
            (words, vectors), "neither"
        )

    def places(self, hit: Hit) -> list[tuple[int, int]]:
        """Where the answers are in a passage."""
        return answer_places(self.record["answers"], hit.passage.text)

    def cell(self, hit: Hit) -> str:
        """Title and few words of a passage, the first answer bold."""
        text, places = hit.passage.text, self.places(hit)
        if places:
            (start, end), *_ = places
            before, after = text[:start].split()[-WORDS_AROUND:], text[end:].split()[:WORDS_AROUND]
            words = f"… {_escaped(' '.join(before))} **{_escaped(text[start:end])}** {_escaped(' '.join(after))} …"
        else:
            words = f"{_escaped(' '.join(text.split()[: 2 * WORDS_AROUND]))} …"
        return f"{_escaped(hit.passage.title)}: {words}"

    def lines(self) -> Iterator[str]:
        """The example in Markdown."""
        yield f"**{_escaped(self.record['question'])}** ({_escaped('; '.join(self.record['answers'][:3]))})\n"
        yield "| | BM25 | dense |\n|---|---|---|"
        for place, (words, vectors) in enumerate(zip(self.bm25, self.dense, strict=True), start=1):
            yield f"| {place} | {self.cell(words)} | {self.cell(vectors)} |"
        yield ""


def _escaped(text: str) -> str:
    return " ".join(text.split()).translate(CELL_SIGNS)


def examples(title: str, searched: Sequence[Searched], count: int) -> Iterator[str]:
    """The first examples of each kind, in Markdown."""
    for verdict, words in (("only dense", "Dense retrieval alone"), ("only bm25", "BM25 alone")):
        yield f"## {title}: {words} finds an answer\n"
        matching = [example for example in searched if example.verdict == verdict]
        yield f"{len(matching)} of {len(searched)} questions.\n"
        for example in matching[:count]:
            yield from example.lines()


def main(arguments: Sequence[str] | None = None) -> None:
    parser = command_line(__doc__, pool="P25", half=True)
    parser.add_argument("--questions", type=int, default=500, help="of each set")
    parser.add_argument("--examples", type=Path, help="Markdown file that examples are written to")
    parser.add_argument("--count", type=int, default=1, help="examples of each kind")
    args = parse(parser, arguments, questions=8)
    encoder, report, pages = make_encoder(args), Report(args, questions=args.questions), [HEAD]
    with open_pool(args, encoder) as collection:
        live = LiveSnapshot(collection)
        retrievers = [make_retriever(kind, live, encoder) for kind in ("bm25", "dense")]
        for name, title in EXAMPLE_SETS.items():
            records = args.data.questions(name, args.half)[: args.questions]
            lists = [retriever.retrieve([r["question"] for r in records], SHOWN_PASSAGES) for retriever in retrievers]
            searched = [Searched(*row) for row in zip(records, *lists, strict=True)]
            pages += examples(title, searched, args.count)
            for verdict in ("both", "only dense", "only bm25", "neither"):
                (share,) = bootstrap(np.array([[row.verdict == verdict] for row in searched]))
                report.add_interval(f"{name}/{verdict}", share)
    if args.examples:
        args.examples.write_text("\n".join(pages), encoding="utf-8")
    report.write()


if __name__ == "__main__":
    main()
