"""A plain transformers reader: BertForQuestionAnswering in PyTorch fp32 with a model's own weights."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import BertConfig, BertForQuestionAnswering, BertTokenizerFast

from opendpr.model.directory import Model
from opendpr.types import Hit


class TransformersReader:
    """All passages of a question as one padded batch, the best span of each by start and end logits."""

    def __init__(self, model: Model) -> None:
        config = model.require_reader()
        shape = {name: getattr(config.architecture, name) for name in config.architecture.__dataclass_fields__}
        self._network = BertForQuestionAnswering(BertConfig(**shape))
        self._network.train(False)
        weights = {
            name if name.startswith("qa_outputs") else f"bert.{name}": torch.from_numpy(value)
            for name, value in model.load_weights("reader").items()
            if not name.startswith("qa_classifier")
        }
        self._network.load_state_dict(weights, strict=False)
        self._tokenizer = BertTokenizerFast(tokenizer_file=str(model.tokenizer_path))
        self._max_tokens = config.max_tokens

    @torch.inference_mode()
    def read(self, question: str, hits: Sequence[Hit]) -> list[str]:
        """The best span of each passage."""
        texts = [hit.passage.text for hit in hits]
        batch = self._tokenizer(
            [question] * len(texts),
            texts,
            truncation="only_second",
            max_length=self._max_tokens,
            padding=True,
            return_offsets_mapping=True,
            return_tensors="pt",
        )
        offsets = batch.pop("offset_mapping")
        outputs = self._network(**batch)
        answers = []
        for row, text in enumerate(texts):
            inside = np.array([kind == 1 for kind in batch.sequence_ids(row)])
            logits = (outputs.start_logits[row].numpy(), outputs.end_logits[row].numpy())
            first, last = best_span(*(np.where(inside, values, -np.inf) for values in logits))
            answers.append(text[int(offsets[row, first, 0]) : int(offsets[row, last, 1])])
        return answers


def best_span(start: NDArray[np.float32], end: NDArray[np.float32]) -> tuple[int, int]:
    """First and last token of the span with the largest sum of logits; no span ends before it starts."""
    scores = np.where(np.triu(np.ones((len(start), len(start)), bool)), start[:, None] + end[None, :], -np.inf)
    first, last = divmod(int(scores.argmax()), len(start))
    return first, last
