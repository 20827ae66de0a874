"""Encoding a large batch in small chunks with bounded memory: gradient caching (Gao et al., 2021).

The loss of a batch needs all its vectors, but not all their graphs at once. Chunks whose graphs
fit the budget keep them; the others are encoded without, and once more, chunk by chunk, when the
gradient of the loss with respect to their vectors is known. Each chunk draws its dropout from a
seed of its own, so that both times are the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import psutil
import torch
from torch import Tensor, nn

from opendpr.model.batches import TokenSequence, pad, padded_length
from opendpr.model.torch import Layer
from opendpr.training import distributed
from opendpr.training.objective import Step

CHUNK_TOKENS = {"cpu": 2_048, "cuda": 65_536}
"""Tokens encoded at once: what fits the caches of a CPU, and what keeps a GPU busy."""
FREE_SHARE = 0.25
"""Share of the free memory that graphs may take unless `memory_gib` says more."""
MOST_ON_CPU_BYTES = 2**30
"""What they take on a CPU at most unless `memory_gib` says more: more saves little there."""
HIDDEN_VALUES = 15
"""Values of a token that a layer keeps for its backward pass, in sizes of a hidden vector: what is counted in bf16,
where some are fp32; in fp32 fewer. Beside them it keeps the feed-forward's and the attention's."""


class _Chunk(NamedTuple):
    network: nn.Module
    rows: list[int]
    """Places of its sequences in the batch."""
    ids: Tensor
    types: Tensor
    mask: Tensor
    seed: int
    vectors: Tensor
    """(n, d), with their graph if it was kept."""


class ChunkedEncoding:
    """The vectors of one batch, of this process's share of the sequences computed here.

    Args:
        device: what the networks run on
        dim: size d of a vector
        pad_id: token that fills rows
        most: tokens that the networks take in a row
        budget_bytes: what graphs may take; with 0 none is kept
        step: seed, dropout and precision
    """

    def __init__(
        self, device: torch.device, dim: int, pad_id: int, *, most: int, budget_bytes: int, step: Step
    ) -> None:
        self._device, self._dim, self._pad, self._most, self._step = device, dim, pad_id, most, step
        self._left_bytes = budget_bytes
        self._chunks: list[_Chunk] = []
        self._count = 0
        self._rows: list[list[int]] = [[] for _ in range(distributed.world())]

    def add(self, network: nn.Module, sequences: Sequence[TokenSequence]) -> None:
        """Encode more sequences of the batch."""
        for process, places in enumerate(self._rows):
            places += range(self._count + process, self._count + len(sequences), distributed.world())
        own = range(distributed.rank(), len(sequences), distributed.world())
        lengths = [padded_length(len(sequences[row].ids), self._most) for row in own]
        for places in by_tokens(lengths, self._step.chunk_tokens or CHUNK_TOKENS[self._device.type]):
            rows = [own[place] for place in places]
            batch = pad([sequences[row] for row in rows], self._pad, most=self._most)
            ids, types, mask = (torch.from_numpy(array).long().to(self._device) for array in batch)
            kept = self._take(graph_bytes(network, ids.shape, self._step.bf16))
            seed = self._step.seed + 7_919 * (1 + len(self._chunks))
            chunk = _Chunk(network, [self._count + row for row in rows], ids, types, mask, seed, ids)
            with torch.set_grad_enabled(kept):
                self._chunks.append(chunk._replace(vectors=self._forward(chunk)))
        self._count += len(sequences)

    def vectors(self) -> Tensor:
        """All vectors of the batch in the order added, (n, d), without a graph."""
        own = self._rows[distributed.rank()]
        place_of = {row: place for place, row in enumerate(own)}
        vectors = torch.empty(len(own), self._dim, device=self._device)
        for chunk in self._chunks:
            vectors[[place_of[row] for row in chunk.rows]] = chunk.vectors.detach()
        return distributed.gathered(vectors, self._rows)

    def backward(self, gradient: Tensor) -> None:
        """Send the gradient of the vectors (n, d) back through the networks."""
        while self._chunks:
            chunk = self._chunks.pop()
            vectors = chunk.vectors if chunk.vectors.requires_grad else self._forward(chunk)
            vectors.backward(gradient[chunk.rows])  # type: ignore[no-untyped-call]

    def _forward(self, chunk: _Chunk) -> Tensor:
        if self._step.dropout:
            torch.manual_seed(chunk.seed)
        with self._step.autocast(self._device):
            vectors: Tensor = chunk.network(chunk.ids, chunk.types, chunk.mask, self._step.dropout)
        return vectors

    def _take(self, bytes_: int) -> bool:
        """Whether a graph of this size still fits; if so, the room is taken."""
        if bytes_ > self._left_bytes:
            return False
        self._left_bytes -= bytes_
        return True


def graph_bytes(network: nn.Module, shape: Sequence[int], bf16: bool) -> int:
    """About how much memory the graph of a tower's forward pass over ids of shape (B, L) takes.

    On a CPU it holds what each token attends to, (B, heads, L, L) in each layer; in bf16 a copy of the weights.
    """
    layers = list(network.get_submodule("bert.layers").children())
    first = layers[0]
    assert isinstance(first, Layer)
    wide, d = first.wide.weight.shape
    attended = first.heads * shape[1] if first.wide.weight.device.type == "cpu" else 0
    values = shape[0] * shape[1] * (HIDDEN_VALUES * d + 2 * wide + attended)
    if bf16:
        return 2 * len(layers) * (values + sum(weight.numel() for weight in first.parameters()))
    return 4 * len(layers) * values


def graph_budget_bytes(device: torch.device, asked_gib: float) -> int:
    """What the graphs of a step may take: what is asked for, or a share of the memory that is free."""
    if asked_gib:
        return int(asked_gib * 2**30)
    if device.type == "cuda":
        return int(FREE_SHARE * torch.cuda.mem_get_info(device)[0])
    return min(int(FREE_SHARE * psutil.virtual_memory().available), MOST_ON_CPU_BYTES)


def by_tokens(lengths: Sequence[int], tokens: int) -> Iterator[list[int]]:
    """Places of sequences of similar length, as many at once as keep the padded rows within `tokens` tokens."""
    order = np.argsort(-np.asarray(lengths, dtype=np.int64), kind="stable").tolist()
    while order:
        count = max(1, tokens // lengths[order[0]])
        yield order[:count]
        order = order[count:]
