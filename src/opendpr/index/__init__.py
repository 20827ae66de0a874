"""Search structures over passage numbers: exact vectors, and words by tantivy."""
