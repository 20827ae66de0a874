"""Accuracy: what the paper reports, for the models of this repository."""
