"""From how many judged questions on something is learned, and how."""

from __future__ import annotations

from dataclasses import dataclass, field

from opendpr.choices import READ_PASSAGES
from opendpr.fitting.settings import AnsweringSettings
from opendpr.training.settings import EncoderSettings, ReaderSettings

LEAST_QUESTIONS = 30
"""Judged questions without which nothing is tried: half of them are kept apart, and fewer than 15 tell a gain from
chance only if nearly every question gains."""
LEAST_PART = 8
"""Questions with an answer that each part needs: documents that all fall into one leave nothing to judge by."""


@dataclass(frozen=True)
class ImproveSettings:
    """Settings of `opendpr improve`."""

    encoder_examples: int = 100
    """Mined examples without which the encoder is not trained: from a hundred on a narrow thing, such as house words,
    can be learned; fewer may make the vectors worse."""
    reader_examples: int = 500
    """Mined examples without which the reader is not trained. Not measured: a reader has seen some hundred thousand
    marked answers, and five hundred is where a user's own may weigh something."""
    encoder: EncoderSettings = field(
        default_factory=lambda: EncoderSettings(batch_size=16, epochs=2, learning_rate=2e-4, base_share=0.5)
    )
    """Small batches, so that a small set makes some steps at all, and half of the weights from before."""
    reader: ReaderSettings = field(default_factory=lambda: ReaderSettings(epochs=1, learning_rate=5e-5, base_share=0.5))
    answering: AnsweringSettings = field(default_factory=lambda: AnsweringSettings(k=READ_PASSAGES))
    """Its retrievers are those whose confidence the model has."""
