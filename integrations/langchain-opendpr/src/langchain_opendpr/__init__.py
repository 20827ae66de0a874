"""LangChain over opendpr: passages, embeddings and verbatim answers from a collection here or at a service."""

from langchain_opendpr.answering import OpenDPRAnswerer, VerbatimAnswer
from langchain_opendpr.embeddings import OpenDPREmbeddings
from langchain_opendpr.retrievers import OpenDPRRetriever
from langchain_opendpr.tools import OpenDPRAnswerTool

__all__ = ["OpenDPRAnswerTool", "OpenDPRAnswerer", "OpenDPREmbeddings", "OpenDPRRetriever", "VerbatimAnswer"]
