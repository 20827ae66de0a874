"""Readers of every form: which system a file is of shows in its content and its name."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

from opendpr.choices import Duplicates, Match, Quoting, Values
from opendpr.errors import InputError
from opendpr.interop import (
    beir,
    colbert,
    dpr,
    flag_embedding,
    ir_datasets,
    kilt,
    mrqa,
    msmarco,
    own,
    pyserini,
    question_tables,
    sentence_transformers,
    squad,
    tevatron,
    trec,
)
from opendpr.interop.gold import Dropped
from opendpr.interop.ids import ids_once, join
from opendpr.interop.nouns import Judgement, MarkedQuestion, Placed, Ranking
from opendpr.interop.ranked import RankingReader, RawRanking
from opendpr.interop.records import read_records
from opendpr.interop.start import Form, Item, Start, look
from opendpr.types import Document, Question, TrainingExample


def _has(*names: str) -> Callable[[Start], bool]:
    """Recognises a file whose first record has all these fields."""
    return lambda start: set(names) <= set(start.fields)


def _columns(least: int, most: int = 1 << 30) -> Callable[[Start], bool]:
    """Recognises a table by the columns of its first line."""
    return lambda start: not start.is_json and least <= len(start.columns) <= most


def _is_pairs(start: Start) -> bool:
    """Whether a table has two columns, of which the first may be an id."""
    return not start.is_json and len(start.row) == 2 and bool(start.row[0].strip()) and " " not in start.row[0].strip()


PASSAGE_FORMS: Sequence[Form[Placed[Document]]] = (
    Form("JSON with 'wikipedia_id' and 'text' (KILT)", kilt.is_pages, kilt.read_passages),
    Form("JSON with '_id' and 'text' (BEIR)", _has("_id", "text"), beir.read_passages),
    Form("JSON with 'id' and 'text'", _has("id", "text"), own.read_passages),
    Form("JSON with 'docid' and 'text' (Tevatron)", _has("docid", "text"), tevatron.read_passages),
    Form("JSON with 'id' and 'contents' (Pyserini)", _has("id", "contents"), pyserini.read_passages),
    Form("a table with a header of 'id' and 'text' (DPR)", dpr.is_passages, dpr.read_passages),
    Form("id, tab, text (MS MARCO, ColBERT)", _columns(1), msmarco.read_passages),
)
QUESTION_FORMS: Sequence[Form[Question]] = (
    Form("JSON lines with 'context' and 'qas' (MRQA)", mrqa.is_mrqa, mrqa.read_questions),
    Form("SQuAD", squad.is_squad, squad.read_questions),
    Form("JSON with 'id' and 'input' (KILT)", _has("id", "input"), kilt.read_questions),
    Form("JSON with 'question' (ours, DPR)", _has("question"), own.read_questions),
    Form("JSON with '_id' and 'text' (BEIR)", _has("_id", "text"), beir.read_questions),
    Form("JSON with 'query' (Tevatron, FlagEmbedding)", _has("query"), tevatron.read_questions),
    Form("JSON with 'query_id' and 'query_text' (Tevatron)", _has("query_id", "query_text"), tevatron.read_questions),
    Form("JSON with questions under their ids (Pyserini)", lambda start: start.is_keyed, pyserini.read_questions),
    Form("a header with 'question' (a table)", question_tables.is_questions, question_tables.read_questions),
    Form("question, tab, list of answers (DPR)", dpr.is_questions, dpr.read_questions),
    Form("id, tab, question (MS MARCO, ColBERT)", _is_pairs, msmarco.read_questions),
)
EXAMPLE_FORMS: Sequence[Form[TrainingExample]] = (
    Form("JSON with 'positives' (ours)", _has("positives"), own.read_examples),
    Form("JSON with 'positive_ctxs' (DPR)", _has("positive_ctxs"), dpr.read_examples),
    Form("JSON with 'positive_passages' (Tevatron)", _has("query", "positive_passages"), tevatron.read_examples),
    Form("JSON with 'query' and 'pos' (FlagEmbedding)", flag_embedding.is_examples, flag_embedding.read_examples),
    Form(
        "'anchor' and 'positive' (sentence-transformers)",
        sentence_transformers.is_examples,
        sentence_transformers.read_examples,
    ),
    Form("JSON lists of texts", sentence_transformers.is_lists, sentence_transformers.read_lists_of_texts),
    Form("question, positive, negative between tabs (MS MARCO)", _columns(1), msmarco.read_examples),
)
MARKED_FORMS: Sequence[Form[MarkedQuestion]] = (
    Form("JSON lines with 'context' and 'qas' (MRQA)", mrqa.is_mrqa, mrqa.read_marked),
    Form("SQuAD", squad.is_squad, squad.read_marked),
    Form("JSON with 'passage' and 'answer_text' (ours)", _has("passage", "answer_text"), own.read_marked),
)
RUN_FORMS: Sequence[Form[RawRanking]] = (
    Form("JSON with 'hits' (ours)", _has("hits"), own.read_run),
    Form("JSON with 'ctxs' (DPR)", _has("ctxs"), dpr.read_run),
    Form("JSON with 'contexts' under the questions' ids (Pyserini)", pyserini.is_run, pyserini.read_run),
    Form("JSON with 'id' and 'output' (KILT's predictions)", kilt.is_predictions, kilt.read_run),
    Form("question document rank (MS MARCO)", _columns(3, 3), msmarco.read_run),
    Form("question passage rank score between tabs (ColBERT)", lambda start: len(start.row) == 4, colbert.read_run),
    Form(f"{trec.RUN_SHAPE} (TREC)", _columns(1), trec.read_run),
)
QRELS_FORMS: Sequence[Form[Placed[Judgement]]] = (
    Form(f"{' '.join(beir.QRELS_HEADER)} (BEIR)", beir.is_qrels, beir.read_qrels),
    Form(f"{trec.QRELS_SHAPE} (TREC, MS MARCO)", _columns(1), trec.read_qrels),
)
MINE_FIRST = (
    "; questions with answers alone have no passages yet: mining finds them in a collection; train on what it writes"
)
"""What to do with pairs of questions and answers."""


def read_passages(path: Path, *, quoting: Quoting = "csv") -> Iterator[Document]:
    """Yield the records of a file of passages, each a document.

    Args:
        quoting: what a quotation mark at the beginning of a table's field means.

    Raises:
        InputError: the file cannot be read or recognised, or something in it is no passage; the message has the line.
            At the end also where an id is there twice; the message has both lines.
    """
    if ir_datasets.is_id(path):
        yield from ir_datasets.read_passages(path)
        return
    start = look(path, quoting)
    form = _form(start, PASSAGE_FORMS, "passages")
    yield from ids_once(lambda: form.read(start))


def read_questions(path: Path, *, match: Match | None = None, quoting: Quoting = "csv") -> Iterator[Question]:
    """Yield the questions of a file. One without an id is called by its line, or its place in the array.

    Args:
        match: how answers are compared; None is as each record says, or `string`.
        quoting: what a quotation mark at the beginning of a table's field means.

    Raises:
        InputError: as of `read_passages`.
    """
    with _dropped(path, match) as dropped:
        if ir_datasets.is_id(path):
            yield from map(dropped.question, ir_datasets.read_questions(path))
        else:
            start = look(path, quoting)
            yield from map(dropped.question, _form(start, QUESTION_FORMS, "questions").read(start))


def read_examples(
    path: Path, *, questions: Path | None = None, passages: Path | None = None, quoting: Quoting = "csv"
) -> Iterator[TrainingExample]:
    """Yield the training examples of a file.

    An example may have no positives, as some of DPR's have: what trains decides about it.

    Args:
        questions, passages: the texts, where a file has their ids alone, as ColBERT's triples.

    Raises:
        InputError: as of `read_passages`; also where texts are needed and not given.
    """
    start = look(path, quoting)
    with _dropped(path) as dropped:
        if colbert.is_triples(start):
            if questions is None or passages is None:
                raise InputError(
                    f"{path} names questions and passages by id; give the files of their texts: questions and passages"
                )
            triples = colbert.read_triples(start)
            read: Iterator[TrainingExample] = join(triples, read_questions(questions), read_passages(passages))
        elif tevatron.is_id_examples(start):
            if passages is None:
                raise InputError(f"{path} names passages by id; give the file of their texts: passages")
            read = tevatron.read_id_examples(start, read_passages(passages))
        else:
            read = _form(start, EXAMPLE_FORMS, "examples").read(start)
        yield from map(dropped.example, read)


def refuse_pairs(path: Path) -> None:
    """Raises InputError if a file begins with a question that has neither passages nor a passage of its own."""
    start = look(path)
    if set(start.fields) & {"question"} and not set(start.fields) & {
        "positives",
        "positive_ctxs",
        "positive",
        "passage",
    }:
        raise _unknown(start, EXAMPLE_FORMS, "examples")


def read_marked(path: Path) -> Iterator[MarkedQuestion]:
    """Yield the questions of a SQuAD file, or of JSON lines `question, passage, answer_start, answer_text`.

    Raises:
        InputError: as of `read_passages`; also where an answer is not where it says.
    """
    start = look(path)
    with _dropped(path) as dropped:
        yield from map(dropped.marked, _form(start, MARKED_FORMS, "marked answers").read(start))


def read_run(path: Path, *, values: Values | None = None, duplicates: Duplicates = "refuse") -> Iterator[Ranking]:
    """Yield the rankings of a file.

    Args:
        values: what to order by, ranks or scores. None is scores, or ranks where a table has them alone; where it is
            not clear which they are, that is an error. A rank r becomes the score 1/r.
        duplicates: `best` keeps the best hit of a document that is ranked twice.

    Raises:
        InputError: as of `read_passages`.
    """
    start = look(path)
    to_ranking = RankingReader(values, duplicates)
    with _dropped(path) as dropped:
        for raw in _form(start, RUN_FORMS, "runs").read(start):
            yield dropped.ranking(to_ranking(raw))


def read_qrels(path: Path, *, duplicates: Duplicates = "refuse") -> Iterator[Judgement]:
    """Yield the judgements of a file.

    Args:
        duplicates: `best` keeps the highest relevance of a document that is judged twice.

    Raises:
        InputError: as of `read_passages`.
    """
    if ir_datasets.is_id(path):
        placed = ir_datasets.read_qrels(path)
    else:
        start = look(path)
        placed = _form(start, QRELS_FORMS, "judgements").read(start)
    judged: dict[tuple[str, str], Judgement] = {}
    for place, judgement in placed:
        first = judged.setdefault(judgement[:2], judgement)
        if first is not judgement and duplicates == "refuse":
            raise InputError(
                f"{place}: {judgement.document_id!r} is judged twice for question {judgement.question_id!r}; take one "
                "out, or keep the higher one (duplicates: best)"
            )
        if judgement.relevance > first.relevance:
            judged[judgement[:2]] = judgement
    yield from judged.values()


@contextmanager
def _dropped(path: Path, match: Match | None = None) -> Iterator[Dropped]:
    dropped = Dropped(path, match)
    try:
        yield dropped
    finally:
        dropped.report()


def _form(start: Start, forms: Sequence[Form[Item]], noun: str) -> Form[Item]:
    for form in forms:
        if form.recognises(start):
            return form
    raise _unknown(start, forms, noun)


def _unknown(start: Start, forms: Sequence[Form[Item]], noun: str) -> InputError:
    """What is wrong with a file that is of no form."""
    if not start.text.strip():
        return InputError(f"{start.path} holds no {noun}")
    unclear = f"cannot tell what kind of {noun} these are"
    expected = f"expected {'; '.join(form.shape for form in forms)}"
    if not start.is_json and not start.name_says_json:
        return InputError(f"{start.path}:1: {unclear}, from {start.line[:100]!r}; {expected}")
    for place, _, fields in islice(read_records(start.path), 1):
        mine = MINE_FIRST if noun == "examples" and "question" in fields else ""
        return InputError(f"{place}: {unclear}, found only {str(list(fields))[:100]}{mine}; {expected}")
    return InputError(f"{start.path} holds no {noun}")
