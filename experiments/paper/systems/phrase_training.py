"""Vectors of words and questions, and what trains them (Seo et al. 2019, section 3).

One network reads passages without any question and questions without any passage. Of a passage each word has a start
vector, made of its first token, and an end vector, made of its last; a question has one of each, made of the mean of
its tokens. The network starts as opendpr's encoder and is trained on marked answers. Seo et al. train BERT-large, with
four GPUs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from opendpr.iteration import batched
from opendpr.model.batches import TokenSequence, pad
from opendpr.model.directory import Model
from opendpr.model.encoder import EncoderInput
from opendpr.model.spans import whole_words
from opendpr.model.tokenizer import Tokenizer
from opendpr.model.torch import EncoderNetwork, load_weights, make_network
from opendpr.training.chunks import CHUNK_TOKENS, by_tokens
from opendpr.training.objective import Step
from opendpr.training.optimization import faster_precision
from opendpr.types import Passage, Vectors

PHRASE_DIM = 128
"""Size of a start vector and of an end vector."""
RUN_QUESTIONS = 32
"""Questions of a batch that follow each other, so that passages of one article compete."""


class Words(NamedTuple):
    """One passage as the network reads it, and its words."""

    sequence: TokenSequence
    first: NDArray[np.int64]
    """(w,): the place of each word's first token in the sequence."""
    last: NDArray[np.int64]
    """(w,): that of its last."""
    offsets: NDArray[np.int32]
    """(w, 2): where each word is in the passage's text."""


class PhraseInput:
    """Turns questions and passages into what the network reads, as the encoder of a model does."""

    def __init__(self, model: Model) -> None:
        self._tokenizer = Tokenizer(model.tokenizer_path)
        self._input = EncoderInput(model.require_encoder(), self._tokenizer)
        self._closing = model.require_encoder().input_form.closing
        self.pad_id, self.max_tokens = self._tokenizer.pad, model.require_encoder().architecture.max_tokens

    def questions(self, questions: Sequence[str]) -> list[TokenSequence]:
        """A sequence for each question."""
        return self._input.questions(questions)

    def passages(self, passages: Sequence[Passage]) -> list[Words]:
        """The words of each passage; none of one that is longer than the encoder takes."""
        return [
            self._words(p.text, sequence) for p, sequence in zip(passages, self._input.passages(passages), strict=True)
        ]

    def _words(self, text: str, sequence: TokenSequence) -> Words:
        """The words of a text whose tokens stand right before the sequence's end."""
        (tokens,) = self._tokenizer([text])
        if sequence.truncated or not len(tokens.ids):
            none = np.empty(0, np.int64)
            return Words(sequence, none, none, np.empty((0, 2), np.int32))
        numbers = whole_words(text, tokens)
        first = np.flatnonzero(np.diff(numbers, prepend=numbers[0] - 1))
        last = np.append(first[1:] - 1, len(numbers) - 1)
        offsets = np.stack([tokens.offsets[first, 0], tokens.offsets[last, 1]], axis=1)
        before = len(sequence.ids) - self._closing - len(tokens.ids)
        return Words(sequence, first + before, last + before, offsets)


class Batching(NamedTuple):
    """How sequences are computed together."""

    pad_id: int
    """Token that fills rows."""
    max_tokens: int
    """Longest row."""
    chunk_tokens: int
    """Computed at once."""
    dropout: float = 0.0


class PhraseNetwork(nn.Module):
    """A network of the encoder's kind, and a layer for each of the four kinds of vectors."""

    def __init__(self, model: Model) -> None:
        super().__init__()
        config = model.require_encoder()
        tower = make_network(config)
        assert isinstance(tower, EncoderNetwork)
        load_weights(tower, model.load_weights("passage"))
        self.bert, size = tower.bert, config.architecture.hidden_size
        self.start, self.end, self.question_start, self.question_end = (nn.Linear(size, PHRASE_DIM) for _ in range(4))

    def of_words(self, words: Sequence[Words], batching: Batching) -> list[tuple[Tensor, Tensor]]:
        """Start and end vectors of the words of each passage, (w, d) each."""
        vectors: dict[int, tuple[Tensor, Tensor]] = {}
        for place, tokens in self._tokens([own.sequence for own in words], batching):
            first, last = (torch.from_numpy(own).to(tokens.device) for own in (words[place].first, words[place].last))
            vectors[place] = self.start(tokens[first]).float(), self.end(tokens[last]).float()
        return [vectors[place] for place in range(len(words))]

    def of_questions(self, questions: Sequence[TokenSequence], batching: Batching) -> tuple[Tensor, Tensor]:
        """Start and end vectors of questions, (Q, d) each."""
        vectors = {place: tokens.mean(0) for place, tokens in self._tokens(questions, batching)}
        means = torch.stack([vectors[place] for place in range(len(questions))])
        return self.question_start(means).float(), self.question_end(means).float()

    def _tokens(self, sequences: Sequence[TokenSequence], batching: Batching) -> Iterator[tuple[int, Tensor]]:
        """The place of each sequence, longest first, and the vectors of its tokens, (L, d)."""
        device, lengths = self.start.weight.device, [len(sequence.ids) for sequence in sequences]
        for places in by_tokens(lengths, batching.chunk_tokens):
            batch = pad([sequences[place] for place in places], batching.pad_id, most=batching.max_tokens)
            rows = self.bert(*(torch.from_numpy(array).long().to(device) for array in batch), batching.dropout)
            yield from ((place, row[: lengths[place]]) for place, row in zip(places, rows, strict=True))


class MarkedPhrase(NamedTuple):
    """A question, and the words that answer it in one of some passages."""

    question: str
    passage: int
    first: int
    last: int


def phrase_loss(questions: Tensor, words: Tensor, owners: Tensor, wanted: Tensor) -> Tensor:
    """The negative log-likelihood of a word among those of its passage, and among those of all passages.

    Args:
        questions: (Q, d) start vectors, or end vectors
        words: (n, d) vectors of the same kind
        owners: (n,) passage of each word
        wanted: (Q,) places of the words that answers begin with, or end with
    """
    scores = questions @ words.T
    others = owners[None] != owners[wanted][:, None]
    return F.cross_entropy(scores, wanted) + F.cross_entropy(scores.masked_fill(others, -torch.inf), wanted)


class PhraseObjective:
    """The loss of first and last words over batches of marked answers.

    Args:
        words: of all passages
        phrases: in the order of their passages
        batch_size: questions of a batch: some runs of `RUN_QUESTIONS`
    """

    def __init__(
        self,
        network: PhraseNetwork,
        inputs: PhraseInput,
        *,
        words: Sequence[Words],
        phrases: Sequence[MarkedPhrase],
        batch_size: int,
    ) -> None:
        self.network, self._inputs, self._words, self._phrases = network, inputs, words, phrases
        self._runs = max(1, batch_size // RUN_QUESTIONS)
        self._device = next(network.parameters()).device

    def batches(self, epoch: int) -> Sequence[list[int]]:
        """The phrases of each batch; where runs begin changes from pass to pass."""
        generator = np.random.default_rng(epoch)
        places = np.roll(np.arange(len(self._phrases)), -int(generator.integers(RUN_QUESTIONS))).tolist()
        runs = list(batched(places, RUN_QUESTIONS))
        order = generator.permutation(len(runs)).tolist()
        return [[place for run in group for place in runs[run]] for group in batched(order, self._runs)]

    def backward(self, batch: list[int], step: Step) -> float:
        """Add the gradient of the mean loss of a batch; returns the loss."""
        phrases = [self._phrases[number] for number in batch]
        passages = sorted({phrase.passage for phrase in phrases})
        tokens = step.chunk_tokens or CHUNK_TOKENS[self._device.type]
        batching = Batching(self._inputs.pad_id, self._inputs.max_tokens, tokens, step.dropout)
        questions = self._inputs.questions([phrase.question for phrase in phrases])
        with step.autocast(self._device):
            vectors = self.network.of_questions(questions, batching)
            words = self.network.of_words([self._words[place] for place in passages], batching)
        counts = torch.tensor([len(starts) for starts, _ in words], device=self._device)
        owners = torch.arange(len(words), device=self._device).repeat_interleave(counts)
        before = dict(zip(passages, (counts.cumsum(0) - counts).tolist(), strict=True))
        wanted = torch.tensor([(before[p.passage] + p.first, before[p.passage] + p.last) for p in phrases])
        sides = zip(vectors, zip(*words, strict=True), wanted.T.to(self._device), strict=True)
        loss = torch.stack([phrase_loss(side, torch.cat(own), owners, place) for side, own, place in sides]).sum()
        loss.backward()  # type: ignore[no-untyped-call]  # torch's own
        return loss.item()

    def record(self) -> Mapping[str, object]:
        """How many questions there are, and over how many passages."""
        return {"questions": len(self._phrases), "passages": len(self._words)}

    def validate(self) -> Mapping[str, float] | None:
        """Nothing is validated."""
        return None


class PhraseEncoder:
    """Vectors of words and questions by a trained network."""

    def __init__(self, network: PhraseNetwork, inputs: PhraseInput) -> None:
        self._network, self._inputs = network.eval(), inputs
        device = next(network.parameters()).device
        self._step = Step(0, 0.0, faster_precision(device) == "bf16")
        self._device, self._batching = device, Batching(inputs.pad_id, inputs.max_tokens, CHUNK_TOKENS[device.type])

    @torch.inference_mode()
    def words(self, words: Sequence[Words]) -> tuple[Vectors, Vectors]:
        """Start and end vectors of the words of all passages, one after the other, (n, d) each."""
        with self._step.autocast(self._device):
            parts = self._network.of_words(words, self._batching)
        starts, ends = (torch.cat(side).cpu().numpy() for side in zip(*parts, strict=True))
        return starts, ends

    @torch.inference_mode()
    def questions(self, questions: Sequence[str]) -> tuple[Vectors, Vectors]:
        """Start and end vectors of questions, (Q, d) each."""
        with self._step.autocast(self._device):
            start, end = self._network.of_questions(self._inputs.questions(questions), self._batching)
        return start.cpu().numpy(), end.cpu().numpy()
