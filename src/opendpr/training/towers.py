"""The two encoders as what is trained: their networks, and how a batch of sequences goes through them."""

from __future__ import annotations

import torch
from torch import nn

from opendpr.model.config import EncoderConfig
from opendpr.model.directory import Model, Weights
from opendpr.model.encoder import EncoderInput
from opendpr.model.torch import load_weights, make_network, stored_weights
from opendpr.training.chunks import ChunkedEncoding
from opendpr.training.objective import Step


class Towers(nn.Module):
    """The two towers, or one that is both."""

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        self.question = make_network(config)
        self.passage = None if config.tied else make_network(config)

    def tower(self, part: str) -> nn.Module:
        """The tower of `question` or of `passage`."""
        return self.question if part == "question" or self.passage is None else self.passage

    def load(self, model: Model) -> None:
        """Load a model's weights; tied weights go to both towers."""
        load_weights(self.question, model.load_weights("question"))
        if self.passage is not None:
            load_weights(self.passage, model.load_weights("passage"))

    def stored(self) -> dict[str, Weights]:
        """Weights by the folder that they are written to."""
        if self.passage is None:
            return {"encoder": stored_weights(self.question)}
        return {"question_encoder": stored_weights(self.question), "passage_encoder": stored_weights(self.passage)}


def chunked(device: torch.device, inputs: EncoderInput, budget_bytes: int, step: Step) -> ChunkedEncoding:
    """An encoding for sequences of these inputs."""
    config, pad_id = inputs.config, inputs.tokenizer.pad
    most = config.architecture.max_tokens
    return ChunkedEncoding(device, config.dim, pad_id, most=most, budget_bytes=budget_bytes, step=step)
