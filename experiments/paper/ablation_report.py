"""What `ablations.py` found, as a section of `docs/results.md` and as `docs/ablations.svg`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from experiments.paper.ablation_rows import Row
from experiments.paper.retrieval import KS
from opendpr.evaluation.page.charts import Line, accuracy_chart, colour, mark
from opendpr.evaluation.page.markup import Markup, element
from opendpr.evaluation.statistics import Interval

BEGIN, END = "<!-- ablations -->", "<!-- /ablations -->"
WHOLE, BEST = "in-batch-128", KS.index(20)
"""The row with all questions; the k that the plot shows."""
Results = Sequence[tuple[Row, Sequence[Mapping[str, Any]]]]
"""Rows with the records of their seeds."""
WIDTH, LEFT, RIGHT, LINE, CHART = 760, 300, 32, 24, 350
"""Of the plot: its width, the margins beside the axis, the height of a row and of the second chart."""
STYLE = Markup(
    "<style>svg{--c0:#1f5fbf;--c1:#b9480e;--c2:#0f766e;--c3:#7a2fc4}"
    "text{font:13px system-ui,sans-serif;fill:#3d4653}.end{text-anchor:end}.middle{text-anchor:middle}"
    ".grid line,.tick{stroke:#d9dee6}.line{stroke:currentColor;fill:none;stroke-width:2}"
    ".mark{fill:currentColor;stroke:#fff}.whisker{stroke-width:1.25}.head{font-weight:600}"
    ".c0{color:var(--c0)}.c1{color:var(--c1)}.c2{color:var(--c2)}.c3{color:var(--c3)}</style>"
)


def write_report(docs: Path, facts: Mapping[str, Any], results: Results) -> None:
    """Put the section between its marks in `results.md`, or at its end, and draw the plot."""
    by_gold = [(row, of) for row, of in results if row.group != "transfer"]
    transfer = [(row, of) for row, of in results if row.group == "transfer"]
    docs.mkdir(parents=True, exist_ok=True)
    path = docs / "results.md"
    text = path.read_text(encoding="utf-8") if path.exists() else "# Results\n"
    before, begin, rest = text.partition(BEGIN)
    after = rest.partition(END)[2] if begin else "\n"
    section = f"{BEGIN}\n{markdown(facts, by_gold, transfer)}\n{END}"
    path.write_text(f"{before if begin else before + chr(10)}{section}{after}", encoding="utf-8")
    (docs / "ablations.svg").write_text(plot(by_gold) + "\n", encoding="utf-8")
    print(f"wrote {path} and {docs / 'ablations.svg'}")


def markdown(facts: Mapping[str, Any], by_gold: Results, transfer: Results) -> str:
    """The section."""
    told = "; ".join(f"{name} {value}" for name, value in facts.items())
    parts = [
        "## Ablations",
        "The comparisons of the paper's section 5 at a scale that two cores can do: `experiments/paper/ablations.py`. Every "
        f"trained row starts from {start(facts['layers'])}: the whole model is a retriever already, and hides what "
        "these rows ask. What is kept comes out of that retriever, so no row learns from nothing. Questions and gold "
        f"passages are {facts['questions trained on']:,} of SQuAD's training set, the same in every row; no titles are "
        "read. Nothing was tuned for a row: one learning rate, one number of steps unless its name says otherwise. So "
        "the figures order ways of training a small network for a short time. They are not what each way can reach, "
        "and not to be laid beside the paper's own.",
        f"Accuracy in per cent: the gold paragraph is among the first k passages of {facts['passages']:,}, "
        f"{facts['questions judged']:,} questions of SQuAD dev. Mean of the seeds, and their lowest and highest. A "
        "seed changes the fresh layer, the order of the questions and dropout, not the questions; where two ranges "
        "overlap, the rows cannot be told apart. The questions judged are a sample too, the same for every row.",
        "![Top-20 accuracy of every row, each seed a mark](ablations.svg)",
        table(by_gold, "squad"),
        "What each row can and cannot show:",
        notes(by_gold),
    ]
    if transfer:
        parts.append("Transfer between data sets: an answer is among the first k passages, 500 questions of each set.")
        parts += [f"{name}:\n\n{table(transfer, name)}" for name in transfer[0][1][0]["figures"]]
        parts.append(notes([(row, of) for row, of in transfer if row.examples == "nq"]))
    return "\n\n".join([*parts, f"Measured with: {told}."])


def start(layers: int) -> str:
    """What trained rows start from."""
    kept = f"the embeddings and the first {layers - 1} of 6 layers" if layers > 1 else "the embeddings"
    return f"{kept} of all-MiniLM-L6-v2 and one fresh layer"


def notes(results: Results) -> str:
    """What rows can and cannot show, rows of the same note together."""
    titles: dict[str, list[str]] = {}
    for row, _ in results:
        titles.setdefault(row.shows, []).append(row.title)
    return "\n".join(f"- **{', '.join(of)}**: {shows}" for shows, of in titles.items())


def table(results: Results, name: str) -> str:
    """A line for each row."""
    lines = ["| | " + " | ".join(f"top-{k}" for k in KS) + " |", "|---|" + "---:|" * len(KS)]
    for row, records in results:
        values = np.array([record["figures"][name] for record in records])
        cells = [cell(column) for column in values.T]
        lines.append(f"| {row.title} | {' | '.join(cells)} |")
    return "\n".join(lines)


def cell(values: np.ndarray) -> str:
    """Mean, lowest and highest."""
    return f"{values.mean():.1f}" + (f" ({values.min():.1f} to {values.max():.1f})" if len(values) > 1 else "")


def plot(results: Results) -> str:
    """Top-20 accuracy of every row, and below it Figure 1 of the paper, if its rows are there."""
    bottom = 70 + LINE * len(results)
    sizes = [(row, of) for row, of in results if row.group == "sizes" or row.name == WHOLE]
    curves = [figure_1(sizes, bottom)] if len(sizes) > 1 else []
    height = bottom + (CHART + 60 if curves else 0)
    return element(
        "svg",
        STYLE,
        element("rect", width=WIDTH, height=height, fill="#fff"),
        element("text", "Gold paragraph among the first 20 passages, each seed a mark", x=16, y=24, class_="head"),
        rows_panel(results, bottom),
        curves,
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {WIDTH} {height}",
        role="img",
    )


def rows_panel(results: Results, bottom: int) -> list[Markup]:
    """A line for each row: its seeds as marks, their mean as a stroke."""
    values = [[record["figures"]["squad"][BEST] for record in records] for _, records in results]
    low, high = 10 * (min(map(min, values)) // 10), 10 * (max(map(max, values)) // 10 + 1)
    x = _scale(low, high)
    ticks = [
        element(
            "g",
            element("line", x1=x(tick), x2=x(tick), y1=36, y2=bottom - 28),
            element("text", f"{tick:.0f} %", x=x(tick), y=bottom - 10, class_="middle"),
            class_="grid",
        )
        for tick in np.arange(low, high + 1, 10).tolist()
    ]
    drawn = []
    for number, ((row, _), of) in enumerate(zip(results, values, strict=True)):
        y, mean = 52 + LINE * number, x(float(np.mean(of)))
        marks = [mark(0, x(value), y) for value in of]
        stroke = element("path", d=f"M{mean} {y - 9}V{y + 9}")
        told = element("title", f"{row.title}: {cell(np.array(of))}")
        drawn.append(element("text", row.title, x=LEFT - 14, y=y + 4, class_="end"))
        drawn.append(element("g", told, stroke, marks, class_=f"line {colour(1 if row.examples == 'none' else 0)}"))
    return [*ticks, *drawn]


def _scale(low: float, high: float) -> Callable[[float], float]:
    return lambda value: round(LEFT + (value - low) / (high - low) * (WIDTH - LEFT - RIGHT), 2)


def figure_1(sizes: Results, top: int) -> Markup:
    """Accuracy over k for each number of training questions."""
    lines, legend = [], []
    for number, (row, records) in enumerate(sorted(sizes, key=lambda of: of[0].share)):
        values = np.array([record["figures"]["squad"] for record in records]) / 100
        marks = {
            float(k): Interval(float(of.mean()), float(of.min()), float(of.max()))
            for k, of in zip(KS, values.T, strict=True)
        }
        name = "all questions" if row.name == WHOLE else row.title
        lines.append(Line(name, [(k, of.mean) for k, of in marks.items()], marks))
        y = top + 60 + 22 * number
        swatch = element(
            "g", element("line", x1=20, x2=44, y1=y, y2=y), mark(number, 32, y), class_=f"line {colour(number)}"
        )
        legend += [swatch, element("text", name, x=54, y=y + 4)]
    chart = accuracy_chart(lines, "Sample efficiency", "Accuracy over k for each number of training questions")
    place = element("svg", chart, x=180, y=top + 40, width=WIDTH - 180, height=CHART)
    return element("g", element("text", "Sample efficiency", x=16, y=top + 24, class_="head"), legend, place)
