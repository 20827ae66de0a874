"""Rates, latencies, memory and sizes."""
