"""Passages of an opendpr collection as Haystack documents."""

from haystack_integrations.components.retrievers.opendpr.retriever import OpenDPRRetriever

__all__ = ["OpenDPRRetriever"]
