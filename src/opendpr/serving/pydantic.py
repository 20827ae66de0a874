"""The bodies that requests may have, by pydantic: of a form that a schema can tell."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from opendpr.corpus.corpus import objection
from opendpr.errors import UsageError
from opendpr.serving.records import LIMITS, Problem
from opendpr.serving.service import Wanted
from opendpr.types import Document

ID_CHARACTERS = 1_024
TITLE_CHARACTERS = 10_000


class SearchBody(BaseModel):
    """What to search for."""

    model_config = ConfigDict(extra="forbid")

    question: str = Field(
        min_length=1, max_length=LIMITS["question_characters"], pattern=r"\S", examples=["Who built the pier?"]
    )
    k: int = Field(20, ge=1, le=LIMITS["k"], description="Passages to find.")
    retriever: Literal["hybrid", "dense", "bm25"] = Field("hybrid", description="How passages are found.")
    where: str | None = Field(
        None,
        max_length=LIMITS["where_characters"],
        description="Only documents whose metadata meet this, as: year >= 2019 and source = 'manual'",
    )

    def wanted(self) -> Wanted:
        return Wanted(self.question, self.retriever, self.k, self.where)


class AskBody(SearchBody):
    """What to answer."""

    answers: int = Field(5, ge=1, le=100, description="Different answers to give.")


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

    documents: list[Numbered] = Field(min_length=1, max_length=LIMITS["documents_in_one_request"])


def problem_schema() -> dict[str, Any]:
    """The schema of what tells an error."""
    return TypeAdapter(Problem).json_schema()
