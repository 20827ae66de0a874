"""The encoders of an opendpr model as LlamaIndex embeddings."""

from llama_index.embeddings.opendpr.base import OpenDPREmbedding

__all__ = ["OpenDPREmbedding"]
