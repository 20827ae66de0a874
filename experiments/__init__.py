"""Experiments: every figure of the documents, and what gives it."""
