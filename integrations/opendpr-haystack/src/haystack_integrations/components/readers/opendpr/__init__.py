"""Verbatim answers: the reader of an opendpr model, and all that opendpr does with a question."""

from haystack_integrations.components.readers.opendpr.answerer import OpenDPRAnswerer
from haystack_integrations.components.readers.opendpr.reader import OpenDPRReader

__all__ = ["OpenDPRAnswerer", "OpenDPRReader"]
