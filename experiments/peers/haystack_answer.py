"""A question answered from a folder of texts by Haystack: BM25 in memory and its extractive reader.

    HF_HUB_OFFLINE=1 python -m experiments.peers.haystack_answer FOLDER KEPT READER QUESTION

Needs haystack-ai and transformers-haystack. Passages have 100 words, all else is by default; the store is kept
in KEPT, where the next process finds it.
"""

from __future__ import annotations

import sys
from pathlib import Path

from haystack import Pipeline
from haystack.components.converters import TextFileToDocument
from haystack.components.preprocessors import DocumentSplitter
from haystack.components.retrievers.in_memory import InMemoryBM25Retriever
from haystack.components.writers import DocumentWriter
from haystack.document_stores.in_memory import InMemoryDocumentStore
from haystack_integrations.components.readers.transformers import TransformersExtractiveReader


def open_store(folder: Path, kept: Path) -> InMemoryDocumentStore:
    """The passages of a folder; those of an earlier process if it kept them."""
    if kept.exists():
        return InMemoryDocumentStore.load_from_disk(str(kept))
    store = InMemoryDocumentStore()
    pipeline = Pipeline()
    pipeline.add_component("converter", TextFileToDocument())
    pipeline.add_component("splitter", DocumentSplitter(split_by="word", split_length=100))
    pipeline.add_component("writer", DocumentWriter(store))
    pipeline.connect("converter", "splitter")
    pipeline.connect("splitter", "writer")
    pipeline.run({"converter": {"sources": sorted(folder.rglob("*.txt"))}})
    store.save_to_disk(str(kept))
    return store


def answer(store: InMemoryDocumentStore, reader: str, question: str) -> str:
    """The best answer, empty if that is that there is none."""
    pipeline = Pipeline()
    pipeline.add_component("retriever", InMemoryBM25Retriever(store))
    pipeline.add_component("reader", TransformersExtractiveReader(reader))
    pipeline.connect("retriever.documents", "reader.documents")
    done = pipeline.run({"retriever": {"query": question}, "reader": {"query": question}})
    return done["reader"]["answers"][0].data or ""


if __name__ == "__main__":
    folder, kept, reader, question = sys.argv[1:]
    print(answer(open_store(Path(folder), Path(kept)), reader, question))
