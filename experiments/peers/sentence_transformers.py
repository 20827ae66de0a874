"""sentence-transformers: its encoders and cross-encoders with its defaults, and steps of its cached training."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:  # the library may have an environment of its own, without opendpr
    from sentence_transformers import CrossEncoder, SentenceTransformer

    from opendpr.model.config import EncoderConfig
    from opendpr.training.sources import Pair


def load_encoder(
    path: Path, backend: Literal["torch", "onnx", "openvino"] = "torch", **network: object
) -> SentenceTransformer:
    """An encoder on the CPU, with the library's defaults.

    Args:
        network: what its network is loaded with
    """
    from sentence_transformers import SentenceTransformer

    logging.getLogger("sentence_transformers").setLevel(logging.ERROR)
    return SentenceTransformer(
        str(path), device="cpu", backend=backend, local_files_only=True, model_kwargs=network or None
    )


def load_cross_encoder(path: Path) -> CrossEncoder:
    """A cross-encoder on the CPU, with the library's defaults."""
    from sentence_transformers import CrossEncoder

    return CrossEncoder(str(path), device="cpu", local_files_only=True)


class CachedTraining:
    """`CachedMultipleNegativesRankingLoss` with AdamW, clipped gradients and bf16."""

    def __init__(self, path: Path, config: EncoderConfig, *, attention: str, mini_batch: int) -> None:
        import torch
        from sentence_transformers.sentence_transformer.losses import CachedMultipleNegativesRankingLoss

        self._peer = load_encoder(path, attn_implementation=attention)
        self._peer.max_seq_length = config.max_passage_tokens
        loss = CachedMultipleNegativesRankingLoss(self._peer, scale=config.scale, mini_batch_size=mini_batch)
        self._loss = loss.train()
        self._optimizer = torch.optim.AdamW(self._peer.parameters(), lr=2e-5, weight_decay=0.01, fused=True)

    def step(self, pairs: Sequence[Pair]) -> tuple[float, int]:
        """One step on a batch: its loss, and its tokens without padding."""
        import torch

        features = [self._peer.preprocess(column) for column in columns(pairs)]
        self._optimizer.zero_grad()
        with torch.autocast("cpu", dtype=torch.bfloat16):
            value = self._loss(features, None)
            value.backward()
        torch.nn.utils.clip_grad_norm_(self._peer.parameters(), 1.0)
        self._optimizer.step()
        return value.item(), sum(int(feature["attention_mask"].sum()) for feature in features)


def columns(pairs: Sequence[Pair]) -> Iterator[list[str]]:
    """Questions, positives and each hard negative, as sentence-transformers takes them."""
    yield [pair.question for pair in pairs]
    for column in zip(*([pair.positive, *pair.negatives] for pair in pairs), strict=True):
        yield [f"{p.title} [SEP] {p.text}" if p.title else p.text for p in column]
