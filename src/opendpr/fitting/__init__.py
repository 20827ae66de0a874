"""Choosing numbers that a model stores, on questions with known answers, with numpy alone.

decoding.py, confidence.py   the weights of what `answering/` has under the same names
hybrid.py                    the paper's λ, which `search/retrievers.py` uses
"""
