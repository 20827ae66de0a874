"""Measures as the field computes them: pure functions of strings and numbers."""

from opendpr.evaluation.answers import exact_match, f1, normalize_answer

__all__ = ["exact_match", "f1", "normalize_answer"]
