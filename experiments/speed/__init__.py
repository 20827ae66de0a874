"""Seconds, bytes and rates of our own commands; where another system is timed beside them, it comes from `peers/`."""
