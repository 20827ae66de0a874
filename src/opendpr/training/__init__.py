"""Training: mined examples, settings, the loop, and what each network minimises. All but mining needs torch."""
