"""The encoders of an opendpr model as Haystack embedders."""

from haystack_integrations.components.embedders.opendpr.document_embedder import OpenDPRDocumentEmbedder
from haystack_integrations.components.embedders.opendpr.text_embedder import OpenDPRTextEmbedder

__all__ = ["OpenDPRDocumentEmbedder", "OpenDPRTextEmbedder"]
