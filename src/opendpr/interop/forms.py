"""The forms of files that are known: which system a file is of shows in its content and its name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import islice

from opendpr.errors import InputError
from opendpr.interop import (
    beir,
    colbert,
    dpr,
    flag_embedding,
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
    trivia_qa,
    web_questions,
)
from opendpr.interop.nouns import Judgement, MarkedQuestion, Placed
from opendpr.interop.ranked import RawRanking
from opendpr.interop.records import read_records
from opendpr.interop.start import FileForm, Item, Start
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


def _is_text_table(start: Start) -> bool:
    """Whether a file is a table that is not of questions, which have words where ids are, with their answers."""
    return bool(start.columns) and not (" " in start.row[0].strip() and dpr.is_questions(start))


PASSAGE_FORMS: Sequence[FileForm[Placed[Document]]] = (
    FileForm("JSON with 'wikipedia_id' and 'text' (KILT)", kilt.is_pages, kilt.read_passages),
    FileForm("JSON with '_id' and 'text' (BEIR)", _has("_id", "text"), beir.read_passages),
    FileForm("JSON with 'id' and 'text'", _has("id", "text"), own.read_passages),
    FileForm("JSON with 'docid' and 'text' (Tevatron)", _has("docid", "text"), tevatron.read_passages),
    FileForm("JSON with 'id' and 'contents' (Pyserini)", _has("id", "contents"), pyserini.read_passages),
    FileForm("a table with a header of 'id' and 'text' (DPR)", dpr.is_passages, dpr.read_passages),
    FileForm("id, tab, text (MS MARCO, ColBERT)", _is_text_table, msmarco.read_passages),
)
QUESTION_FORMS: Sequence[FileForm[Question]] = (
    FileForm("JSON lines with 'context' and 'qas' (MRQA)", mrqa.is_mrqa, mrqa.read_questions),
    FileForm("SQuAD", squad.is_squad, squad.read_questions),
    FileForm("JSON with 'id' and 'input' (KILT)", _has("id", "input"), kilt.read_questions),
    FileForm("JSON with 'Data' (TriviaQA)", trivia_qa.is_questions, trivia_qa.read_questions),
    FileForm(
        "JSON with 'utterance' or 'qText' (WebQuestions)", web_questions.is_questions, web_questions.read_questions
    ),
    FileForm("JSON with 'question' (ours, DPR)", _has("question"), own.read_questions),
    FileForm("JSON with '_id' and 'text' (BEIR)", _has("_id", "text"), beir.read_questions),
    FileForm("JSON with 'query' (Tevatron, FlagEmbedding)", _has("query"), tevatron.read_questions),
    FileForm(
        "JSON with 'query_id' and 'query_text' (Tevatron)", _has("query_id", "query_text"), tevatron.read_questions
    ),
    FileForm("JSON with questions under their ids (Pyserini)", lambda start: start.is_keyed, pyserini.read_questions),
    FileForm("a header with 'question' (a table)", question_tables.is_questions, question_tables.read_questions),
    FileForm("question, tab, list of answers (DPR)", dpr.is_questions, dpr.read_questions),
    FileForm("id, tab, question (MS MARCO, ColBERT)", _is_pairs, msmarco.read_questions),
)
EXAMPLE_FORMS: Sequence[FileForm[TrainingExample]] = (
    FileForm("JSON with 'positives' (ours)", _has("positives"), own.read_examples),
    FileForm("JSON with 'positive_ctxs' (DPR)", _has("positive_ctxs"), dpr.read_examples),
    FileForm("JSON with 'ctxs' (DPR's results)", _has("question", "ctxs"), dpr.read_results),
    FileForm("JSON with 'positive_passages' (Tevatron)", _has("query", "positive_passages"), tevatron.read_examples),
    FileForm("JSON with 'query' and 'pos' (FlagEmbedding)", flag_embedding.is_examples, flag_embedding.read_examples),
    FileForm(
        "'anchor' and 'positive' (sentence-transformers)",
        sentence_transformers.is_examples,
        sentence_transformers.read_examples,
    ),
    FileForm("JSON lists of texts", sentence_transformers.is_lists, sentence_transformers.read_lists_of_texts),
    FileForm("question, positive, negative between tabs (MS MARCO)", _columns(1), msmarco.read_examples),
)
MARKED_FORMS: Sequence[FileForm[MarkedQuestion]] = (
    FileForm("JSON lines with 'context' and 'qas' (MRQA)", mrqa.is_mrqa, mrqa.read_marked),
    FileForm("SQuAD", squad.is_squad, squad.read_marked),
    FileForm("JSON with 'passage' and 'answer_text' (ours)", _has("passage", "answer_text"), own.read_marked),
)
RUN_FORMS: Sequence[FileForm[RawRanking]] = (
    FileForm("JSON with 'hits' (ours)", _has("hits"), own.read_run),
    FileForm("JSON with 'ctxs' (DPR)", _has("ctxs"), dpr.read_run),
    FileForm("JSON with 'contexts' under the questions' ids (Pyserini)", pyserini.is_run, pyserini.read_run),
    FileForm("JSON with 'id' and 'output' (KILT's predictions)", kilt.is_predictions, kilt.read_run),
    FileForm("question document rank (MS MARCO)", _columns(3, 3), msmarco.read_run),
    FileForm("question passage rank score between tabs (ColBERT)", lambda start: len(start.row) == 4, colbert.read_run),
    FileForm(f"{trec.RUN_SHAPE} (TREC)", _columns(1), trec.read_run),
)
QRELS_FORMS: Sequence[FileForm[Placed[Judgement]]] = (
    FileForm(f"{' '.join(beir.QRELS_HEADER)} (BEIR)", beir.is_qrels, beir.read_qrels),
    FileForm(f"{trec.QRELS_SHAPE} (TREC, MS MARCO)", _columns(1), trec.read_qrels),
)
MINE_FIRST = (
    "; questions with answers alone have no passages yet: 'opendpr mine COLLECTION FILE -o examples.jsonl' finds them, "
    "train on what it writes"
)
"""What to do with pairs of questions and answers."""
PLAIN_LINES = (
    '; give questions with their answers, one a line as {{"question": "...", "answers": ["..."]}}; plain lines have no '
    "answers to be compared with, and 'opendpr ask COLLECTION - < {path}' answers them"
)
"""What to do with questions that are lines of text."""


def form_of(start: Start, forms: Sequence[FileForm[Item]], noun: str) -> FileForm[Item]:
    """The form that a file has.

    Args:
        noun: what the forms hold, for messages

    Raises:
        InputError: it has none of them.
    """
    for form in forms:
        if form.recognises(start):
            return form
    raise unknown(start, forms, noun)


def unknown(start: Start, forms: Sequence[FileForm[Item]], noun: str) -> InputError:
    """The error for a file that is of no form."""
    if not start.text.strip():
        return InputError(f"{start.path} holds no {noun}")
    unclear = f"cannot tell what kind of {noun} these are"
    expected = f"expected {'; '.join(form.shape for form in forms)}"
    if not start.is_json and not start.name_says_json:
        advice = PLAIN_LINES.format(path=start.path) if noun == "questions" else ""
        return InputError(f"{start.path}:1: {unclear}, from {repr(start.line[:100])[:100]}{advice}; {expected}")
    for place, _, fields in islice(read_records(start.path), 1):
        mine = MINE_FIRST if noun == "examples" and "question" in fields else ""
        return InputError(f"{place}: {unclear}, found only {str(list(fields))[:100]}{mine}; {expected}")
    return InputError(f"{start.path} holds no {noun}")
