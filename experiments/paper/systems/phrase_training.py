"""Vectors of words and questions, and the small network that makes phrase vectors of them (Seo et al. 2019, section 3).

The towers of opendpr's encoder stay as they are: a passage gives a vector for each of its words, in their context and
without any question, and a question gives its vector. Two layers for each of the four kinds of vectors are trained on
marked answers, with the words of all passages of a batch as negatives. Seo et al. train a whole BERT-large and add
a sparse vector of TF-IDF weights to each phrase.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from opendpr.model.batches import by_length, pad
from opendpr.model.directory import Model
from opendpr.model.encoder import BertEncoder, EncoderInput
from opendpr.model.spans import whole_words
from opendpr.model.tokenizer import Tokenizer
from opendpr.model.torch import EncoderNetwork, load_weights, make_network
from opendpr.types import Passage, Vectors

PHRASE_DIM = 128
"""Size of a start vector and of an end vector."""
HIDDEN_DIM = 384
"""Width between the two layers."""
ENCODED_PASSAGES = 8
"""Passages encoded at once."""
BATCH_QUESTIONS = 64
LEARNING_RATE = 1e-3


class Words(NamedTuple):
    """The words of one passage."""

    first: NDArray[np.float16]
    """(w, d): the vector of each word's first token."""
    last: NDArray[np.float16]
    """(w, d): that of its last token."""
    offsets: NDArray[np.int32]
    """(w, 2): where each word is in the passage's text."""


class WordEncoder:
    """Vectors of words and questions by the towers of a model."""

    def __init__(self, model: Model) -> None:
        self.config, self._tokenizer = model.require_encoder(), Tokenizer(model.tokenizer_path)
        network = make_network(self.config)
        assert isinstance(network, EncoderNetwork)
        load_weights(network, model.load_weights("passage"))
        self._network, self._questions = network.eval(), BertEncoder(model)
        self._input = EncoderInput(self.config, self._tokenizer)

    def questions(self, questions: Sequence[str]) -> Vectors:
        """-> (Q, d)"""
        return self._questions.encode_questions(questions)

    @torch.inference_mode()
    def words(self, passages: Sequence[Passage]) -> list[Words]:
        """The words of each passage; none of one that is longer than the encoder takes."""
        sequences = self._input.passages(passages)
        words: list[Words] = [self._empty()] * len(passages)
        for batch in by_length([len(sequence.ids) for sequence in sequences], ENCODED_PASSAGES):
            rows = pad([sequences[place] for place in batch], self._tokenizer.pad)
            ids, types, mask = (torch.from_numpy(array).long() for array in rows)
            vectors = self._network.bert(ids, types, mask).numpy()
            for place, own in zip(batch.tolist(), vectors, strict=True):
                if not sequences[place].truncated:
                    words[place] = self._words(passages[place].text, own[: len(sequences[place].ids)])
        return words

    def _words(self, text: str, vectors: Vectors) -> Words:
        """The words of a text whose tokens stand right before the sequence's end."""
        (tokens,) = self._tokenizer([text])
        if not len(tokens.ids):
            return self._empty()
        end = len(vectors) - self.config.input_form.closing
        own = vectors[end - len(tokens.ids) : end].astype(np.float16)
        numbers = whole_words(text, tokens)
        first = np.flatnonzero(np.diff(numbers, prepend=numbers[0] - 1))
        last = np.append(first[1:] - 1, len(numbers) - 1)
        offsets = np.stack([tokens.offsets[first, 0], tokens.offsets[last, 1]], axis=1)
        return Words(own[first], own[last], offsets)

    def _empty(self) -> Words:
        vectors = np.empty((0, self.config.architecture.hidden_size), np.float16)
        return Words(vectors, vectors, np.empty((0, 2), np.int32))


class PhraseHead(nn.Module):
    """From the vectors of the towers to start and end vectors."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.start, self.end, self.question_start, self.question_end = (
            nn.Sequential(nn.Linear(dim, HIDDEN_DIM), nn.GELU(), nn.Linear(HIDDEN_DIM, PHRASE_DIM)) for _ in range(4)
        )

    @torch.inference_mode()
    def of_words(self, words: Words) -> tuple[Vectors, Vectors]:
        """Start and end vectors of words, (w, d) each."""
        first, last = (torch.from_numpy(array.astype(np.float32)) for array in words[:2])
        return self.start(first).numpy(), self.end(last).numpy()

    @torch.inference_mode()
    def of_questions(self, vectors: Vectors) -> tuple[Vectors, Vectors]:
        """Start and end vectors of questions, (Q, d) each."""
        questions = torch.from_numpy(vectors)
        return self.question_start(questions).numpy(), self.question_end(questions).numpy()


class MarkedPhrase(NamedTuple):
    """A question, and the words that answer it in one of some passages."""

    question: str
    passage: int
    first: int
    last: int


def mark(question: str, passage: int, offsets: NDArray[np.int32], place: tuple[int, int]) -> MarkedPhrase | None:
    """The words that an answer overlaps, None if it overlaps none.

    Args:
        offsets: (w, 2) of the passage's words
        place: of the answer in the passage's text
    """
    inside = np.flatnonzero((offsets[:, 1] > place[0]) & (offsets[:, 0] < place[1]))
    return MarkedPhrase(question, passage, int(inside[0]), int(inside[-1])) if len(inside) else None


def batch_loss(head: PhraseHead, words: Sequence[Words], asked: Vectors, phrases: Sequence[MarkedPhrase]) -> Tensor:
    """The negative log-likelihood of the first and the last words among those of all passages of the batch.

    Args:
        words: of all passages; those that the phrases are in are the batch's
        asked: (Q, d) vectors of the questions
    """
    places = sorted({phrase.passage for phrase in phrases})
    begins = dict(zip(places, np.cumsum([0, *(len(words[place].first) for place in places)]).tolist(), strict=False))
    first, last = (
        torch.from_numpy(np.concatenate([words[place][side] for place in places]).astype(np.float32)) for side in (0, 1)
    )
    questions = torch.from_numpy(asked)
    wanted = torch.tensor([(begins[p.passage] + p.first, begins[p.passage] + p.last) for p in phrases])
    starting = head.question_start(questions) @ head.start(first).T
    ending = head.question_end(questions) @ head.end(last).T
    return F.cross_entropy(starting, wanted[:, 0]) + F.cross_entropy(ending, wanted[:, 1])


def train_head(
    words: Sequence[Words], asked: Vectors, phrases: Sequence[MarkedPhrase], *, steps: int, seed: int = 0
) -> tuple[PhraseHead, list[float]]:
    """A head trained on marked phrases, and the loss of each step.

    A batch is a run of phrases in their order, so that passages of one article compete.

    Args:
        asked: (Q, d) vectors of the questions, one for each phrase
    """
    torch.manual_seed(seed)
    head = PhraseHead(asked.shape[1])
    optimizer = torch.optim.AdamW(head.parameters(), lr=LEARNING_RATE)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, LEARNING_RATE, total_steps=steps + 1)
    losses = []
    for rows in _batches(len(phrases), steps, seed):
        optimizer.zero_grad()
        loss = batch_loss(head, words, asked[rows], [phrases[row] for row in rows])
        loss.backward()  # type: ignore[no-untyped-call]  # torch's own
        optimizer.step()
        schedule.step()
        losses.append(loss.item())
    return head.eval(), losses


def _batches(count: int, steps: int, seed: int) -> Iterable[list[int]]:
    generator = np.random.default_rng(seed)
    size = min(BATCH_QUESTIONS, count)
    for _ in range(steps):
        begin = int(generator.integers(0, count - size + 1))
        yield list(range(begin, begin + size))
