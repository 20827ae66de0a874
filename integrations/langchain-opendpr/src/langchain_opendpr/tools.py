"""Verbatim answers as a tool for a language model."""

from __future__ import annotations

from typing import Literal

from langchain_core.callbacks import AsyncCallbackManagerForToolRun, CallbackManagerForToolRun
from langchain_core.runnables import run_in_executor
from langchain_core.tools import ArgsSchema, BaseTool
from pydantic import BaseModel, Field

from langchain_opendpr.answering import OpenDPRAnswerer, VerbatimAnswer, verbatim_answer
from opendpr.serving.records import AskRecord


class AnswerInput(BaseModel):
    """What a language model gives the tool."""

    question: str = Field(description="One question in plain words.")


class OpenDPRAnswerTool(BaseTool):
    """Answers a question with verbatim words of the documents, their confidence and place.

    Where the documents do not answer surely enough, the tool says so and gives the closest passage, but no answer that
    a model could quote as a fact. The artifact of its message is a list with the `VerbatimAnswer`, or an empty one.

    Example:
        tool = OpenDPRAnswerTool(answerer=OpenDPRAnswerer(collection="notes"))
        agent = create_agent(model, tools=[tool])
    """

    name: str = "answer_from_documents"
    description: str = (
        "Answers a question with verbatim words of the documents, a confidence and the place where they occur. "
        "Quote the words as they are and name the document. Says so where the documents do not answer the question."
    )
    args_schema: ArgsSchema | None = AnswerInput
    response_format: Literal["content", "content_and_artifact"] = "content_and_artifact"
    answerer: OpenDPRAnswerer

    def _run(
        self, question: str, run_manager: CallbackManagerForToolRun | None = None
    ) -> tuple[str, list[VerbatimAnswer]]:
        return _message(self.answerer.ask(question))

    async def _arun(
        self, question: str, run_manager: AsyncCallbackManagerForToolRun | None = None
    ) -> tuple[str, list[VerbatimAnswer]]:
        return _message(await run_in_executor(None, self.answerer.ask, question))


def _message(record: AskRecord) -> tuple[str, list[VerbatimAnswer]]:
    """What the model reads, and the answer behind it."""
    answer = verbatim_answer(record)
    if answer is not None:
        place = f"{answer.document_id}, characters {answer.start}-{answer.end}"
        return f'"{answer.text}" (confidence {answer.confidence:.2f}; {place})\nPassage: {answer.passage}', [answer]
    none = "No answer: nothing in the passages read answers the question surely."
    if not record.passages:
        return none, []
    closest = record.answers[0].spans[0].passage_id if record.answers else record.passages[0].passage_id
    passage = next(passage for passage in record.passages if passage.passage_id == closest)
    return f"{none}\nClosest passage ({passage.document_id}): {passage.text}", []
