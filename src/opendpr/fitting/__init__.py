"""Fitting on questions with known answers, with numpy alone: λ, decoding weights, confidence."""
