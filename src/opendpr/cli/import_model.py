"""`opendpr import model`: models of other systems."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from typer import Argument, Option

from opendpr.cli.output import say

if TYPE_CHECKING:
    from opendpr.model.foreign import ImportedModel

PART_HELP = "In place of SOURCE, or of this part of it: "


def import_model(
    output: Annotated[Path, Option("--output", "-o", help="Model directory to write.", show_default=False)],
    source: Annotated[
        Path | None,
        Argument(
            help="Directory of sentence-transformers or transformers, or a DPR checkpoint (.cp).", show_default=False
        ),
    ] = None,
    question: Annotated[Path | None, Option("--question", help=PART_HELP + "the question encoder.")] = None,
    passage: Annotated[Path | None, Option("--passage", help=PART_HELP + "the passage encoder.")] = None,
    reader: Annotated[Path | None, Option("--reader", help=PART_HELP + "the reader.")] = None,
    title: Annotated[bool, Option("--title/--no-title", help="Feed passages as title [SEP] text.")] = True,
    question_prefix: Annotated[
        str | None,
        Option("--question-prefix", help="Text before each question, as 'query: '.", show_default="the model's"),
    ] = None,
    passage_prefix: Annotated[
        str | None, Option("--passage-prefix", help="Text before each passage.", show_default="the model's")
    ] = None,
    similarity: Annotated[
        Literal["dot", "cosine"] | None,
        Option("--similarity", help="How vectors are compared.", show_default="the model's"),
    ] = None,
    pooling: Annotated[
        Literal["cls", "mean"] | None,
        Option("--pooling", help="For a network that does not say.", show_default="the model's"),
    ] = None,
    tokenizer: Annotated[
        Path | None,
        Option("--tokenizer", help="A vocab.txt or tokenizer.json.", show_default="the model's"),
    ] = None,
) -> None:
    """Bring models of other systems into one model directory, without executing any of them.

    Read are encoders of sentence-transformers; of transformers DPR's encoders and reader, readers
    (ForQuestionAnswering) and cross-encoders (ForSequenceClassification); and DPR's own checkpoints. What has no
    place in a model of opendpr is refused by name. Where the library of the source is installed, its numbers are
    compared with ours.

    \b
    Examples:
      opendpr import model ./all-MiniLM-L6-v2 -o minilm
      opendpr import model --question ./dpr-question --passage ./dpr-ctx --reader ./dpr-reader -o dpr
      opendpr import model bert-base-encoder.cp -o dpr
      opendpr import model ./minilm --reader ./tinyroberta-squad2 -o minilm-roberta
    """
    from opendpr.model.foreign import ImportSettings, import_model
    from opendpr.model.foreign.checking import compare
    from opendpr.storage.atomic import write_json

    parts = {"": source, "question": question, "passage": passage, "reader": reader}
    paths = {part: path for part, path in parts.items() if path is not None}
    settings = ImportSettings(
        title,
        question_prefix,
        passage_prefix,
        similarity,
        pooling,
        tokenizer,
    )
    imported = import_model(paths, output, settings)
    _describe(imported)
    differences = compare(imported, paths)
    for name, value in differences.items():
        say(f"{name}: largest difference to the source {value:.1e}" if isinstance(value, float) else f"{name}: {value}")
    write_json(output / "metrics.json", {"largest difference to the source": differences})
    fingerprint = imported.model.fingerprint
    say(f"wrote {output}" + (f", fingerprint {fingerprint[:12]}" if fingerprint else ""))


def _describe(imported: ImportedModel) -> None:
    """Say what each source is and what it became."""
    for part, source in imported.sources.items():
        task = source.reader or source.reranker
        config = task[0] if task and (part == "reader" or not source.encoder) else source.encoder
        assert config is not None, "a source has a network"
        shape = config.architecture
        size = f"{shape.num_hidden_layers} layers, {shape.hidden_size} wide"
        say(f"{part or 'found'}: {source.kind}, {size}")
        if source.encoder and part != "reader":
            encoder = source.encoder
            limits = f"{encoder.max_question_tokens} tokens, passages up to {encoder.max_passage_tokens}"
            say(f"  pooling {encoder.pooling}, similarity {encoder.similarity}, questions up to {limits}")
        for note in source.notes:
            say(f"  {note}")
