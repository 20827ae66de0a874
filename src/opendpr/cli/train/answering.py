"""`opendpr train answering`: what makes answers of passages and spans, and how sure they are."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import Argument, Option

from opendpr.cli.options import (
    CollectionArgument,
    DeviceOption,
    Devices,
    ModelOption,
    PrecisionOption,
    Precisions,
    Retrievers,
    RuntimeOption,
    Runtimes,
)
from opendpr.cli.output import print_json, progress, say
from opendpr.errors import StateError, UsageError

if TYPE_CHECKING:
    from opendpr.fitting.answering import AnsweringSettings
    from opendpr.fitting.fitted import Fitted
    from opendpr.model.directory import Model


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
        list[Retrievers] | None,
        Option("--retriever", "-r", help="Whose confidence is fitted; again for several.", show_default="hybrid"),
    ] = None,
    k: Annotated[int, Option("-k", min=1, help="Passages read for a question.")] = 20,
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
    precision: PrecisionOption = Precisions.auto,
    runtime: RuntimeOption = Runtimes.auto,
    device: DeviceOption = Devices.auto,
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
    from opendpr.collection import open_collection
    from opendpr.fitting.answering import AnsweringSettings, fit_answering
    from opendpr.interop import read_questions
    from opendpr.model.directory import find_model
    from opendpr.model.runtime import RuntimeSettings, resolved

    kinds = list(dict.fromkeys(each.value for each in retriever or [Retrievers.hybrid]))
    settings = AnsweringSettings(k, kinds, least_precision, removed_share)
    running = resolved(RuntimeSettings(runtime.value, precision.value, device.value))
    with open_collection(collection) as opened:
        asked = [question for path in questions for question in read_questions(path)]
        found = find_model(model or opened.require_encoder().model)
        target = _target(found, output)
        with progress("fitting", "questions") as show:
            fitted = fit_answering(opened, asked, found, settings, running, lambda what, done, total: show(done, total))
    _write(found, target, fitted, settings, questions)
    _tell(fitted, target, as_json)


def _target(model: Model, output: Path | None) -> Path:
    """Where the model is written."""
    if output is not None:
        if (output / "config.json").exists() and output.resolve() != model.directory.resolve():
            raise StateError(f"{output} holds a model already; give another directory, or remove it first")
        return output
    if model.reference != str(model.directory.absolute()):
        raise UsageError(f"{model.name} is an installed package; say with -o where the fitted model is to be written")
    return model.directory


def _write(model: Model, target: Path, fitted: Fitted, settings: AnsweringSettings, files: Sequence[Path]) -> None:
    from dataclasses import asdict

    from opendpr.fitting.fitted import write_fitted
    from opendpr.storage.digests import file_sha256

    data = [{"file": path.name, "sha256": file_sha256(path)} for path in files]
    write_fitted(model, target, fitted, {"data": data, "settings": asdict(settings)})


def _tell(fitted: Fitted, target: Path, as_json: bool) -> None:
    if as_json:
        print_json({"retrieval": fitted.retrieval, "confidence": fitted.confidence, "figures": fitted.figures})
        return
    weights = ", ".join(f"{name} {value:g}" for name, value in fitted.retrieval.items())
    exact = fitted.figures["exact match"]
    say(f"wrote {target}: {weights}")
    say(f"exact match on these questions {100 * exact['before']:.1f} -> {100 * exact['after']:.1f}")
    for kind, stored in fitted.confidence.items():
        of = fitted.figures[kind]
        say(
            f"{kind}: {of['right']:,} of {of['answers']:,} answers right; "
            f"calibration error {of['calibration error']:.3f}, right above wrong {of['AUROC right']:.3f}"
        )
        say(
            f"from confidence {stored['threshold']:.2f} on {100 * of['answered']:.0f} % are answered, "
            f"{100 * of['precision']:.0f} % of them rightly"
        )
