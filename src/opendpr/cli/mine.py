"""`opendpr mine`: training examples out of questions and a collection."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import Argument, Option

from opendpr.choices import needs_vectors
from opendpr.cli.located import located
from opendpr.cli.options import (
    RETRIEVER_CHOICES,
    CollectionArgument,
    DeviceOption,
    ModelOption,
    PrecisionOption,
    RuntimeOption,
    retriever_name,
)
from opendpr.cli.output import print_json, say
from opendpr.cli.progress import progress
from opendpr.wording import counted

if TYPE_CHECKING:
    from opendpr.training.miner import MiningReport


def mine(
    collection: CollectionArgument,
    questions: Annotated[
        list[Path],
        Argument(help="Question files of any known form, with answers or document ids.", show_default=False),
    ],
    output: Annotated[Path, Option("--output", "-o", help="Examples to write, JSON lines.", show_default=False)],
    retriever: Annotated[
        list[str] | None,
        Option(
            "--retriever",
            "-r",
            parser=retriever_name,
            metavar=RETRIEVER_CHOICES,
            help="What finds hard negatives; again for several.",
            show_default="bm25",
        ),
    ] = None,
    depth: Annotated[int, Option("--depth", help="Passages that each retriever finds for a question.")] = 100,
    positive_depth: Annotated[
        int, Option("--positive-depth", help="Of these, passages among which a positive is looked for.")
    ] = 100,
    positives: Annotated[int, Option("--positives", help="Positives kept for a question.")] = 1,
    negatives: Annotated[int, Option("--negatives", help="Hard negatives kept for a question.")] = 5,
    margin: Annotated[
        float, Option("--margin", help="Share of the positive's score that a hard negative must score less.")
    ] = 0.0,
    per_document: Annotated[
        int, Option("--per-document", help="Most hard negatives of a question from one document; 0 for any.")
    ] = 0,
    denoise: Annotated[
        bool, Option("--denoise", help="Drop hard negatives that the model's reader prefers to the positive.")
    ] = False,
    left_out: Annotated[
        Path | None, Option("--left-out", help="Where to list the questions that became no example, and why.")
    ] = None,
    model: ModelOption = None,
    precision: PrecisionOption = "auto",
    runtime: RuntimeOption = "auto",
    device: DeviceOption = "auto",
    as_json: Annotated[bool, Option("--json", help="Write the counts as one JSON object.")] = False,
) -> None:
    """Make training examples for 'opendpr train encoder'.

    The positive of a question is the best BM25 passage that holds an answer (paper section 4.2), or,
    where the question names its documents, their best passage that does. Hard negatives are the best
    passages that do not. Mined with a trained model (-r dense) they are harder still.

    \b
    Examples:
      opendpr mine notes questions.jsonl -o examples.jsonl
      opendpr mine notes questions.jsonl -r bm25 -r dense --model my-model -o harder.jsonl
    """
    from opendpr.collection.swapped import refuse_swapped
    from opendpr.model.runtime import RuntimeSettings
    from opendpr.training import mining
    from opendpr.training.miner import MiningSettings

    refuse_swapped(collection, questions, f"'opendpr mine {{collection}} {{questions}} -o {output}'")
    settings = MiningSettings(
        *(depth, positive_depth, positives, negatives, margin, per_document),
        retrievers=retriever or ["bm25"],
        denoise=denoise,
        runtime=RuntimeSettings(runtime, precision, device),
    )
    vectors = any(needs_vectors(name) for name in settings.retrievers)
    with progress("mining", "questions", silent=as_json) as show:
        mined = mining.mine(
            located(collection, model, settings.runtime, vectors=vectors, silent=as_json),
            questions,
            model=model,
            output=output,
            left_out=left_out,
            settings=settings,
            on_question=show,
        )
    _report(mined.report, output, as_json)


def _report(report: MiningReport, output: Path, as_json: bool) -> None:
    reasons = Counter(left.reason for left in report.left_out)
    if as_json:
        print_json(
            {
                "examples": report.examples,
                "hard_negatives": report.negatives,
                "without_hard_negatives": report.without_negatives,
                "left_out": reasons,
                "dropped": report.dropped,
            }
        )
        return
    mean = report.negatives / report.examples
    say(f"wrote {output}: {counted(report.examples, 'example')}, {mean:.1f} hard negatives each")
    if report.without_negatives:
        say(f"{report.without_negatives:,} of them have no hard negative")
    for reason, count in reasons.most_common():
        say(f"left out {counted(count, 'question')}: {reason}")
    for reason, count in report.dropped.most_common():
        say(f"dropped {counted(count, 'passage')} as hard negatives, each because {reason}")
