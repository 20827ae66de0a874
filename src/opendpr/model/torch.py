"""Networks of BERT's kind in PyTorch: for training, and for serving on a GPU (Devlin et al., 2019)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Literal

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from opendpr.errors import OpendprError, StateError
from opendpr.model.batches import Batch
from opendpr.model.config import (
    Activation,
    Architecture,
    EncoderConfig,
    NetworkConfig,
    Pooling,
    ReaderConfig,
    RerankerConfig,
    distance_buckets,
)
from opendpr.model.directory import Weights
from opendpr.model.names import stored_name

ACTIVATIONS: dict[Activation, Callable[[Tensor], Tensor]] = {
    "identity": lambda x: x,
    "tanh": torch.tanh,
    "gelu": F.gelu,
    "gelu_tanh": partial(F.gelu, approximate="tanh"),
    "relu": F.relu,
}


class Layer(nn.Module):
    """One transformer layer.

    Dropout acts on what attention and feed-forward give, not inside the attention: there it costs
    more than a fifth of a training step on a CPU and rules out the fused kernels.
    """

    def __init__(self, shape: Architecture) -> None:
        super().__init__()
        d, wide, eps = shape.hidden_size, shape.intermediate_size, shape.layer_norm_eps
        self.heads, self.activation = shape.num_attention_heads, ACTIVATIONS[shape.activation]
        self.query, self.key, self.value = nn.Linear(d, d), nn.Linear(d, d), nn.Linear(d, d)
        self.attention_out, self.attention_norm = nn.Linear(d, d), nn.LayerNorm(d, eps=eps)
        self.wide, self.narrow = nn.Linear(d, wide), nn.Linear(wide, d)
        self.norm = nn.LayerNorm(d, eps=eps)

    def forward(self, x: Tensor, mask: Tensor, dropout: float) -> Tensor:
        """(B, L, d) and an additive mask (B, 1, 1, L) or (B, heads, L, L) -> (B, L, d)."""
        B, L, d = x.shape
        query, key, value = (
            linear(x).view(B, L, self.heads, d // self.heads).transpose(1, 2)
            for linear in (self.query, self.key, self.value)
        )
        mixed = _attention(query, key, value, mask.to(query.dtype))
        mixed = self.attention_out(mixed.transpose(1, 2).reshape(B, L, d))
        x = self.attention_norm(x + _dropout(mixed, dropout))
        hidden = self.narrow(self.activation(self.wide(x)))
        result: Tensor = self.norm(x + _dropout(hidden, dropout))
        return result


def _attention(query: Tensor, key: Tensor, value: Tensor, mask: Tensor) -> Tensor:
    """Attention of each head, (B, heads, L, d / heads) each and an additive mask.

    With gradients on a CPU as plain products: the backward pass of the fused kernel takes three
    times as long there as theirs, and with it half of a training step.
    """
    if query.device.type != "cpu" or not query.requires_grad:
        return F.scaled_dot_product_attention(query, key, value, attn_mask=mask)
    logits = query * query.shape[-1] ** -0.5 @ key.transpose(-1, -2) + mask
    mixed: Tensor = logits.softmax(-1).to(value.dtype) @ value
    return mixed


def _dropout(x: Tensor, share: float) -> Tensor:
    """Zeros for a share of the values, the others larger by as much.

    On a CPU by a byte of randomness for each value, so the share is one of 1/256 to 255/256: what torch
    draws costs twice as much, a tenth of a training step.
    """
    if not share:
        return x
    if x.device.type != "cpu":
        return F.dropout(x, share)
    kept = min(255, max(1, 256 - round(256 * share)))
    draws = torch.empty(x.numel() // 8 + 1, dtype=torch.int64).random_(-(2**63), None).view(torch.uint8)
    noise = (draws[: x.numel()].view(x.shape) < kept).to(x.dtype)
    return x * noise.mul_(256 / kept)


class Bert(nn.Module):
    """Token ids to the vectors of the last layer, for every family that an `Architecture` describes."""

    buckets: Tensor
    """(2 * longest - 1,), by distance, where the network has biases for distances."""

    def __init__(self, shape: Architecture) -> None:
        super().__init__()
        d, width = shape.hidden_size, shape.embedding_size or shape.hidden_size
        self.offset, self.farthest = shape.position_offset, shape.max_tokens - 1
        self.words = nn.Embedding(shape.vocab_size, width, sparse=True)  # else each pass adds a gradient of all words
        self.positions = nn.Embedding(shape.max_position_embeddings, width)
        self.types = nn.Embedding(shape.type_vocab_size, width) if shape.type_vocab_size else None
        self.norm = nn.LayerNorm(width, eps=shape.layer_norm_eps)
        self.widening = nn.Linear(width, d) if width != d else None
        buckets = shape.relative_buckets
        self.relative = nn.Embedding(buckets, shape.num_attention_heads) if buckets else None
        by_distance = torch.from_numpy(distance_buckets(shape.max_tokens, buckets)) if buckets else None
        self.register_buffer("buckets", by_distance, persistent=False)
        self.layers = nn.ModuleList(Layer(shape) for _ in range(shape.num_hidden_layers))

    def forward(self, ids: Tensor, types: Tensor, mask: Tensor, dropout: float = 0.0) -> Tensor:
        """Ids, token types and mask (1 where a token is), each (B, L) -> (B, L, d)."""
        positions = torch.arange(ids.shape[1], device=ids.device)
        x = self.words(ids) + self.positions(positions + self.offset)
        x = self.norm(x if self.types is None else x + self.types(types))
        x = _dropout(x, dropout)
        if self.widening is not None:
            x = self.widening(x)
        additive = (1.0 - mask[:, None, None, :].to(x.dtype)) * -10_000.0
        if self.relative is not None:
            ahead = positions[None, :] - positions[:, None]
            additive = additive + self.relative(self.buckets[ahead + self.farthest]).permute(2, 0, 1)
        for layer in self.layers:
            x = layer(x, additive, dropout)
        result: Tensor = x
        return result


def pooled(hidden: Tensor, mask: Tensor, pooling: Pooling) -> Tensor:
    """(B, L, d) and the mask (B, L) -> (B, d)"""
    if pooling == "cls":
        return hidden[:, 0]
    if pooling == "last":
        return hidden[torch.arange(mask.shape[0], device=mask.device), mask.sum(1) - 1]
    weight = mask[:, :, None].to(hidden.dtype)
    if pooling == "max":
        return hidden.masked_fill(weight == 0, -torch.inf).amax(1)
    if pooling == "weighted_mean":
        weight = weight.cumsum(1) * weight
    total = weight.sum(1)
    return (hidden * weight).sum(1) / (total.sqrt() if pooling == "mean_sqrt" else total)


class EncoderNetwork(nn.Module):
    """A tower: one vector per sequence (paper section 3.1)."""

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        self.bert, self.pooling, self.unit = Bert(config.architecture), config.pooling, config.similarity == "cosine"
        size = config.projection_size
        self.projection = nn.Linear(config.architecture.hidden_size, size) if size else None
        self.activation = ACTIVATIONS[config.projection_activation]

    def forward(self, ids: Tensor, types: Tensor, mask: Tensor, dropout: float = 0.0) -> Tensor:
        """-> (B, d)"""
        vectors = pooled(self.bert(ids, types, mask, dropout), mask, self.pooling)
        if self.projection is not None:
            vectors = self.activation(self.projection(vectors))
        vectors = vectors.float()
        return F.normalize(vectors, dim=-1) if self.unit else vectors


class ReaderNetwork(nn.Module):
    """The extractive reader's logits (paper section 6.1): w_start, w_end and w_selected."""

    def __init__(self, shape: Architecture, selection: bool = True) -> None:
        super().__init__()
        self.bert = Bert(shape)
        self.spans = nn.Linear(shape.hidden_size, 2)
        self.selection = nn.Linear(shape.hidden_size, 1) if selection else None

    def forward(self, ids: Tensor, types: Tensor, mask: Tensor, dropout: float = 0.0) -> Tensor:
        """-> (B, 1 + 2L): the selection logit, then start and end logits of each token.

        Without a selection layer, the first is what speaks against "no answer": minus the logits of [CLS].
        """
        hidden = self.bert(ids, types, mask, dropout)
        spans = self.spans(hidden).float()
        selected = self.selection(hidden[:, 0]).float() if self.selection is not None else -spans[:, :1].sum(2)
        return torch.cat([selected, spans.transpose(1, 2).flatten(1)], dim=1)


class RerankerNetwork(nn.Module):
    """A cross-encoder: one score for a question and a passage."""

    def __init__(self, config: RerankerConfig) -> None:
        super().__init__()
        d = config.architecture.hidden_size
        self.bert, self.activation = Bert(config.architecture), ACTIVATIONS[config.head_activation]
        self.head, self.score = nn.Linear(d, d), nn.Linear(d, 1)

    def forward(self, ids: Tensor, types: Tensor, mask: Tensor) -> Tensor:
        """-> (B, 1)"""
        first = self.bert(ids, types, mask)[:, 0]
        result: Tensor = self.score(self.activation(self.head(first))).float()
        return result


def freeze(network: ReaderNetwork, layers: int) -> None:
    """Keep the weights of the lowest layers and of the embeddings as they are; with 0 layers nothing."""
    bert = network.bert
    embedding = (bert.words, bert.positions, bert.types, bert.norm, bert.widening)
    for module in (*embedding, *bert.layers[:layers]) if layers else ():
        if module is not None:
            module.requires_grad_(False)


class TorchNetwork:
    """A `Network` in PyTorch, on a CPU or a GPU."""

    parallel = 1

    def __init__(self, config: NetworkConfig, weights: Weights, *, bf16: bool, device: str) -> None:
        self._device, self._bf16 = torch.device(device), bf16
        self._network: nn.Module = make_network(config).to(self._device).eval()
        load_weights(self._network, weights)

    @torch.inference_mode()
    def __call__(self, batches: Sequence[Batch]) -> list[NDArray[np.float32]]:
        results = []
        for batch in batches:
            ids, types, mask = (torch.from_numpy(array).to(self._device) for array in batch)
            with torch.autocast(self._device.type, dtype=torch.bfloat16, enabled=self._bf16):
                results.append(self._network(ids, types, mask).float())
        return [result.cpu().numpy() for result in results]  # last, as each waits until a GPU has computed it


def choose_device(device: Literal["auto", "cpu", "cuda"]) -> Literal["cpu", "cuda"]:
    """The device that `device` means here.

    Raises:
        OpendprError: a GPU was asked for and none is found.
    """
    available = torch.cuda.is_available()
    if device == "cuda" and not available:
        raise OpendprError("device cuda was asked for, but torch finds no GPU; use device cpu")
    return "cuda" if available and device != "cpu" else "cpu"


def make_network(config: NetworkConfig) -> EncoderNetwork | ReaderNetwork | RerankerNetwork:
    """A network with fresh weights, in the shape of a configuration."""
    match config:
        case EncoderConfig():
            return EncoderNetwork(config)
        case ReaderConfig():
            return ReaderNetwork(config.architecture, config.selection)
        case RerankerConfig():
            return RerankerNetwork(config)


def load_weights(network: nn.Module, weights: Weights) -> None:
    """Copy stored weights into a network.

    Raises:
        StateError: a parameter is missing or has another shape.
    """
    state = {}
    for name, parameter in network.state_dict().items():
        stored = weights.get(stored_name(name))
        if stored is None or stored.shape != tuple(parameter.shape):
            raise StateError(
                f"the weights hold {stored_name(name)} of shape {None if stored is None else stored.shape}, "
                f"expected {tuple(parameter.shape)}; config.json and model.safetensors do not belong together"
            )
        state[name] = torch.from_numpy(stored.copy())
    network.load_state_dict(state)


def stored_weights(network: nn.Module) -> Weights:
    """The network's weights under their stored names, on the CPU in fp32."""
    return {stored_name(name): value.detach().float().cpu().numpy() for name, value in network.state_dict().items()}
