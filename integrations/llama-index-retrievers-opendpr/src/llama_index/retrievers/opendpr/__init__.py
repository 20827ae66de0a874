"""LlamaIndex over opendpr: passages and verbatim answers from a collection here or at a service."""

from llama_index.retrievers.opendpr.base import OpenDPRRetriever
from llama_index.retrievers.opendpr.query_engine import OpenDPRQueryEngine

__all__ = ["OpenDPRQueryEngine", "OpenDPRRetriever"]
