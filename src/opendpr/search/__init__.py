"""Which passages fit a question: vector indexes, BM25, the retrievers that combine them, and what a size costs."""
