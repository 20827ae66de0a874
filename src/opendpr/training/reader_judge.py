"""Judging a reader while it is trained: exact match and F1 on examples kept apart."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from opendpr.answering.decoding import Decoding, outcome
from opendpr.iteration import batched
from opendpr.model.batches import Batch
from opendpr.model.config import ReaderConfig
from opendpr.model.reader import WINDOWS_AT_ONCE, SpanReader
from opendpr.model.tokenizer import Tokenizer
from opendpr.text import exact_match, f1
from opendpr.training.reader_examples import ReaderExample
from opendpr.types import Hit, Passage

JUDGED_QUESTIONS = 64
"""Questions read together in a validation."""


class ReaderJudge:
    """Exact match and F1 of the best answer out of the passages that each example has.

    Args:
        examples: with one passage each, the gold one is given; with negatives it must be chosen too
    """

    def __init__(
        self, examples: Sequence[ReaderExample], config: ReaderConfig, tokenizer: Tokenizer, device: torch.device
    ) -> None:
        self._examples, self._config, self._tokenizer, self._device = examples, config, tokenizer, device

    def judge(self, network: nn.Module) -> dict[str, float]:
        """Figures in per cent; F1 decides. A pattern has no words to share: its F1 is the exact match."""
        running = _Running(network, self._device)
        reader = SpanReader(self._config, self._tokenizer, running, WINDOWS_AT_ONCE[self._device.type])
        exact, shared = 0.0, 0.0
        for examples in batched(self._examples, JUDGED_QUESTIONS):
            spans = reader.read([example.question.text for example in examples], [_hits(e) for e in examples])
            for example, own in zip(examples, spans, strict=True):
                answers = outcome(own, Decoding()).answers
                text = answers[0].text if answers else ""
                question = example.question
                right = exact_match(text, question.answers, question.match)
                exact += right
                shared += f1(text, question.answers) if question.match == "string" else right
        return {"F1": 100 * shared / len(self._examples), "EM": 100 * exact / len(self._examples)}


class _Running:
    """A network in training as a `Network`, without gradients and dropout."""

    parallel = 1

    def __init__(self, network: nn.Module, device: torch.device) -> None:
        self._network, self._device = network, device

    @torch.inference_mode()
    def __call__(self, batches: Sequence[Batch]) -> list[NDArray[np.float32]]:
        logits = []
        for batch in batches:
            ids, types, mask = (torch.from_numpy(array).long().to(self._device) for array in batch)
            with torch.autocast(self._device.type, dtype=torch.bfloat16, enabled=self._device.type == "cuda"):
                logits.append(self._network(ids, types, mask).float().cpu().numpy())
        return logits


def _hits(example: ReaderExample) -> list[Hit]:
    passages = [*example.positives, *example.negatives]
    return [Hit(Passage(n, str(n), passage.title, passage.text, 0), 0.0) for n, passage in enumerate(passages)]
