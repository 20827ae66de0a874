"""`opendpr train answering`: what makes answers of passages and spans, and how sure they are."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import Argument, Option

from opendpr.choices import DEFAULT_RETRIEVER, READ_PASSAGES, needs_vectors
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
    from opendpr.fitting.fitted import Fitted


def train_answering(
    collection: CollectionArgument,
    questions: Annotated[
        list[Path],
        Argument(
            help="Question files of any known form; one without answers is one that the documents do not answer.",
            show_default=False,
        ),
    ],
    output: Annotated[
        Path | None,
        Option("--output", "-o", help="Model directory to write.", show_default="the model's own"),
    ] = None,
    model: ModelOption = None,
    retriever: Annotated[
        list[str] | None,
        Option(
            "--retriever",
            "-r",
            parser=retriever_name,
            metavar=RETRIEVER_CHOICES,
            help="Whose confidence is fitted; again for several.",
            show_default=DEFAULT_RETRIEVER,
        ),
    ] = None,
    k: Annotated[int, Option("-k", min=1, help="Passages read for a question.")] = READ_PASSAGES,
    least_precision: Annotated[
        float, Option("--least-precision", min=0, max=1, help="How often an answer is to be right where one is given.")
    ] = 0.6,
    removed_share: Annotated[
        float,
        Option(
            "--removed-share",
            min=0,
            max=1,
            help="Share of questions asked again without the passages that hold the answer.",
        ),
    ] = 0.25,
    precision: PrecisionOption = "auto",
    runtime: RuntimeOption = "auto",
    device: DeviceOption = "auto",
    as_json: Annotated[bool, Option("--json", help="Write what was fitted as one JSON object.")] = False,
) -> None:
    """Fit what answers are chosen by, and how sure they are, on questions with known answers.

    That is lambda of hybrid retrieval, the weights of selection, span and retrieval score, the confidence, and the
    confidence below which there is no answer. Networks stay as they are, collections stay valid.

    \b
    Examples:
      opendpr train answering notes questions.jsonl --model my-model
      opendpr train answering notes questions.jsonl unanswerable.jsonl -o my-model
    """
    from opendpr.collection.opening import holds_documents
    from opendpr.collection.swapped import refuse_swapped
    from opendpr.fitting.answering import fit_answering, read_sets, refuse_too_few
    from opendpr.fitting.settings import AnsweringSettings
    from opendpr.model.runtime import RuntimeSettings

    kinds = list(dict.fromkeys(retriever or [DEFAULT_RETRIEVER]))
    run_settings = RuntimeSettings(runtime, precision, device)
    settings = AnsweringSettings(k, kinds, least_precision, removed_share)
    refuse_swapped(collection, questions, "'opendpr train answering {collection} {questions}'")
    if holds_documents(collection):
        refuse_too_few(read_sets(questions), settings)  # before the folder is encoded
    vectors = any(map(needs_vectors, kinds))
    directory = located(collection, model, run_settings, vectors=vectors, silent=as_json)
    with progress("fitting", "questions", silent=as_json) as show:
        written, fitted = fit_answering(
            directory,
            questions,
            model=model,
            output=output,
            settings=settings,
            runtime=run_settings,
            on_progress=lambda activity, done, total: show(done, total),
        )
    _report(fitted, written.directory, as_json)


def _report(fitted: Fitted, target: Path, as_json: bool) -> None:
    if as_json:
        print_json(
            {"retrieval": fitted.retrieval, "confidence": fitted.confidence, "figures": fitted.figures.as_json()}
        )
        return
    weights = ", ".join(f"{name} {value:g}" for name, value in fitted.retrieval.items())
    say(f"wrote {target}: {weights}")
    if decoding := fitted.figures.decoding:
        before, after = 100 * decoding.exact_match_before, 100 * decoding.exact_match_after
        say(f"exact match on these questions {before:.1f} -> {after:.1f}")
    for kind, stored in fitted.confidence.items():
        figures = fitted.figures.confidence[kind]
        total = figures.all_sets
        say(
            f"{kind}: {total.right:,} of {counted(total.answers, 'answer')} right; "
            f"calibration error {total.calibration_error:.3f}, right above wrong {total.auroc_right:.3f}"
        )
        say(
            f"from confidence {stored['threshold']:.2f} on {100 * figures.answered:.0f} % are answered, "
            f"{100 * figures.precision:.0f} % of them rightly"
        )
        for name, own in figures.sets.items():
            say(
                f"  {name}: {own.right:,} of {own.answers:,} right, mean confidence {own.confidence:.2f}, "
                f"calibration error {own.calibration_error:.3f}"
            )
