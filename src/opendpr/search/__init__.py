"""Finding passages: vector indexes, BM25, and the retrievers that combine them."""
