"""`opendpr search`: passages, best first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

from typer import Argument, Option

from opendpr.choices import DEFAULT_RETRIEVER, MOST_PASSAGES, SEARCH_PASSAGES, needs_vectors
from opendpr.cli.folder_answers import WaitForRestOption, finish
from opendpr.cli.located import located
from opendpr.cli.options import (
    AllowPartialOption,
    AsJson,
    CollectionArgument,
    DeviceOption,
    IndexOption,
    ModelOption,
    PrecisionOption,
    RerankDepthOption,
    RerankOption,
    RetrieverOption,
    RuntimeOption,
    WhereOption,
    engine_settings,
)
from opendpr.cli.output import excerpt, on_one_line, print_json, put, report_unmet_filter, styled
from opendpr.cli.typed import joined_question

if TYPE_CHECKING:
    from opendpr.answering import Answerer
    from opendpr.types import Hit


def search(
    collection: CollectionArgument,
    question: Annotated[list[str], Argument(help="One, with or without quotes.", show_default=False)],
    k: Annotated[int, Option("-k", min=1, max=MOST_PASSAGES, help="Passages to show.")] = SEARCH_PASSAGES,
    retriever: RetrieverOption = DEFAULT_RETRIEVER,
    rerank: RerankOption = None,
    rerank_depth: RerankDepthOption = 100,
    where: WhereOption = None,
    index: IndexOption = None,
    allow_partial: AllowPartialOption = False,
    model: ModelOption = None,
    precision: PrecisionOption = "auto",
    runtime: RuntimeOption = "auto",
    device: DeviceOption = "auto",
    wait: WaitForRestOption = False,
    as_json: AsJson = False,
) -> None:
    """Show the passages that fit QUESTION best, best first.

    \b
    Examples:
      opendpr search notes "who wrote the letter"
      opendpr search ./docs who wrote the letter   (a folder: indexed first, then kept in sync)
      opendpr search notes "who wrote the letter" --retriever bm25 -k 20 --json
      opendpr search notes "who wrote the letter" --rerank ./cross-encoder
    """
    from opendpr.answering import open_answerer
    from opendpr.maintenance.encode import encode_missing
    from opendpr.maintenance.on_demand import EncodeNeeded
    from opendpr.model.runtime import RuntimeSettings
    from opendpr.search.reranking import make_reranking
    from opendpr.search.settings import SearchSettings

    settings = RuntimeSettings(runtime, precision, device)
    reranking = make_reranking(rerank, rerank_depth, settings) if rerank else None
    engine = engine_settings(index, allow_partial=allow_partial, collection=collection)
    text = joined_question(collection, question, "search")
    encode = EncodeNeeded([text], where) if retriever == "hybrid" else encode_missing
    directory = located(collection, model, settings, vectors=needs_vectors(retriever), encode=encode, silent=as_json)
    of_folder = directory != collection
    answerer = open_answerer(
        directory,
        model,
        retriever=retriever,
        runtime=settings,
        reranking=reranking,
        search=SearchSettings(engine=engine, allow_partial=allow_partial, warn_incomplete=not of_folder),
    )
    hits = answerer.search(text, k, where)
    if not hits:
        report_unmet_filter(answerer.collection, where)
        if not as_json:
            put("no passage found")
    _show(answerer, hits, as_json=as_json)
    if of_folder and retriever == "hybrid":
        finish(answerer, settings, wait=wait, silent=as_json)


def _show(answerer: Answerer, hits: Sequence[Hit], *, as_json: bool) -> None:
    """Show the hits, best first."""
    from opendpr.answering.fields import hit_fields, missing_fields
    from opendpr.collection.lookup import outlines
    from opendpr.text.places import Outline

    ids = answerer.collection.passage_ids([hit.passage for hit in hits])
    places = outlines(answerer.collection, [hit.passage.document_id for hit in hits]) if as_json else {}
    for hit in hits:
        id = ids[hit.passage.number]
        if as_json:
            outline = places.get(hit.passage.document_id, Outline())
            print_json(hit_fields(hit, id, outline) | missing_fields(answerer.missing))
            continue
        parts = ", ".join(f"{name} {score:.2f}" for name, score in hit.parts.items())
        title = styled(on_one_line(hit.passage.title), bold=True)
        put(f"{hit.score:8.2f}  {title}  {on_one_line(id)}  ({parts})")
        put(f"          {excerpt(hit.passage.text)}\n")
