"""`opendpr ask`: answers with spans and sources."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import Argument, Option

from opendpr.choices import DEFAULT_RETRIEVER, MOST_PASSAGES, READ_PASSAGES
from opendpr.cli.ask_explanation import explained
from opendpr.cli.folder_answers import (
    WaitForRestOption,
    encode_in_background,
    finish,
    first_encoded,
    incomplete,
    indexed_for,
)
from opendpr.cli.options import (
    AllowPartialOption,
    AsJson,
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
from opendpr.cli.output import (
    excerpt,
    marked,
    on_one_line,
    print_json,
    put,
    report_unmet_filter,
    say,
    styled,
)
from opendpr.cli.typed import joined_question, prompted_questions, refuse_missing, typed_questions
from opendpr.errors import UsageError

if TYPE_CHECKING:
    from opendpr.answering import Answerer
    from opendpr.maintenance.background import BackgroundEncoder
    from opendpr.text.places import Outline
    from opendpr.types import Answer, Span

SHOWN_COPIES = 3
"""Documents with the same text that are named; JSON has them all."""
REFUSED_CHARACTERS = 200
"""How much of a question that was refused is repeated."""


def ask(
    collection: Annotated[
        Path,
        Argument(help="A collection, or a folder or file of documents, which is indexed first.", show_default=False),
    ],
    words_asked: Annotated[
        list[str] | None,
        Argument(
            metavar="[QUESTION]...",
            help="One, with or without quotes; none opens a prompt, - reads one a line from stdin.",
            show_default=False,
        ),
    ] = None,
    k: Annotated[
        int, Option("-k", min=1, max=MOST_PASSAGES, help="Most passages to read; fewer once an answer is sure.")
    ] = READ_PASSAGES,
    answers: Annotated[int, Option("--answers", "-n", min=1, help="Different answers to show.")] = 1,
    retriever: RetrieverOption = DEFAULT_RETRIEVER,
    rerank: RerankOption = None,
    rerank_depth: RerankDepthOption = 100,
    where: WhereOption = None,
    address: IndexOption = None,
    allow_partial: AllowPartialOption = False,
    model: ModelOption = None,
    precision: PrecisionOption = "auto",
    runtime: RuntimeOption = "auto",
    device: DeviceOption = "auto",
    wait: WaitForRestOption = False,
    words: Annotated[
        int | None, Option("--words", min=1, help="Of a folder: words in a passage.", show_default="as before, or 100")
    ] = None,
    overlap: Annotated[
        int | None,
        Option(
            "--overlap", min=0, help="Of a folder: words shared with the previous passage.", show_default="as before"
        ),
    ] = None,
    explain: Annotated[bool, Option("--explain", help="Show what scores and confidence are made of.")] = False,
    as_json: AsJson = False,
) -> None:
    """Answer QUESTION with the exact words of the documents, and where they are.

    Of a large new folder the passages are encoded first that BM25 finds for the question, and the answer is from them.
    A prompt encodes the rest between questions, --wait after the answer.

    \b
    Examples:
      opendpr ask ./docs "Who wrote the letter?"
      opendpr ask ./docs "Who wrote the letter?" --wait
      opendpr ask manual.pdf who wrote the letter
      opendpr ask notes                            (a prompt)
      opendpr ask notes - < questions.txt          (one JSON object a line)
    """
    from opendpr.answering import open_answerer
    from opendpr.collection.opening import holds_documents
    from opendpr.model.directory import DEFAULT_MODEL, find_model
    from opendpr.model.reader import BertReader
    from opendpr.model.runtime import RuntimeSettings
    from opendpr.search.reranking import make_reranking
    from opendpr.search.settings import SearchSettings

    question = joined_question(collection, words_asked, "ask") if words_asked else None
    refuse_missing(collection)
    _check(question, where)
    _read_any_line()
    settings = RuntimeSettings(runtime, precision, device)
    reranking = make_reranking(rerank, rerank_depth, settings) if rerank else None
    engine = engine_settings(address, allow_partial=allow_partial, collection=collection)
    reader = None
    if is_folder := holds_documents(collection):
        model = model or DEFAULT_MODEL  # the cache may be made with one whose reader is another
        reader = BertReader(find_model(model), settings)
        encode = first_encoded(question, where, retriever, reader)
        collection = indexed_for(collection, model, settings, encode=encode, cut=(words, overlap), silent=as_json)
    else:
        _refuse_cut(collection, words, overlap)
    with ExitStack() as stack:
        search = SearchSettings(engine=engine, allow_partial=allow_partial, warn_incomplete=not is_folder)
        answerer = open_answerer(
            collection, model, retriever=retriever, runtime=settings, reranking=reranking, search=search
        )
        answerer.reader = reader or answerer.reader
        asker = _Asker(answerer, k, answers, where, as_json or question == "-", explain, is_folder)
        if question == "-":
            asker.answer_all(typed_questions())
        elif question is not None:
            asker.answer(question)
            if is_folder:
                finish(answerer, settings, wait=wait, silent=as_json)
        else:
            if is_folder and sys.stdin.isatty() and incomplete(answerer.collection):
                asker.background = encode_in_background(stack, answerer, settings)
            asker.prompt()


def _refuse_cut(collection: Path, words: int | None, overlap: int | None) -> None:
    """Raises UsageError if the passages of a collection are to be cut otherwise."""
    if (words, overlap) != (None, None):
        again = f"'opendpr add {collection} FILE... --resplit' with the same options"
        raise UsageError(f"{collection} is a collection; its documents are cut again by {again}")


def _check(question: str | None, where: str | None) -> None:
    """Raises UsageError if the filter or the question cannot be used, before anything is indexed or loaded."""
    from opendpr.answering import check_question
    from opendpr.collection.where import compile_where

    if where is not None:
        compile_where(where)  # here, because it is no fault of the questions, whose errors are reported one by one
    if question is not None and question != "-":
        check_question(question)


def _read_any_line() -> None:
    """Have lines read that are not UTF-8: each is one question refused."""
    if isinstance(sys.stdin, io.TextIOWrapper):
        sys.stdin.reconfigure(errors="surrogateescape")


def _show(answer: Answer, outline: Outline, *, strong: bool) -> None:
    from opendpr.answering.surroundings import in_context

    best = answer.spans[0]
    passage = best.hit.passage
    meaning = f" that {answer.confidence_means}" if answer.kind == "sentence" else ""
    put(f"{styled(excerpt(answer.text), bold=strong)}  (confidence {answer.confidence:.2f}{meaning})")
    anchor = outline.anchor(best.start)
    link = on_one_line(f"{passage.document_id}#{anchor}" if anchor else passage.document_id)
    title = on_one_line(outline.title_at(best.start) or passage.title)
    put(f"  {link}, characters {best.start}-{best.end}: {title}")
    if copies := list(dict.fromkeys(on_one_line(copy.document_id) for copy in best.hit.copies)):
        more = f" and {len(copies) - SHOWN_COPIES} more" if len(copies) > SHOWN_COPIES else ""
        put(f"  also in {', '.join(copies[:SHOWN_COPIES])}{more}")
    put(f"  {marked(*in_context(best))}")


@dataclass
class _Asker:
    """Puts questions to an answerer and shows what comes of them."""

    answerer: Answerer
    k: int
    count: int
    where: str | None
    as_json: bool
    explain: bool
    of_folder: bool
    """Whether the collection is the cached one of a folder, which may be encoded as it is asked."""
    background: BackgroundEncoder | None = None
    """Encodes the rest of a folder between questions."""

    def prompt(self) -> None:
        """Ask until an empty line is typed; from a pipe, to its end."""
        if sys.stdin.isatty():
            say("Ask a question; an empty line, quit or Ctrl-D ends.")
            self.answer_all(prompted_questions())
        else:
            self.answer_all(typed_questions())

    def answer_all(self, questions: Iterable[str]) -> None:
        """Answer each; one that cannot be answered is reported and does not stop the others."""
        for question in questions:
            try:
                with self.background.making_way(question, self.where) if self.background else nullcontext():
                    self.answer(question)
            except UsageError as error:
                if self.as_json:
                    shown = question[:REFUSED_CHARACTERS].encode("utf-8", "replace").decode()
                    print_json({"question": shown, "error": str(error)})
                else:
                    say(f"opendpr: {error}")

    def answer(self, question: str) -> None:
        """Answer one question."""
        from opendpr.answering.fields import missing_fields, outcome_fields

        thorough = self.count > 1  # what else might answer is looked for in all passages
        if self.explain:
            outcome, explanations = self.answerer.explain(question, self.k, self.where, thorough=thorough)
        else:
            outcome, explanations = self.answerer.ask(question, self.k, self.where, thorough=thorough), []
        shown, explanations = outcome.answers[: self.count], explanations[: self.count]
        if self.as_json:
            record = {"question": question} | outcome_fields(outcome, self.count, self._span_fields(shown))
            if self.explain:
                record["explanations"] = [explanation.fields() for explanation in explanations]
            print_json(record | missing_fields(self.answerer.missing) | self._incomplete_fields())
            return
        if not outcome.answerable:
            put(f"{styled('no answer found', bold=True)}{'; the sentence that comes nearest is' if shown else ''}")
        if not shown:
            report_unmet_filter(self.answerer.collection, self.where)
        self._show_all(shown if outcome.answerable else shown[:1], strong=outcome.answerable)
        for line in (line for explanation in explanations for line in explained(explanation)):
            put(line)

    def _incomplete_fields(self) -> dict[str, int]:
        """What a record says of passages that lack a vector; nothing if all have one."""
        counts = incomplete(self.answerer.collection) if self.of_folder else None
        return {"passages_encoded": counts[0], "passages": counts[1]} if counts else {}

    def _show_all(self, shown: Sequence[Answer], *, strong: bool) -> None:
        outlines = self._outlines([answer.document_id for answer in shown])
        for answer in shown:
            _show(answer, outlines[answer.document_id], strong=strong)

    def _outlines(self, ids: Sequence[str]) -> dict[str, Outline]:
        """The outline of each document."""
        from opendpr.collection.lookup import outlines
        from opendpr.text.places import Outline

        return dict.fromkeys(ids, Outline()) | outlines(self.answerer.collection, ids)

    def _span_fields(self, answers: Sequence[Answer]) -> Callable[[Span], dict[str, object]]:
        """What makes the form of a place of these answers: with its passage, as there is no list of passages."""
        from opendpr.answering.fields import hit_fields, span_fields

        passages = [span.hit.passage for answer in answers for span in answer.spans]
        ids = self.answerer.collection.passage_ids(passages)
        outlines = self._outlines([passage.document_id for passage in passages])

        def fields(span: Span) -> dict[str, object]:
            passage = span.hit.passage
            id, outline = ids[passage.number], outlines[passage.document_id]
            return {**span_fields(span, id, outline), "passage": hit_fields(span.hit, id, outline)}

        return fields
