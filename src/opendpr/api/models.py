"""Encoders and readers on their own: texts to vectors, passages to answers, without a collection."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeAlias, TypeVar

from opendpr.answering.asked_question import AskedQuestion
from opendpr.answering.decoding import Decoding, outcome
from opendpr.api.arguments import check_runtime, model_name
from opendpr.corpus.names import usual_keys
from opendpr.errors import UsageError
from opendpr.model.directory import DEFAULT_MODEL, Model, find_model
from opendpr.model.encoder import BertEncoder
from opendpr.model.reader import BertReader
from opendpr.model.runtime import RuntimeSettings
from opendpr.types import Document, ExamplePassage, Hit, Outcome, Passage, Vectors

Part = TypeVar("Part", BertEncoder, BertReader)
Text: TypeAlias = str | tuple[str, str] | Mapping[str, Any] | Passage | ExamplePassage | Document | Hit
"""A passage: its text, or (title, text), or a dict with `text` and perhaps `title`, or what holds one."""


def load_encoder(
    model: str | os.PathLike[str] = DEFAULT_MODEL, *, runtime: RuntimeSettings = RuntimeSettings()
) -> LoadedEncoder:
    """The encoders of a model, by name or directory.

    Raises:
        StateError: there is no such model, or it has no encoder.
    """
    return LoadedEncoder(_load(BertEncoder, model_name(model), runtime))


def load_reader(
    model: str | os.PathLike[str] = DEFAULT_MODEL, *, runtime: RuntimeSettings = RuntimeSettings()
) -> LoadedReader:
    """The reader of a model, by name or directory.

    Raises:
        StateError: there is no such model, or it has no reader.
    """
    return LoadedReader(_load(BertReader, model_name(model), runtime))


class LoadedEncoder:
    """Maps questions and passages to vectors; the similarity of two is their inner product (paper section 3.1)."""

    def __init__(self, encoder: BertEncoder) -> None:
        self._encoder = encoder

    @property
    def dim(self) -> int:
        """Size d of a vector."""
        return self._encoder.dim

    def encode_questions(self, questions: str | Sequence[str]) -> Vectors:
        """-> (Q, d), or (d,) for one question that is given alone."""
        if isinstance(questions, str):
            return self.encode_questions([questions]).reshape(-1)
        if wrong := [question for question in questions if not isinstance(question, str)]:
            raise TypeError(f"expected questions as strings, got {type(wrong[0]).__name__}: {wrong[0]!r}")
        return self._encoder.encode_questions(list(questions))

    def encode_passages(self, passages: str | Sequence[Text]) -> Vectors:
        """-> (n, d) in the order given, or (d,) for one text that is given alone.

        Args:
            passages: texts, pairs (title, text), dicts with `text`, passages of a collection or of examples
        """
        if isinstance(passages, str):
            return self.encode_passages([passages]).reshape(-1)
        _refuse_one_passage(passages)
        return self._encoder.encode_passages([_passage(text, number) for number, text in enumerate(passages)])

    def __repr__(self) -> str:
        return f"<opendpr encoder {self._encoder.model.name!r}, {self.dim} wide>"


class LoadedReader:
    """Marks the words of passages that answer a question (paper section 6.1)."""

    def __init__(self, reader: BertReader) -> None:
        self._reader = reader
        self._decoding = Decoding.from_weights(reader.model.retrieval)

    def read(self, question: str, passages: Sequence[Text]) -> Outcome:
        """The answers that passages hold, best first.

        Offsets are those of a passage's text, and its `document_id` is the place in the list; a `Hit` or `Passage`
        of a collection keeps its own. Nothing is retrieved, so `answerable` and the confidence rest on the passages
        alone.

        Args:
            passages: texts, pairs (title, text), dicts with `text`, hits of a search
        """
        if not isinstance(question, str):
            raise TypeError(f"expected one question as a string, got {type(question).__name__}")
        _refuse_one_passage(passages)
        hits = [_hit(passage, number) for number, passage in enumerate(passages)]
        return outcome(self._reader.read([question], [hits])[0], self._decoding, AskedQuestion(question))

    def __repr__(self) -> str:
        return f"<opendpr reader {self._reader.model.name!r}>"


def _load(
    part: Callable[[Model, RuntimeSettings], Part], model: str | os.PathLike[str], runtime: RuntimeSettings
) -> Part:
    check_runtime(runtime)
    return part(find_model(os.fspath(model)), runtime)


def _refuse_one_passage(passages: object) -> None:
    """Raises TypeError for one passage in place of several; the keys of a dict would count as texts."""
    if isinstance(passages, str | Mapping) or not isinstance(passages, Iterable):
        given = "one string" if isinstance(passages, str) else f"one {type(passages).__name__}"
        raise TypeError(f"expected several passages, got {given}; give a list with it")


def _hit(text: Text, number: int) -> Hit:
    return text if isinstance(text, Hit) else Hit(_passage(text, number), 0.0)


def _passage(text: Text, number: int) -> Passage:
    """A passage of what was given; `number` is its place there."""
    match text:
        case Passage():
            return text
        case Hit():
            return text.passage
        case str():
            return Passage(number, str(number), "", text, 0)
        case ExamplePassage() | Document():
            return Passage(number, text.id or str(number), text.title, text.text, 0)
        case (str() as title, str() as words):
            return Passage(number, str(number), title, words, 0)
        case Mapping():
            return _passage_of_dict(text, number)
    raise TypeError(f"passage {number}: expected a text, (title, text) or a dict, got {type(text).__name__}: {text!r}")


def _passage_of_dict(record: Mapping[str, Any], number: int) -> Passage:
    names = usual_keys(record)
    if "text" not in names:
        raise UsageError(f"passage {number}: expected a dict with 'text', found the keys {list(record)}")
    title = record[names["title"]] if "title" in names else ""
    id = record[names["id"]] if "id" in names else number
    return Passage(number, str(id), title or "", record[names["text"]], 0)
