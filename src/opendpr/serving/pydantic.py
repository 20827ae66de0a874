"""The bodies of requests, checked by pydantic and described in the API's schema."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from opendpr.choices import DEFAULT_RETRIEVER, ID_CHARACTERS, READ_PASSAGES, RetrieverName
from opendpr.collection.judgements import ShownAnswer, VerdictName
from opendpr.corpus.objections import objection
from opendpr.errors import UsageError
from opendpr.improving.judging import ANSWER_CHARACTERS, AnswerPlace
from opendpr.serving.records import REQUEST_LIMITS, Problem
from opendpr.serving.service import Wanted
from opendpr.types import Document

TITLE_CHARACTERS = 10_000
ERROR_MESSAGES: Mapping[str, str] = {
    "json_invalid": "is not valid JSON: {error}, at character {at}",
    "model_attributes_type": "must be a JSON object, sent with the header Content-Type: application/json",
    "missing": "is missing",
    "extra_forbidden": "is not known here; leave it out, or check its spelling",
    "string_type": "must be a string",
    "string_unicode": "is not valid Unicode: it has half a surrogate pair",
    "string_pattern_mismatch": "must have at least one word",
    "string_too_short": "must not be empty",
    "string_too_long": "must have at most {max_length:,} characters",
    "bool_type": "must be true or false",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "greater_than_equal": "must be at least {ge:,}",
    "less_than_equal": "must be at most {le:,}",
    "literal_error": "must be {expected}",
    "list_type": "must be a list",
    "dict_type": "must be an object",
    "too_short": "must not be empty",
    "too_long": "must have at most {max_length:,} entries",
}
"""Pydantic's kinds of error in our words; kinds not listed keep pydantic's."""


class SearchBody(BaseModel):
    """A search."""

    model_config = ConfigDict(extra="forbid")

    question: str = Field(
        min_length=1, max_length=REQUEST_LIMITS["question_characters"], pattern=r"\S", examples=["Who built the pier?"]
    )
    k: int = Field(READ_PASSAGES, ge=1, le=REQUEST_LIMITS["k"], description="Passages to find.")
    retriever: RetrieverName = Field(DEFAULT_RETRIEVER, description="How passages are found.")
    where: str | None = Field(
        None,
        max_length=REQUEST_LIMITS["where_characters"],
        description="Only documents whose metadata meet this, as: year >= 2019 and source = 'manual'",
    )

    def wanted(self) -> Wanted:
        return Wanted(self.question, self.retriever, self.k, self.where)


class AskBody(SearchBody):
    """A question."""

    answers: int = Field(5, ge=1, le=100, description="Different answers to give.")
    thorough: bool = Field(
        False,
        strict=True,
        description="Read all k passages, also where the first leave no doubt: for what else might answer.",
    )

    def wanted(self) -> Wanted:
        return super().wanted()._replace(thorough=self.thorough)


class JudgedWords(BaseModel):
    """Where the words are that are judged: characters `start` to `end` of a document's text."""

    model_config = ConfigDict(extra="forbid")

    document_id: str = Field(min_length=1, max_length=ID_CHARACTERS, examples=["harbour.md"])
    start: int = Field(ge=0, examples=[49])
    end: int = Field(ge=1, examples=[64])
    text: str = Field(
        min_length=1,
        max_length=ANSWER_CHARACTERS,
        description="The words; if the document has others there now, nothing is stored.",
        examples=["Marta Lindqvist"],
    )


class ShownWords(BaseModel):
    """The answer that was shown."""

    model_config = ConfigDict(extra="forbid")

    text: str = Field("", max_length=ANSWER_CHARACTERS)
    confidence: float = Field(0.0, ge=0, le=1, strict=True)


class JudgementBody(BaseModel):
    """What is said of the answer to a question."""

    model_config = ConfigDict(extra="forbid")

    question: str = Field(min_length=1, max_length=REQUEST_LIMITS["question_characters"], pattern=r"\S")
    verdict: VerdictName = Field(description="`better`: these words instead of those that were shown.")
    answer: JudgedWords | None = Field(None, description="The words; null judges that no answer was found.")
    shown: ShownWords | None = Field(None, description="The answer that was shown; null where none was found.")

    def place(self) -> AnswerPlace | None:
        return AnswerPlace(**self.answer.model_dump()) if self.answer else None

    def shown_answer(self) -> ShownAnswer:
        return ShownAnswer(**self.shown.model_dump()) if self.shown else ShownAnswer()


class Content(BaseModel):
    """A document without its id."""

    model_config = ConfigDict(extra="forbid")

    text: str = Field(min_length=1, pattern=r"\S")
    title: str = Field("", max_length=TITLE_CHARACTERS)
    metadata: dict[str, Any] = Field(default_factory=dict)

    def document(self, id: str) -> Document:
        document = Document(id, self.title, self.text, self.metadata)
        if problem := objection(document):
            raise UsageError(f"document {id!r}: {problem}")
        return document


class Numbered(Content):
    """A document."""

    id: str = Field(min_length=1, max_length=ID_CHARACTERS)


class DocumentsBody(BaseModel):
    """Documents to add or replace."""

    model_config = ConfigDict(extra="forbid")

    documents: list[Numbered] = Field(min_length=1, max_length=REQUEST_LIMITS["documents_in_one_request"])


def described(error: Mapping[str, Any]) -> dict[str, str]:
    """Where a request is wrong, and what is wrong there: an error of pydantic in our words."""
    place = [str(part) for part in error["loc"]]
    values = {**error.get("ctx", {}), "at": place[-1]}
    if error["type"] == "json_invalid":
        place = place[:-1]
    message = ERROR_MESSAGES.get(error["type"])
    return {"where": ".".join(place), "message": message.format(**values) if message else str(error["msg"])}


def problem_schema() -> dict[str, Any]:
    """The JSON schema of a problem."""
    return TypeAdapter(Problem).json_schema()
